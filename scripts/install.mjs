/**
 * Install: brings node_modules up to package-lock.json, and only when it differs.
 *
 * Used by every command, so that a bare clone needs no step before `npm start`. npm writes node_modules/.package-lock.json
 * when it has finished, so comparing the two tells a broken or stale tree without asking the registry.
 */
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fail, ROOT, runProgram } from "./repository.mjs";

/** Installs what is missing. Says so before it takes half a minute. */
export async function installMissing() {
  if (installed()) return;
  process.stdout.write("Installing dependencies (once) …\n");
  const npm = npmCommand();
  // Not `npm ci`: it refuses a lock file that was written where the registry hides packages for other platforms, and ours
  // was. Versions still come from the lock file, which `--no-save` leaves as it is.
  const { code, output } = await runProgram(
    npm.command,
    [...npm.parameters, "install", "--no-save", "--no-audit", "--no-fund"],
    {
      quiet: true,
      environment: { PATH: pathWithoutModules() },
    },
  );
  if (code === 0 && installed()) return;
  process.stderr.write(output ?? "");
  fail("npm install failed: the package registry must be reachable the first time.");
}

/** True when every required package of the lock file is there in its version. */
function installed() {
  const wanted = packages(join(ROOT, "package-lock.json"));
  const present = packages(join(ROOT, "node_modules", ".package-lock.json"));
  if (wanted === null || present === null || !existsSync(join(ROOT, "node_modules", ".bin", "node"))) return false;
  return Object.entries(wanted).every(
    ([path, entry]) => path === "" || entry.optional || entry.devOptional || present[path]?.version === entry.version,
  );
}

/** @returns {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }> | null} */
function packages(/** @type {string} */ file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return null;
  }
}

/** The npm that started us, or the one on the path. */
function npmCommand() {
  const script = process.env["npm_execpath"];
  return script?.endsWith(".js") === true
    ? { command: "node", parameters: [script] }
    : { command: "npm", parameters: [] };
}

/** npm must not run on the Node inside the folder that it replaces. */
function pathWithoutModules() {
  const own = join(ROOT, "node_modules", ".bin");
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== own)
    .join(delimiter);
}
