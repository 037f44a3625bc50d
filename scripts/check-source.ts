/**
 * Check source: rules that the linter cannot say. `npm run check` runs it.
 *
 * Every source file opens with a comment; nothing is cast through `unknown`; a test under tests/ mirrors the name of a
 * source file (flow/, process/ and browser/ test behaviour, not one file); every page of the stream of imports stays inside
 * the repository (`#…`, `./`, a package or `node:`/`cloudflare:`).
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./repository.mjs";

const SOURCES = ["shared", "workers", "durable-objects", "chat/src", "cli", "engine", "scripts", "bench", "tests"];
const BEHAVIOUR = /^tests\/(flow|process|browser|fakes|fixtures)\//;

const files = SOURCES.flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx,mjs}`, { cwd: ROOT })).toSorted(
  (one, other) => one.localeCompare(other),
);
const problems = files.flatMap((file) => [
  ...textProblems(file, readFileSync(join(ROOT, file), "utf8")),
  ...nameProblems(file),
]);

for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

function textProblems(file: string, text: string): string[] {
  const found: string[] = [];
  if (!/^(#!.*\n)?\/\*\*/.test(text)) found.push(`${file}: does not open with a comment that says what it is`);
  // Written apart so that this file does not find itself.
  if (new RegExp("as unknown" + " as").test(text)) found.push(`${file}: casts through unknown; parse it with a schema`);
  return found;
}

/** tests/vm/evict.test.ts must have durable-objects/vm/evict.ts, tests/workers/x.test.ts workers/x.ts, and so on. */
function nameProblems(file: string): string[] {
  const match = /^tests\/(.+?)(?:\.[a-z-]+)?\.test\.ts$/.exec(file);
  if (match?.[1] === undefined || BEHAVIOUR.test(file)) return [];
  const name = match[1].replace(/^kernel\//, "durable-objects/");
  const candidates = [`${name}.ts`, `${name}.mjs`, `durable-objects/${name}.ts`];
  return candidates.some((candidate) => existsSync(join(ROOT, candidate)))
    ? []
    : [`${file}: no source file has this name`];
}
