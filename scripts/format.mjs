/** Format: `npm run format`. Rewrites every file in the one format; the only script that changes sources. */
import { installMissing } from "./install.mjs";
import { runTool } from "./repository.mjs";

await installMissing();
const { code } = await runTool("oxfmt", process.argv.length > 2 ? process.argv.slice(2) : ["."]);
process.exitCode = code;
