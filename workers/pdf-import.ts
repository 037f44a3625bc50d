/**
 * PDF import: a PDF as pages of a document, batch by batch.
 *
 * The file is held as a whole (its table of contents is at its end), so it has a limit of its own; what is read from it is not.
 * Its position is counted in printed pages: sent again after a broken connection, it is read on from there.
 */
import { z } from "zod";
import { failure, type Failure } from "#shared/errors.ts";
import { DOCUMENT_BATCH_PAGES, DOCUMENT_PDF_BYTES, DOCUMENT_PDF_PAGES } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { DocumentProgress, DocumentView } from "#shared/schema/documents.ts";
import { Checksum } from "#workers/checksum.ts";
import type { DocumentStep, SendBatch } from "#workers/document-import.ts";
import { readAtMost } from "#workers/middleware/body.ts";
import { plainTitle } from "#workers/parse/document/block.ts";
import { PdfBlocks, pdfBlocksState, type PlacedBlock } from "#workers/parse/document/pdf-blocks.ts";
import { pdfLines, pdfProfile, type PdfLine, type PdfProfile } from "#workers/parse/document/pdf-lines.ts";
import { slicePage, type SlicePage } from "#workers/parse/document/slice-page.ts";
import { Slicer, slicerState } from "#workers/parse/document/slicer.ts";
import { openPdf, type PdfDocument } from "#workers/pdf-document.ts";

/** Printed pages from which the sizes of text and headings are learned. */
const PROFILE_PAGES = 20;
/** Printed pages after which a batch is sent though it is not full. */
const PRINTED_PER_BATCH = 16;

export interface PdfRequest {
  readonly progress: DocumentProgress;
  readonly body: ReadableStream<Uint8Array>;
  readonly send: SendBatch;
}

export async function* importPdf(request: PdfRequest): AsyncGenerator<DocumentStep, void> {
  const { progress } = request;
  const bytes = await readAtMost(request.body, DOCUMENT_PDF_BYTES).catch(() => undefined);
  if (bytes === undefined)
    return yield { kind: "failed", error: failure("conflict", "The connection broke; send the PDF again.") };
  const checksum = new Checksum();
  checksum.add(bytes ?? new Uint8Array());
  const refusal = refused(bytes, checksum.sum, progress);
  if (refusal !== null || bytes === null) {
    return yield { kind: "failed", error: refusal ?? failure("internal", "The PDF was not read.") };
  }
  if (progress.view.state === "done") return yield { kind: "done", view: progress.view };
  const size = bytes.byteLength;
  const opened = await openPdf(bytes);
  if (!opened.ok) return yield { kind: "failed", error: opened.error };
  try {
    yield* takePages(request, opened.value, size, checksum.sum);
  } finally {
    await opened.value.close();
  }
}

function refused(bytes: Uint8Array | null, sum: number, { position, check, view }: DocumentProgress): Failure | null {
  const most = DOCUMENT_PDF_BYTES;
  if (bytes === null) return failure("payload_too_large", `A PDF may have ${most} bytes, in one request.`);
  if (position > 0 && check.sum !== sum) return failure("conflict", "This is not the PDF that was sent before.");
  const whole = view.size === null || view.size === bytes.byteLength;
  return whole ? null : failure("invalid_request", "A PDF comes whole, in one request.");
}

async function* takePages(
  request: PdfRequest,
  pdf: PdfDocument,
  size: number,
  sum: number,
): AsyncGenerator<DocumentStep, void> {
  if (pdf.pages > DOCUMENT_PDF_PAGES) {
    const error = failure(
      "payload_too_large",
      `A PDF may have ${DOCUMENT_PDF_PAGES} pages; this one has ${pdf.pages}.`,
    );
    return yield { kind: "failed", error };
  }
  const profile = await readProfile(pdf);
  if (!profile.ok) return yield { kind: "failed", error: profile.error };
  const taking = new PdfTaking(request, pdf, profile.value, size, sum);
  for (let page = request.progress.position + 1; page <= pdf.pages; page += 1) {
    const read = await pdf.page(page);
    if (!read.ok) return yield { kind: "failed", error: read.error };
    taking.take(pdfLines(read.value), page);
    if (!taking.batchIsFull || page === pdf.pages) continue;
    const sent = await taking.send(false);
    if (!sent.ok) return yield { kind: "failed", error: sent.error };
    yield { kind: "progress", view: sent.value };
  }
  const ended = await taking.finish();
  yield ended.ok ? { kind: "done", view: ended.value } : { kind: "failed", error: ended.error };
}

async function readProfile(pdf: PdfDocument): Promise<Result<PdfProfile>> {
  const pages: PdfLine[][] = [];
  for (let page = 1; page <= Math.min(PROFILE_PAGES, pdf.pages); page += 1) {
    const read = await pdf.page(page);
    if (!read.ok) return read;
    pages.push(pdfLines(read.value));
  }
  return success(pdfProfile(pages));
}

function titleOf(title: string | null): string | null {
  const plain = title === null ? "" : plainTitle(title);
  return plain === "" ? null : plain;
}

const carrySchema = z.strictObject({ title: z.string().nullable(), blocks: pdfBlocksState, slicer: slicerState });

class PdfTaking {
  readonly #request: PdfRequest;
  readonly #pdf: PdfDocument;
  readonly #size: number;
  readonly #sum: number;
  readonly #blocks: PdfBlocks;
  readonly #slicer: Slicer;
  readonly #title: string | null;
  #taken: number;
  #stored: number;
  #pages: SlicePage[] = [];
  #met: number;

  constructor(request: PdfRequest, pdf: PdfDocument, profile: PdfProfile, size: number, sum: number) {
    const { carry, position, view } = request.progress;
    const saved = carry === null ? null : carrySchema.parse(JSON.parse(carry));
    this.#request = request;
    this.#pdf = pdf;
    this.#size = size;
    this.#sum = sum;
    this.#title = saved === null ? view.title : saved.title;
    this.#blocks = new PdfBlocks(profile, saved?.blocks);
    this.#slicer = new Slicer(saved?.slicer);
    this.#taken = position;
    this.#stored = position;
    this.#met = view.pages;
  }

  take(lines: readonly PdfLine[], page: number): void {
    this.#add(this.#blocks.push(lines, page));
    this.#taken = page;
  }

  #add(blocks: readonly PlacedBlock[]): void {
    this.#keep(blocks.flatMap(({ block, place }) => this.#slicer.add(block, place)));
  }

  #keep(slices: readonly Parameters<typeof slicePage>[0][]): void {
    const label = { name: this.#request.progress.view.name, title: this.#title };
    for (const slice of slices) {
      const page = slicePage(slice, label);
      if (page !== null) this.#pages.push(page);
    }
  }

  get batchIsFull(): boolean {
    return this.#pages.length >= DOCUMENT_BATCH_PAGES || this.#taken - this.#stored >= PRINTED_PER_BATCH;
  }

  async send(done: boolean): Promise<Result<DocumentView>> {
    const from = this.#stored;
    const pages = this.#pages;
    const state = { title: this.#title, blocks: this.#blocks.state, slicer: this.#slicer.state };
    this.#stored = this.#taken;
    this.#met += pages.length;
    this.#pages = [];
    return this.#request.send({
      batch: crypto.randomUUID(),
      from,
      to: this.#taken,
      bytes: Math.floor((this.#size * this.#taken) / Math.max(1, this.#pdf.pages)),
      pages,
      carry: done ? null : JSON.stringify(state),
      check: { from: 0, sum: this.#sum },
      headings: this.#slicer.state.headings,
      title: titleOf(this.#pdf.title) ?? this.#slicer.state.path[0]?.title ?? null,
      done,
    });
  }

  async finish(): Promise<Result<DocumentView>> {
    this.#add(this.#blocks.end());
    this.#keep(this.#slicer.end());
    if (this.#met + this.#pages.length === 0) {
      return failed(failure("invalid_request", "The PDF holds no text; it may be a scan. Recognise its text first."));
    }
    return this.send(true);
  }
}
