/**
 * Check bundle: holds a built Worker to its size budget. Called by scripts/bundle.mjs with the folder of the upload.
 *
 * The budget (gzip, minified) keeps cold starts short and the upload far below Cloudflare's limit. Source maps are not
 * part of what the Worker loads. Nothing of the local-only model may be in the upload.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const ENTRY_BYTES = 200 * 1024;
const UPLOAD_BYTES = 600 * 1024;
/** Words that only occur in the local entry. */
const LOCAL_ONLY = ["lamina/extractive", "LocalAi"];

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: check-bundle.ts FOLDER");

const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !/\.map$|^README\.md$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name));
const sizes = new Map(files.map((file) => [file, gzipSync(readFileSync(file), { level: 9 }).byteLength]));
const entry = [...sizes].find(([file]) => /[\\/]index\.js$/.test(file))?.[1];
const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
const leaks = files.flatMap((file) => LOCAL_ONLY.filter((word) => readFileSync(file, "utf8").includes(word)));

const kibibytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
const problems: string[] = [];
if (entry === undefined) problems.push("the upload has no index.js");
if (entry !== undefined && entry > ENTRY_BYTES)
  problems.push(`entry: ${kibibytes(entry)} gzip, budget ${kibibytes(ENTRY_BYTES)}`);
if (total > UPLOAD_BYTES) problems.push(`upload: ${kibibytes(total)} gzip, budget ${kibibytes(UPLOAD_BYTES)}`);
if (leaks.length > 0) problems.push(`local-only code in the production upload: ${leaks.join(", ")}`);

process.stdout.write(`bundle: entry ${kibibytes(entry ?? 0)}, upload ${kibibytes(total)} (gzip, minified)\n`);
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
