/**
 * Check: `npm run check`. Format, lint (layers included), types, and our own source rules; never rewrites anything.
 *
 * Every step runs even when an earlier one failed, so that one run tells all. Exit code 1 when any failed.
 */
import { installMissing } from "./install.mjs";
import { nodePath, runProgram, runTool } from "./repository.mjs";

await installMissing();

/** @type {readonly (readonly [string, () => Promise<{ code: number, output: string | null }>])[]} */
const steps = [
  ["format", () => runTool("oxfmt", ["--check", "."], { quiet: true })],
  ["lint", () => runTool("oxlint", ["--type-aware"], { quiet: true })],
  ["types of the Worker", () => runTool("tsc", ["-p", "tsconfig.json"], { quiet: true })],
  ["types of the tests", () => runTool("tsc", ["-p", "tsconfig.tests.json"], { quiet: true })],
  ["types of scripts", () => runTool("tsc", ["-p", "tsconfig.node.json"], { quiet: true })],
  ["types of the page", () => runTool("tsc", ["-p", "chat/tsconfig.json"], { quiet: true })],
  ["sources", () => runProgram(nodePath(), ["scripts/check-source.ts"], { quiet: true })],
];

let failures = 0;
for (const [name, step] of steps) {
  const started = Date.now();
  const { code, output } = await step();
  process.stdout.write(
    `${code === 0 ? "ok    " : "FAILED"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`,
  );
  if (code === 0) continue;
  failures += 1;
  process.stdout.write(output ?? "");
}
process.exitCode = failures === 0 ? 0 : 1;
