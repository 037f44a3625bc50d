/**
 * PDF library: pdf.js, loaded at the first PDF.
 *
 * It is a module of its own beside the Worker's entry (`scripts/build-pdf.mjs` makes it, `wrangler.toml` attaches it). Its name is
 * put together here so that the bundler does not pull it into the entry; it must not be a template, which the bundler takes for
 * every file that fits.
 */
export interface MessagePortLike {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  removeEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

/** pdf.js's own talk between its two halves, as far as it is used here. */
export interface MessageHandler {
  on(action: string, handler: (data: unknown) => unknown): void;
  send(action: string, data: unknown): void;
  sendWithPromise(action: string, data: unknown): Promise<unknown>;
  sendWithStream(action: string, data: unknown): ReadableStream<unknown>;
  destroy(): void;
}

export interface PdfLibrary {
  readonly MessageHandler: new (source: string, target: string, port: MessagePortLike) => MessageHandler;
  readonly WorkerMessageHandler: { setup(handler: MessageHandler, port: MessagePortLike): void };
}

const FILE = [".", "generated", "pdf.mjs"].join("/");

export async function loadPdfLibrary(): Promise<PdfLibrary> {
  const library: unknown = await import(/* @vite-ignore */ FILE);
  if (!isLibrary(library)) throw new TypeError("the PDF library has another shape");
  return library;
}

function isLibrary(value: unknown): value is PdfLibrary {
  return typeof value === "object" && value !== null && "MessageHandler" in value && "WorkerMessageHandler" in value;
}
