/**
 * Home: the state folder of one local server (LAMINA_HOME, `.lamina/` when unset) and its API key.
 *
 * The folder is readable by its owner only. The key's text is in the folder and nowhere else: the server is told its hash.
 */
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fail, ROOT } from "./repository.mjs";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const KEY = /^lam_[0-9A-Za-z]{32,}$/;
const KEY_CHARACTERS = 40;
const PREFIX_CHARACTERS = 12;

/** The state folder, made when it is absent. */
export function openHome() {
  const home = resolve(ROOT, process.env["LAMINA_HOME"] || ".lamina");
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    chmodSync(home, 0o700);
  } catch (error) {
    fail(`Cannot use the state folder ${home}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return home;
}

/** The port to serve, PORT or 8787. */
export function readPort() {
  const text = process.env["PORT"] || "8787";
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    fail(`PORT must be a number from 1 to 65535, not "${text}".`);
  return port;
}

export function keyFile(/** @type {string} */ home) {
  return join(home, "key");
}

/** Variables of the Worker that this home sets, `NAME=value` a line: providers of models, their keys, limits. May be absent. */
export function settingsFile(/** @type {string} */ home) {
  return join(home, "settings.env");
}

/** The local key: the one in the folder, or a new one. */
export function readOrMakeKey(/** @type {string} */ home) {
  try {
    const key = readFileSync(keyFile(home), "utf8").trim();
    if (KEY.test(key)) return key;
    fail(`${keyFile(home)} holds no key. Make a new one with: npm run key`);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  return makeKey(home);
}

/** Writes a new key over the old one, all or nothing. */
export function makeKey(/** @type {string} */ home) {
  const key = makeSecretKey();
  writePrivately(keyFile(home), `${key}\n`);
  return key;
}

export function makeSecretKey() {
  return `lam_${randomText(KEY_CHARACTERS)}`;
}

/** A one-time token for the chat link. */
export function makeToken() {
  return randomText(KEY_CHARACTERS);
}

export function keyPrefix(/** @type {string} */ key) {
  return key.slice(0, PREFIX_CHARACTERS);
}

export function sha256(/** @type {string} */ text) {
  return createHash("sha256").update(text).digest("hex");
}

/** Writes a file that only its owner reads, through a rename, so that a reader sees the old or the new one. */
export function writePrivately(/** @type {string} */ file, /** @type {string} */ text) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}

/** A path as a person at this terminal would write it. */
export function shownPath(/** @type {string} */ path) {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}

/** Base62 characters, evenly distributed: bytes beyond the last whole multiple of 62 are drawn again. */
function randomText(/** @type {number} */ characters) {
  let text = "";
  while (text.length < characters) {
    for (const byte of randomBytes(characters)) {
      if (byte < 248 && text.length < characters) text += ALPHABET.charAt(byte % 62);
    }
  }
  return text;
}
