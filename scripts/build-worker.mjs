/**
 * Build Worker: `node scripts/build-worker.mjs [FOLDER]`. The production Worker as modules, in dist/worker or another folder.
 *
 * wrangler runs it for `--env production` and uploads every module of the folder as it is. What the sources load with `import()`
 * stays a module of its own, and what two modules share is a chunk beside them: the Worker starts with `index.js` and its static
 * imports only (docs/decisions/0010-modules.md). wrangler itself would put everything into one file. Conditions, target and
 * definitions are those of wrangler. All modules lie side by side, because `workers/pdf-library.ts` names one from where it is.
 */
import { cpSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildPage } from "./build-page.mjs";
import { buildPdf } from "./build-pdf.mjs";
import { fail, ROOT } from "./repository.mjs";

const folder = resolve(process.argv[2] ?? join(ROOT, "dist", "worker"));

/**
 * One locale of zod's many, and of the AI SDK's provider the chat model only, both as `[alias]` in wrangler.toml; no compiler of
 * zod's schemas, because Workers do not run code that is made at run time; and of what the chat model uses not what reads schemas of
 * zod 3, which nobody makes.
 */
const lessOfThem = {
  name: "less-of-them",
  setup(/** @type {import("esbuild").PluginBuild} */ plugin) {
    const locales = join(ROOT, "workers", "zod-locales.ts");
    plugin.onResolve({ filter: /^\.\.\/locales\/index\.js$/ }, () => ({ path: locales }));
    const compiler = join(ROOT, "workers", "zod-compile.ts");
    plugin.onResolve({ filter: /^\.\/compile\.js$/ }, ({ resolveDir }) =>
      resolveDir.endsWith("/zod/v4/core") ? { path: compiler } : null,
    );
    const sdk = join(ROOT, "node_modules", "@ai-sdk");
    const chat = join(sdk, "openai", "src", "chat", "openai-chat-language-model.ts");
    plugin.onResolve({ filter: /^@ai-sdk\/openai\/internal$/ }, () => ({ path: chat, sideEffects: false }));
    const utilities = join(sdk, "provider-utils", "src", "index.ts");
    plugin.onResolve({ filter: /^@ai-sdk\/provider-utils$/ }, () => ({ path: utilities, sideEffects: false }));
    plugin.onResolve({ filter: /\/zod3-to-json-schema$/ }, () => ({ path: "zod-3", namespace: "left-out" }));
    const refusal = 'export const zod3ToJsonSchema = () => { throw new Error("zod 3 is left out"); };';
    plugin.onLoad({ filter: /./, namespace: "left-out" }, () => ({ contents: refusal }));
  },
};

await buildPage();
await buildPdf();
rmSync(folder, { recursive: true, force: true });
const { build, stop } = await import("esbuild");
try {
  await build({
    absWorkingDir: ROOT,
    entryPoints: ["workers/index.ts"],
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    sourcemap: "linked",
    target: "es2024",
    supported: { using: true },
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    define: { "process.env.NODE_ENV": '"production"', "navigator.userAgent": '"Cloudflare-Workers"' },
    plugins: [lessOfThem],
    logLevel: "warning",
  });
} catch {
  fail("The Worker does not build.");
}
await stop();
cpSync(join(ROOT, "workers", "generated"), join(folder, "generated"), { recursive: true });
