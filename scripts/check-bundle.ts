/**
 * Check bundle: holds a built Worker to its size budget. Called by scripts/bundle.mjs with the folder of the upload.
 *
 * The entry is what every start of the Worker evaluates: `index.js` and all that it imports statically, through every chunk.
 * The budgets (gzip, minified) keep cold starts short and the upload far below Cloudflare's limit. Source maps are not
 * part of what the Worker loads. Nothing of the local-only model may be in the upload.
 */
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build, stop, type PluginBuild } from "esbuild";

const ENTRY_BYTES = 200 * 1024;
const UPLOAD_BYTES = 600 * 1024;
/** Words that only occur in the local entry. */
const LOCAL_ONLY = ["lamina/extractive", "LocalAi"];

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

/** The modules of the upload in `root` that are evaluated before the first request. */
async function entryModules(root: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["index.js"],
    bundle: true,
    format: "esm",
    external: ["cloudflare:*", "node:*"],
    plugins: [onUse],
    write: false,
    metafile: true,
    logLevel: "error",
  } as const);
  await stop();
  return Object.keys(metafile.inputs).map((file) => resolve(root, file));
}

const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !/\.map$|^README\.md$/.test(entry.name))
  .map((entry) => resolve(entry.parentPath, entry.name));
const sizes = new Map(files.map((file) => [file, gzipSync(readFileSync(file), { level: 9 }).byteLength]));
const sizeOf = (some: readonly string[]): number => some.reduce((sum, file) => sum + (sizes.get(file) ?? Infinity), 0);
const entry = sizeOf(await entryModules(folder));
const total = sizeOf(files);
const leaks = files.flatMap((file) => LOCAL_ONLY.filter((word) => readFileSync(file, "utf8").includes(word)));

const kibibytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
const problems: string[] = [];
if (entry > ENTRY_BYTES) problems.push(`entry: ${kibibytes(entry)} gzip, budget ${kibibytes(ENTRY_BYTES)}`);
if (total > UPLOAD_BYTES) problems.push(`upload: ${kibibytes(total)} gzip, budget ${kibibytes(UPLOAD_BYTES)}`);
if (leaks.length > 0) problems.push(`local-only code in the production upload: ${leaks.join(", ")}`);

process.stdout.write(`bundle: entry ${kibibytes(entry)}, upload ${kibibytes(total)} (gzip, minified)\n`);
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
