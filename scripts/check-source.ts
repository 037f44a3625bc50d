/**
 * Check source: rules that the linter cannot say. `npm run check` runs it.
 *
 * Every source file opens with a comment; nothing is cast through `unknown`; a test lies in the folder
 * that mirrors the source folder it tests (flow/, process/ and browser/ test behaviour across folders); the AI SDK is named by one
 * module of the Worker only, and that module is loaded with `import()` only.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./repository.mjs";

const SOURCES = ["shared", "workers", "durable-objects", "chat/src", "cli", "engine", "scripts", "bench", "tests"];
const BEHAVIOUR = /^tests\/(flow|process|browser|fakes|fixtures)\//;

const files = SOURCES.flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx,mjs}`, { cwd: ROOT })).toSorted(
  (one, other) => one.localeCompare(other),
);
const problems = files.flatMap((file) => [
  ...textProblems(file, readFileSync(join(ROOT, file), "utf8")),
  ...nameProblems(file),
  ...sdkProblems(file, readFileSync(join(ROOT, file), "utf8")),
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

/** tests/vm/evict.test.ts belongs to durable-objects/vm/, tests/workers/routes/x.test.ts to workers/routes/, and so on. */
function nameProblems(file: string): string[] {
  if (!/^tests\/.+\.test\.ts$/.test(file) || BEHAVIOUR.test(file)) return [];
  const folder = dirname(file.slice("tests/".length)).replace(/^kernel(?=\/|$)/, "durable-objects");
  const folders = [folder, join("durable-objects", folder)];
  return folders.some((candidate) => existsSync(join(ROOT, candidate)))
    ? []
    : [`${file}: no source folder has this name`];
}

/** The Worker's one door to the AI SDK; a static import of either would load it with the kernel. */
function sdkProblems(file: string, text: string): string[] {
  if (!/^(shared|workers|durable-objects)\//.test(file)) return [];
  const imported = [...text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^;"'()]*?\sfrom\s+)?["']([^"']+)["']/gm)]
    .filter(([, isType]) => isType === undefined)
    .map(([, , specifier = ""]) => specifier);
  const isDoor = file === "durable-objects/infer/drivers/openai-chat.ts";
  return imported.flatMap((specifier) => {
    if (specifier.endsWith("/openai-chat.ts"))
      return [`${file}: imports ${specifier} statically; load it with import()`];
    return /^(@ai-sdk\/|ai$|ai\/)/.test(specifier) && !isDoor
      ? [`${file}: imports ${specifier}; only durable-objects/infer/drivers/openai-chat.ts may`]
      : [];
  });
}
