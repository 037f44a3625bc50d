/**
 * Build PDF: makes the PDF library a module of its own, workers/generated/pdf.mjs, only when its version or this file changed.
 *
 * The Worker loads it at the first PDF, by a name that the bundler cannot see (`workers/pdf-library.ts`), so it costs nobody else
 * a cold start. Of the library's worker half only what text needs is kept: forms, annotations, editing, the shapes of glyphs, JPEG
 * pictures and the Brotli dictionary are replaced by stubs that refuse or find nothing. A version of the library whose parts have
 * other names fails here rather than at run time.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readStamp } from "./folder-hash.mjs";
import { fail, ROOT } from "./repository.mjs";

const LIBRARY = join(ROOT, "node_modules", "pdfjs-dist", "build", "pdf.worker.mjs");
const TARGET = join(ROOT, "workers", "generated", "pdf.mjs");

/** Parts that are left out, and what stands for the names that other parts use of them. */
const LEFT_OUT = [
  {
    part: /^\.\/external\/brotli\//u,
    stub: 'const BrotliDecode = () => { throw new Error("Brotli is not supported"); };',
  },
  {
    part: /^\.\/src\/core\/xfa\//u,
    stub: "const XFAFactory = { getRichTextAsHtml: () => null, getPageOrientations: () => null };",
  },
  {
    part: /^\.\/src\/core\/(?:xfa_fonts|\w+_factors|\w+_widths)\.js$/u,
    stub: "const getXfaFontName = () => null; const getXfaFontDict = () => null;",
  },
  {
    part: /^\.\/src\/core\/(?:annotation|default_appearance)\.js$/u,
    stub: `class WidgetAnnotation {} class PopupAnnotation {}
      const AnnotationFactory = { createGlobals: async () => null, create: async () => null };`,
  },
  {
    part: /^\.\/src\/core\/editor\/\w+\.js$/u,
    stub: 'class PDFEditor { constructor() { throw new Error("Editing is not supported"); } }',
  },
  {
    part: /^\.\/src\/core\/writer\.js$/u,
    stub: 'const incrementalUpdate = () => { throw new Error("Editing is not supported"); }; const writeArray = incrementalUpdate;',
  },
  {
    part: /^\.\/src\/core\/jpg\.js$/u,
    stub: 'class JpegImage { constructor() { throw new Error("Pictures are not supported"); } }',
  },
  {
    part: /^\.\/src\/core\/font_renderer\.js$/u,
    stub: "const FontRendererFactory = { create: () => null };",
  },
  {
    part: /^\.\/src\/core\/postscript\/wasm_compiler\.js$/u,
    stub: "const buildPostScriptWasmFunction = () => null;", // its interpreter does the same
  },
];

export async function buildPdf() {
  const stamp = join(ROOT, "node_modules", ".lamina-pdf.sha256");
  const source = readFileSync(LIBRARY, "utf8");
  const own = readFileSync(fileURLToPath(import.meta.url));
  const hash = createHash("sha256").update(source).update(own).digest("hex");
  if (readStamp(stamp) === hash && existsSync(TARGET)) return;
  mkdirSync(join(ROOT, "workers", "generated"), { recursive: true });
  const { transform, stop } = await import("esbuild");
  const { code } = await transform(withoutUnused(source), {
    format: "esm",
    minify: true,
    target: "es2022",
    treeShaking: true,
    legalComments: "none",
    banner:
      "/** pdf.js, Apache-2.0, https://github.com/mozilla/pdf.js; built from pdfjs-dist by scripts/build-pdf.mjs */",
  });
  await stop();
  writeFileSync(TARGET, code);
  writeFileSync(stamp, hash);
}

/** The library's source without the parts that text does not need; it marks each part with its file's name. */
function withoutUnused(/** @type {string} */ source) {
  const [head = "", ...pieces] = source.split(/^;\/\/ (\.\/\S+)$/mu);
  let kept = head;
  const met = new Set();
  for (let index = 0; index + 1 < pieces.length; index += 2) {
    const left = LEFT_OUT.find(({ part }) => part.test(pieces[index] ?? ""));
    if (left === undefined) kept += pieces[index + 1];
    else met.add(left);
  }
  if (met.size < LEFT_OUT.length || !kept.includes("export { WorkerMessageHandler };")) {
    fail("The PDF library has changed its parts; look at scripts/build-pdf.mjs.");
  }
  const whole = kept.replace("export { WorkerMessageHandler };", "export { MessageHandler, WorkerMessageHandler };");
  return [...LEFT_OUT.map(({ stub }) => stub), whole].join("\n");
}
