/** Folder hash: one number for what is in a folder, so that a step is skipped when its input has not changed. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** SHA-256 (hex) of the names and contents of all files under the folders; absent folders count as empty. */
export function folderHash(/** @type {readonly string[]} */ folders) {
  const hash = createHash("sha256");
  for (const folder of folders) {
    for (const file of filesUnder(folder)) hash.update(file).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}

/** @returns {string[]} */
function filesUnder(/** @type {string} */ folder) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch {
    return [];
  }
}

/** What an earlier run left in a stamp file, or null. */
export function readStamp(/** @type {string} */ file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
