/**
 * PDF document: opens a PDF and gives its pages as lines of text with their sizes.
 *
 * `openPdf(bytes)` answers the document, or why it cannot be read: encrypted, broken, or no PDF. `page(number)` reads one page;
 * nothing is drawn and no font or picture is decoded. Call `close` when done. What the library throws stays in here.
 */
import { z } from "zod";
import { failure, type Failure } from "#shared/errors.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { loadPdfLibrary, type MessageHandler, type MessagePortLike } from "#workers/pdf-library.ts";
import type { PdfItem } from "#workers/parse/document/pdf-lines.ts";

const VERSION = "6.5.438";
const DOCUMENT = "document";

const pdfInfo = z.object({ pdfInfo: z.object({ numPages: z.int().min(0) }) });
const metadata = z.tuple([z.object({ Title: z.string().nullish() }).nullish()]).rest(z.unknown());
const textChunk = z.object({
  items: z.array(
    z.object({
      str: z.string(),
      transform: z.array(z.number()).min(6),
      width: z.number(),
      height: z.number(),
      hasEOL: z.boolean(),
    }),
  ),
});
const named = z.object({ name: z.string() });

export interface PdfDocument {
  readonly pages: number;
  readonly title: string | null;
  /** The text of a page, the first being 1, in the order of the file. */
  page(number: number): Promise<Result<PdfItem[]>>;
  close(): Promise<void>;
}

/** Both halves of the library in one place: a message is handed over in a later turn, as between two threads. */
class Loopback implements MessagePortLike {
  readonly #listeners = new Set<(event: { readonly data: unknown }) => void>();

  postMessage(message: unknown): void {
    const data = withOwnChunk(message);
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener({ data });
    });
  }

  addEventListener(_type: "message", listener: (event: { readonly data: unknown }) => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: "message", listener: (event: { readonly data: unknown }) => void): void {
    this.#listeners.delete(listener);
  }

  clear(): void {
    this.#listeners.clear();
  }
}

/** The sender of a chunk goes on to fill the same object; everything else is left alone by its sender. */
function withOwnChunk(message: unknown): unknown {
  if (typeof message !== "object" || message === null || !("chunk" in message)) return message;
  return { ...message, chunk: structuredClone(message.chunk) };
}

export async function openPdf(bytes: Uint8Array): Promise<Result<PdfDocument>> {
  const library = await loadPdfLibrary();
  const port = new Loopback();
  const worker = new library.MessageHandler("worker", "main", port);
  library.WorkerMessageHandler.setup(worker, port);
  const main = new library.MessageHandler("main", "worker", port);
  main.send("configure", { verbosity: 0 });
  try {
    const name = await main.sendWithPromise("GetDocRequest", request(bytes));
    const handler = new library.MessageHandler(DOCUMENT, z.string().parse(name), port);
    const pages = await started(handler);
    const [info] = metadata.parse(await handler.sendWithPromise("GetMetadata", null));
    const close = async (): Promise<void> => {
      await handler.sendWithPromise("Terminate", null).catch(() => undefined);
      port.clear();
    };
    const title = info?.Title?.trim() || null;
    return success({ pages, title, page: (number) => readPage(handler, number), close });
  } catch (error) {
    port.clear();
    return failed(unreadable(error));
  }
}

function request(data: Uint8Array): Record<string, unknown> {
  return {
    docId: DOCUMENT,
    apiVersion: VERSION,
    data,
    password: null,
    disableAutoFetch: true,
    rangeChunkSize: 65_536,
    length: data.byteLength,
    docBaseUrl: null,
    enableXfa: false,
    evaluatorOptions: {
      maxImageSize: 0,
      disableFontFace: true,
      ignoreErrors: true,
      isOffscreenCanvasSupported: false,
      isImageDecoderSupported: false,
      canvasMaxAreaInBytes: 0,
      fontExtraProperties: false,
      useSystemFonts: true,
      useWasm: false,
      useWorkerFetch: false,
      cMapUrl: null,
      iccUrl: null,
      standardFontDataUrl: null,
      wasmUrl: null,
    },
  };
}

/** Begins to read; answers the number of pages. */
function started(handler: MessageHandler): Promise<number> {
  return new Promise((resolve, reject) => {
    const nothing = (): null => null;
    // What a page that is drawn would need.
    for (const action of ["commonobj", "obj", "DataLoaded", "DocProgress", "StartRenderPage"]) {
      handler.on(action, nothing);
    }
    handler.on("FetchBinaryData", () => Promise.reject(new Error("no such data here")));
    handler.on("PasswordRequest", (reason) => {
      reject(reason instanceof Error ? reason : new Error("locked"));
      return Promise.reject(new Error("no password"));
    });
    handler.on("DocException", (reason) => reject(reason instanceof Error ? reason : new Error("unreadable")));
    handler.on("GetDoc", (data) => {
      const read = pdfInfo.safeParse(data);
      if (read.success) resolve(read.data.pdfInfo.numPages);
      else reject(new Error("no page count"));
    });
    handler.send("Ready", null);
  });
}

async function readPage(handler: MessageHandler, number: number): Promise<Result<PdfItem[]>> {
  const items: PdfItem[] = [];
  try {
    const pageIndex = number - 1;
    const stream = handler.sendWithStream("GetTextContent", {
      pageId: pageIndex,
      pageIndex,
      includeMarkedContent: false,
      disableNormalization: false,
    });
    for await (const chunk of stream) {
      for (const { str, transform, width, height, hasEOL } of textChunk.parse(chunk).items) {
        items.push({ text: str, x: transform[4] ?? 0, y: transform[5] ?? 0, width, size: height, ends: hasEOL });
      }
    }
    await handler.sendWithPromise("Cleanup", null);
    return success(items);
  } catch (error) {
    return failed(unreadable(error));
  }
}

function unreadable(error: unknown): Failure {
  const { name } = named.safeParse(error).data ?? { name: "" };
  if (name === "PasswordException") {
    return failure("invalid_request", "The PDF is encrypted; remove its password first.");
  }
  return failure("invalid_request", "The PDF is damaged or no PDF at all; it cannot be read.");
}
