/**
 * Build page: bundles chat/src into chat/dist, only when it changed.
 *
 * One script and one style sheet with fixed names, served with an ETag from our own origin: the page's policy allows
 * nothing inline and nothing from elsewhere.
 */
import { existsSync, mkdirSync } from "node:fs";
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { folderHash, readStamp } from "./folder-hash.mjs";
import { fail, ROOT } from "./repository.mjs";

export async function buildPage() {
  const source = join(ROOT, "chat", "src");
  const target = join(ROOT, "chat", "dist");
  const stamp = join(ROOT, "node_modules", ".lamina-page.sha256");
  const hash = folderHash([source, join(ROOT, "shared")]);
  if (readStamp(stamp) === hash && existsSync(join(target, "index.html"))) return;
  mkdirSync(target, { recursive: true });
  const { build, stop } = await import("esbuild");
  try {
    await build({
      entryPoints: [join(source, "main.ts"), join(source, "main.css")],
      outdir: target,
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2022",
      logLevel: "warning",
    });
  } catch {
    fail("The chat page does not build.");
  }
  await stop(); // else its helper process lives as long as the server
  for (const name of ["index.html", "icon.svg"]) await copyFile(join(source, name), join(target, name));
  await writeFile(stamp, hash);
}
