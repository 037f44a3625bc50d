/**
 * Document import: the body of one request as pages of a document, batch by batch, while it arrives.
 *
 * `importText(…)` yields progress after each batch, then the document or a failure. Bytes that the document has already are
 * skipped, so a request may be sent again after a broken connection. What must hold: the next bytes are read only when the object
 * has taken the batch before, so memory is bounded by the batch, whatever the document's size.
 */
import { failure, type Failure } from "#shared/errors.ts";
import {
  DOCUMENT_BATCH_BYTES,
  DOCUMENT_BATCH_PAGES,
  DOCUMENT_BYTES,
  DOCUMENT_CHUNK_BYTES,
  DOCUMENT_PART_BYTES,
} from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { DocumentBatch, DocumentProgress, DocumentView } from "#shared/schema/documents.ts";
import { Checksum } from "#workers/checksum.ts";
import { DocumentReader } from "#workers/parse/document/document-reader.ts";
import type { TextType } from "#workers/parse/document/document-type.ts";
import { slicePage, type SlicePage } from "#workers/parse/document/slice-page.ts";
import type { Slice } from "#workers/parse/document/slicer.ts";

export type DocumentStep =
  | { readonly kind: "progress"; readonly view: DocumentView }
  | { readonly kind: "done"; readonly view: DocumentView }
  | { readonly kind: "failed"; readonly error: Failure };

/** Hands a batch to the object. */
export type SendBatch = (batch: DocumentBatch) => Promise<Result<DocumentView>>;

export interface DocumentRequest {
  readonly progress: DocumentProgress;
  readonly type: TextType;
  readonly body: ReadableStream<Uint8Array>;
  /** Bytes of the document before this body. */
  readonly offset: number;
  /** Bytes that the body was said to have, or null: fewer mean that the connection broke. */
  readonly length: number | null;
  readonly send: SendBatch;
}

export async function* importText(request: DocumentRequest): AsyncGenerator<DocumentStep, void> {
  if (request.offset > request.progress.position) {
    return yield refused(`The document has ${request.progress.position} bytes so far; send it from there.`);
  }
  const taking = new TextTaking(request);
  try {
    for await (const chunk of request.body) {
      for (let start = 0; start < chunk.byteLength; start += DOCUMENT_CHUNK_BYTES) {
        const error = taking.take(chunk.subarray(start, start + DOCUMENT_CHUNK_BYTES));
        if (error !== null) return yield { kind: "failed", error };
        if (!taking.batchIsFull) continue;
        const sent = await taking.send(false);
        if (!sent.ok) return yield { kind: "failed", error: sent.error };
        yield { kind: "progress", view: sent.value };
      }
    }
  } catch {
    return yield BROKEN;
  }
  if (request.length !== null && taking.received < request.length) return yield BROKEN;
  const ended = await taking.finish();
  yield ended.ok ? { kind: "done", view: ended.value } : { kind: "failed", error: ended.error };
}

function refused(detail: string): DocumentStep {
  return { kind: "failed", error: failure("conflict", detail) };
}

const BROKEN = refused("The connection broke; send the document again, or its rest.");

/** Reads `carry`: the reader's state, and the title that was given when the document was opened. */
function readCarry({ carry, view }: DocumentProgress): {
  readonly title: string | null;
  readonly reader: string | null;
} {
  return carry === null
    ? { title: view.title, reader: null }
    : (JSON.parse(carry) as { title: string | null; reader: string });
}

class TextTaking {
  readonly #request: DocumentRequest;
  readonly #reader: DocumentReader;
  readonly #title: string | null;
  /** Over the bytes that were sent before and come again. */
  readonly #again = new Checksum();
  /** Over all bytes of this request. */
  #check: Checksum;
  #checkFrom: number;
  #at: number;
  /** Bytes taken: read, whether stored or not. */
  #taken: number;
  #stored: number;
  #pages: SlicePage[] = [];

  constructor(request: DocumentRequest) {
    const { progress, type, offset } = request;
    const { title, reader } = readCarry(progress);
    this.#request = request;
    this.#title = title;
    this.#reader = new DocumentReader(type, reader);
    this.#at = offset;
    this.#taken = progress.position;
    this.#stored = progress.position;
    const fresh = offset === progress.position;
    this.#checkFrom = fresh ? offset : progress.check.from;
    this.#check = new Checksum(fresh ? 0 : progress.check.sum);
  }

  /** Takes at most `DOCUMENT_CHUNK_BYTES`. Answers why not, or null. */
  take(bytes: Uint8Array): Failure | null {
    const { progress, offset } = this.#request;
    const again = bytes.subarray(0, Math.max(0, Math.min(bytes.byteLength, progress.position - this.#at)));
    this.#at += bytes.byteLength;
    if (this.#at - offset > DOCUMENT_PART_BYTES) {
      return failure(
        "payload_too_large",
        `A request may have ${DOCUMENT_PART_BYTES} bytes of a document; give its \`size\` and send the rest to /v1/memory/documents/${progress.view.document}?offset=${this.#stored}.`,
      );
    }
    this.#again.add(again);
    const known = this.#at - bytes.byteLength + again.byteLength === progress.position && again.byteLength > 0;
    if (known && offset === progress.check.from && this.#again.sum !== progress.check.sum) {
      return failure("conflict", "These bytes are not those that were sent before.");
    }
    const fresh = bytes.subarray(again.byteLength);
    return fresh.byteLength === 0 ? null : this.#takeFresh(fresh);
  }

  #takeFresh(bytes: Uint8Array): Failure | null {
    const { view } = this.#request.progress;
    if (view.state === "done") return failure("conflict", "The document is complete; it has no more bytes.");
    const most = view.size ?? DOCUMENT_BYTES;
    if (this.#at > most) return failure("payload_too_large", `The document may have ${most} bytes.`);
    this.#check.add(bytes);
    const read = this.#reader.push(bytes);
    if (!read.ok) return read.error;
    this.#taken += bytes.byteLength;
    this.#add(read.value);
    return null;
  }

  #add(slices: readonly Slice[]): void {
    const label = { name: this.#request.progress.view.name, title: this.#title ?? this.#reader.lead };
    for (const slice of slices) {
      const page = slicePage(slice, label);
      if (page !== null) this.#pages.push(page);
    }
  }

  /** Bytes of the body so far. */
  get received(): number {
    return this.#at - this.#request.offset;
  }

  get batchIsFull(): boolean {
    return this.#pages.length >= DOCUMENT_BATCH_PAGES || this.#taken - this.#stored >= DOCUMENT_BATCH_BYTES;
  }

  /** Stores what was read since the last batch. */
  async send(done: boolean): Promise<Result<DocumentView>> {
    const batch: DocumentBatch = {
      batch: crypto.randomUUID(),
      from: this.#stored,
      to: this.#taken,
      bytes: this.#taken,
      pages: this.#pages,
      carry: done ? null : JSON.stringify({ title: this.#title, reader: this.#reader.save() }),
      check: { from: this.#checkFrom, sum: this.#check.sum },
      headings: this.#reader.headings,
      title: this.#reader.title,
      done,
    };
    this.#pages = [];
    this.#stored = this.#taken;
    return this.#request.send(batch);
  }

  /** The body has ended: and with it the document, unless more was announced. */
  async finish(): Promise<Result<DocumentView>> {
    const { view } = this.#request.progress;
    if (view.state === "done") return success(view);
    const done = view.size === null || this.#taken === view.size;
    if (!done) return this.#taken > this.#stored ? this.send(false) : success(view);
    const last = this.#reader.end();
    if (!last.ok) return failed(last.error);
    this.#add(last.value);
    return this.send(true);
  }
}
