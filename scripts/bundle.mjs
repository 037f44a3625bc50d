/**
 * Bundle: `npm run bundle`. Builds the production Worker as a deployment would, without an account, and checks its size.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installMissing } from "./install.mjs";
import { nodePath, runProgram, runTool, wranglerEnvironment } from "./repository.mjs";

await installMissing();
const folder = mkdtempSync(join(tmpdir(), "lamina-bundle-"));
try {
  const upload = join(folder, "upload");
  const parameters = ["deploy", "--dry-run", "--env", "production", "--outdir", upload];
  const { code } = await runTool("wrangler", parameters, { environment: wranglerEnvironment(folder) });
  process.exitCode = code === 0 ? (await runProgram(nodePath(), ["scripts/check-bundle.ts", upload])).code : code;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
