/**
 * Bench: `npm run bench -- NAME [arguments]` measures one figure; without a name it lists them.
 *
 * Each figure is a file of its name here that exports `run(arguments)`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

const FIGURES = [
  "documents",
  "search",
  "scale",
  "residency",
  "context-cost",
  "compaction",
  "sleep",
  "extractive-answers",
  "locomo-demo",
  "overhead",
  "load",
  "head-of-line",
  "scheduling",
  "standing",
];

const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !FIGURES.includes(name) || !existsSync(join(import.meta.dirname, `${name}.ts`))) {
  console.log(`Figures: ${FIGURES.join(", ")}`);
  process.exitCode = name === undefined ? 0 : 1;
} else {
  const figure = (await import(`#bench/${name}.ts`)) as { run(args: readonly string[]): Promise<void> | void };
  await figure.run(rest);
}
