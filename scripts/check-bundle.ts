/**
 * Check bundle: holds a built Worker to its size budget. Called by scripts/bundle.mjs with the folder of the upload.
 *
 * The entry is what every start of the Worker evaluates: `index.js` and all that it imports statically, through every chunk.
 * The budgets (gzip, minified) keep cold starts short and the upload far below Cloudflare's limit. Source maps are not
 * part of what the Worker loads. Nothing of the local-only model may be in the upload, and the AI SDK may be in the module that is
 * loaded for it only, not in what the kernel imports.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build, stop, type PluginBuild } from "esbuild";

const ENTRY_BYTES = 200 * 1024;
const UPLOAD_BYTES = 600 * 1024;
/** Words that only occur in the local entry. */
const LOCAL_ONLY = ["lamina/extractive", "LocalAi"];
/** Words that only occur in the AI SDK. */
const SDK_ONLY = "ai-sdk-provider-utils/";

const named = process.argv[2];
if (named === undefined) throw new Error("usage: check-bundle.ts FOLDER");
const folder = resolve(named);

/** What `import()` names is loaded on use. */
const onUse = {
  name: "on-use",
  setup(plugin: PluginBuild): void {
    plugin.onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === "dynamic-import" ? { path, external: true } : null,
    );
  },
};

/** The module `start` of the upload in `root`, and all that is evaluated with it. */
async function modulesOf(root: string, start: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [start],
    bundle: true,
    format: "esm",
    external: ["cloudflare:*", "node:*"],
    plugins: [onUse],
    write: false,
    metafile: true,
    logLevel: "error",
  } as const);
  return Object.keys(metafile.inputs).map((file) => resolve(root, file));
}

const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !/\.map$|^README\.md$/.test(entry.name))
  .map((entry) => resolve(entry.parentPath, entry.name));
const sizes = new Map(files.map((file) => [file, gzipSync(readFileSync(file), { level: 9 }).byteLength]));
const sizeOf = (some: readonly string[]): number => some.reduce((sum, file) => sum + (sizes.get(file) ?? Infinity), 0);
const entry = sizeOf(await modulesOf(folder, "index.js"));
const total = sizeOf(files);
const leaks = files.flatMap((file) => LOCAL_ONLY.filter((word) => readFileSync(file, "utf8").includes(word)));

/** Whether the AI SDK is evaluated with the one module whose name begins so; null when there is no such module. */
async function bringsSdk(name: string): Promise<boolean | null> {
  const start = files.map((file) => basename(file)).find((file) => new RegExp(`^${name}-\\w+\\.js$`).test(file));
  if (start === undefined) return null;
  return (await modulesOf(folder, start)).some((file) => readFileSync(file, "utf8").includes(SDK_ONLY));
}

const kibibytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
const problems: string[] = [];
if (entry > ENTRY_BYTES) problems.push(`entry: ${kibibytes(entry)} gzip, budget ${kibibytes(ENTRY_BYTES)}`);
if (total > UPLOAD_BYTES) problems.push(`upload: ${kibibytes(total)} gzip, budget ${kibibytes(UPLOAD_BYTES)}`);
if ((await bringsSdk("process-calls")) !== false) problems.push("the kernel imports the AI SDK statically");
if ((await bringsSdk("openai-chat")) !== true) problems.push("no module of its own holds the AI SDK");
await stop();
if (leaks.length > 0) problems.push(`local-only code in the production upload: ${leaks.join(", ")}`);

process.stdout.write(`bundle: entry ${kibibytes(entry)}, upload ${kibibytes(total)} (gzip, minified)\n`);
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
