/**
 * Test: `npm test`. Runs every suite and ends with one line, `N passed, N failed`.
 *
 * `npm test -- tests/shared` hands its words to vitest and runs only matching files. The browser tests need Chromium: as
 * root it is installed from Debian's packages, elsewhere they are left out with a line, and in CI its absence is a failure.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPage } from "./build-page.mjs";
import { buildPdf } from "./build-pdf.mjs";
import { installMissing } from "./install.mjs";
import { endChildren, fail, runProgram, runTool } from "./repository.mjs";

const CHROMIUM = "/usr/bin/chromium";
const OUTSIDE = /^(\.\/)?tests\/(process|browser)\b/;

for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => void endChildren(3_000).then(() => process.exit(1)));

const words = process.argv.slice(2);
await installMissing();
await buildPage();
await buildPdf();
const browser = await chromiumPresent();
const reports = mkdtempSync(join(tmpdir(), "lamina-test-"));
const totals = { passed: 0, failed: 0 };
try {
  const inside = words.filter((word) => !OUTSIDE.test(word));
  const outside = words.filter((word) => OUTSIDE.test(word));
  if (words.length === 0 || inside.length > 0) await runSuite("vitest.config.ts", inside);
  if (words.length === 0 || outside.length > 0) {
    await runSuite("vitest.process.config.ts", outside, browser ? [] : ["--exclude", "tests/browser/**"]);
  }
} finally {
  rmSync(reports, { recursive: true, force: true });
}
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed\n`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;

/** @param {string} config @param {readonly string[]} filters @param {readonly string[]} [options] */
async function runSuite(config, filters, options = []) {
  const report = join(reports, `${config}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const { code } = await runTool("vitest", ["run", "--config", config, ...reporters, ...options, ...filters]);
  const { passed, failed } = readReport(report);
  totals.passed += passed;
  // A file that does not load, or an error outside of any test, fails no test but fails the run.
  totals.failed += failed === 0 && code !== 0 ? 1 : failed;
}

/** Counts of vitest's JSON report; a file that could not be loaded counts as one failed test. */
function readReport(/** @type {string} */ file) {
  if (!existsSync(file)) return { passed: 0, failed: 0 };
  const report = JSON.parse(readFileSync(file, "utf8"));
  /** @type {readonly { status: string, assertionResults: readonly unknown[] }[]} */
  const files = report.testResults;
  const unloaded = files.filter((result) => result.status === "failed" && result.assertionResults.length === 0).length;
  return { passed: Number(report.numPassedTests), failed: Number(report.numFailedTests) + unloaded };
}

async function chromiumPresent() {
  if (existsSync(CHROMIUM)) return true;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    process.stdout.write("Installing Chromium for the browser tests (once) …\n");
    const environment = { DEBIAN_FRONTEND: "noninteractive" };
    await runProgram("apt-get", ["update", "-qq"], { quiet: true, environment });
    await runProgram("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], {
      quiet: true,
      environment,
    });
    if (existsSync(CHROMIUM)) return true;
  }
  if (process.env["CI"] === "true") fail("The browser tests need Chromium, and it could not be installed.");
  process.stdout.write("No Chromium here: the browser tests are left out.\n");
  return false;
}
