/**
 * PDF documents, read by the real library inside workerd.
 */
import { expect, test } from "vitest";
import { pdfLines } from "#workers/parse/document/pdf-lines.ts";
import { openPdf } from "#workers/pdf-document.ts";
import { makePdf, printed } from "#tests/fixtures/pdf.ts";

test("pages give their lines with sizes, in any script", async () => {
  const opened = await openPdf(
    makePdf(
      [
        printed([
          ["A heading", 20],
          ["Body (in brackets) here.", 11],
        ]),
        printed([["蜜蜂喜欢三叶草。", 11]]),
      ],
      { title: "Bees" },
    ),
  );
  if (!opened.ok) throw new Error(opened.error.detail);
  const { value: document } = opened;
  expect([document.pages, document.title]).toEqual([2, "Bees"]);
  const [first, second] = [await document.page(1), await document.page(2)];
  expect(first.ok && pdfLines(first.value).map(({ text, size }) => [text, size])).toEqual([
    ["A heading", 20],
    ["Body (in brackets) here.", 11],
  ]);
  expect(second.ok && pdfLines(second.value).map(({ text }) => text)).toEqual(["蜜蜂喜欢三叶草。"]);
  await document.close();
});

test("what cannot be read says why", async () => {
  const locked = await openPdf(makePdf([printed([["x", 11]])], { encrypted: true }));
  expect(locked).toMatchObject({
    ok: false,
    error: { code: "invalid_request", detail: expect.stringContaining("encrypted") as string },
  });
  for (const bytes of [
    new Uint8Array(),
    new TextEncoder().encode("no pdf"),
    makePdf([printed([["x", 11]])]).slice(40, 200),
  ]) {
    expect(await openPdf(bytes)).toMatchObject({
      ok: false,
      error: { detail: expect.stringContaining("damaged") as string },
    });
  }
});
