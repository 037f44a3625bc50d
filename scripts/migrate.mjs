/**
 * Migrate: applies the D1 migrations of both databases to a home's local state, only when their files changed.
 *
 * wrangler keeps count of what it applied; the stamp only saves its start-up time.
 */
import { join } from "node:path";
import { folderHash, readStamp } from "./folder-hash.mjs";
import { writePrivately } from "./home.mjs";
import { fail, ROOT, runTool, wranglerEnvironment } from "./repository.mjs";

const BINDINGS = ["DB", "MEM_0"];

/** The folder that both wrangler commands keep local state in. */
export function stateFolder(/** @type {string} */ home) {
  return join(home, "state");
}

export async function migrate(/** @type {string} */ home) {
  const hash = folderHash([join(ROOT, "migrations", "control"), join(ROOT, "migrations", "memory")]);
  const stamp = join(stateFolder(home), "migrations.sha256");
  if (readStamp(stamp) === hash) return;
  process.stdout.write("Preparing the databases …\n");
  // One after the other: both would open the same local metadata database.
  for (const binding of BINDINGS) {
    const parameters = ["d1", "migrations", "apply", binding, "--local", "--persist-to", stateFolder(home)];
    const { code, output } = await runTool("wrangler", parameters, {
      quiet: true,
      environment: wranglerEnvironment(home),
    });
    if (code === 0) continue;
    process.stderr.write(output ?? "");
    fail("The D1 migrations failed.");
  }
  writePrivately(stamp, hash);
}
