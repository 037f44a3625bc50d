/**
 * `/v1/memory/documents…`: import a document into pages, in one request or several; list, look at and delete documents.
 *
 * With `accept: text/event-stream` an import replies with events: progress after each batch, the document, then `[DONE]`. The
 * idempotency key is the document's: sent again after a broken connection, what was taken is not taken twice.
 */
import { createRoute } from "@hono/zod-openapi";
import type { Caller } from "#shared/abi.ts";
import { failure, type Failure } from "#shared/errors.ts";
import { parseDocumentId } from "#shared/ids.ts";
import { DOCUMENT_PART_BYTES } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import {
  documentForgottenSchema,
  documentPartQuery,
  documentQuery,
  documentSchema,
  type DocumentProgress,
  type NewDocument,
} from "#shared/schema/documents.ts";
import { documentPath, processQuery } from "#shared/schema/ids.ts";
import { listOf, listQuery } from "#shared/schema/list.ts";
import { encodeEvent } from "#shared/wire.ts";
import type { DocumentStep, SendBatch } from "#workers/document-import.ts";
import type { Edge, EdgeContext } from "#workers/edge.ts";
import { EVENT_STREAM_HEADERS, eventStream } from "#workers/event-stream.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { documentType, TEXT_TYPES, type DocumentType, type TextType } from "#workers/parse/document/document-type.ts";
import { json, problem } from "#workers/reply.ts";
import { callerOf } from "#workers/routes/caller.ts";
import { KEY_NEEDED, responses } from "#workers/routes/documented.ts";
import { idempotencyKey } from "#workers/routes/idempotency-key.ts";
import { intoProcess } from "#workers/routes/into-process.ts";
import { trap } from "#workers/trap.ts";

const shared = { security: KEY_NEEDED, middleware: [requireScope("memory")] };

const text = { schema: { type: "string" as const } };
const file = { schema: { type: "string" as const, format: "binary" } };
const content = { "text/markdown": text, "text/plain": text, "text/html": text, "application/pdf": file };

const addDocument = createRoute({
  method: "post",
  path: "/v1/memory/documents",
  summary: "Import a document",
  description:
    "Body: the document itself; text in UTF-8, or a PDF that holds text. It becomes pages of a few hundred tokens, each under the headings it stands under. With `size`, the rest of a text may come in further requests.",
  ...shared,
  request: { query: documentQuery, body: { required: true, content } },
  responses: responses(201, "The document", documentSchema),
});

const addPart = createRoute({
  method: "put",
  path: "/v1/memory/documents/{document}",
  summary: "Send the rest of a document, or a part of it",
  description: "Body: the bytes from `offset` on. Bytes that were taken before are skipped.",
  ...shared,
  request: { params: documentPath, query: documentPartQuery, body: { required: true, content } },
  responses: responses(200, "The document", documentSchema),
});

const listDocuments = createRoute({
  method: "get",
  path: "/v1/memory/documents",
  summary: "List documents, oldest first",
  ...shared,
  request: { query: listQuery.extend(processQuery.shape) },
  responses: responses(200, "Documents", listOf(documentSchema)),
});

const readDocument = createRoute({
  method: "get",
  path: "/v1/memory/documents/{document}",
  summary: "How far a document was taken",
  ...shared,
  request: { params: documentPath, query: processQuery },
  responses: responses(200, "The document", documentSchema),
});

const forgetDocument = createRoute({
  method: "delete",
  path: "/v1/memory/documents/{document}",
  summary: "Delete a document with all its pages, for good",
  ...shared,
  request: { params: documentPath, query: processQuery },
  responses: responses(200, "What is gone", documentForgottenSchema),
});

export function addDocumentRoutes(app: Edge): void {
  app.openapi(addDocument, async (context): Promise<Response> => {
    const query = context.req.valid("query");
    const caller = await callerOf(context, query.process);
    if (!caller.ok) return problem(context, caller.error);
    const type = acceptedType(context);
    if (!type.ok) return problem(context, type.error);
    const key = idempotencyKey(context);
    if (!key.ok) return problem(context, key.error);
    const { name = "document", title = null, size = null, at = null, tags = [] } = query;
    const described: NewDocument = { name, title, mediaType: type.value, size, at, tags };
    const opened = await trap(context.env, caller.value, (process) =>
      process.openDocument(caller.value, key.value, described),
    );
    if (!opened.ok) return problem(context, opened.error);
    return replyWith(context, steps(context, caller.value, opened.value, 0), 201);
  });
  app.openapi(addPart, async (context): Promise<Response> => {
    const { document } = context.req.valid("param");
    const { process: name, offset } = context.req.valid("query");
    const caller = await callerOf(context, name);
    if (!caller.ok) return problem(context, caller.error);
    const known = await trap(context.env, caller.value, (process) => process.documentProgress(caller.value, document));
    if (!known.ok) return problem(context, known.error);
    const type = acceptedType(context);
    if (!type.ok) return problem(context, type.error);
    if (type.value !== known.value.view.mediaType) {
      return problem(context, failure("conflict", `The document is ${known.value.view.mediaType}.`));
    }
    return replyWith(context, steps(context, caller.value, known.value, offset), 200);
  });
  addDocumentInspection(app);
}

function addDocumentInspection(app: Edge): void {
  app.openapi(listDocuments, (context): Promise<Response> => {
    const { process, limit, cursor } = context.req.valid("query");
    return intoProcess(context, process, listOf(documentSchema), (api, caller) => api.documents(caller, limit, cursor));
  });
  app.openapi(readDocument, (context): Promise<Response> => {
    const { document } = context.req.valid("param");
    const { process } = context.req.valid("query");
    return intoProcess(context, process, documentSchema, (api, caller) => api.readDocument(caller, document));
  });
  app.openapi(forgetDocument, (context): Promise<Response> => {
    const { document } = context.req.valid("param");
    const { process } = context.req.valid("query");
    return intoProcess(context, process, documentForgottenSchema, (api, caller) =>
      api.forgetDocument(caller, document),
    );
  });
}

function acceptedType(context: EdgeContext): Result<DocumentType> {
  const most = DOCUMENT_PART_BYTES;
  if (Number(context.req.header("content-length") ?? 0) > most) {
    return failed(failure("payload_too_large", `A request may have ${most} bytes of a document; send it in parts.`));
  }
  const type = documentType(context.req.header("content-type") ?? "");
  return type.ok ? success(type.value) : type;
}

/** A document of which nothing could be taken is not kept. */
async function* withoutRemains(
  imported: AsyncGenerator<DocumentStep, void>,
  forget: () => Promise<unknown>,
): AsyncGenerator<DocumentStep, void> {
  let kept = false;
  for await (const step of imported) {
    if (step.kind === "progress") kept = true;
    if (step.kind === "failed" && !kept) await forget();
    yield step;
  }
}

/** The readers are modules of their own, loaded at the first document. */
async function* steps(
  context: EdgeContext,
  caller: Caller,
  progress: DocumentProgress,
  offset: number,
): AsyncGenerator<DocumentStep, void> {
  const id = parseDocumentId(progress.view.document);
  const send: SendBatch = async (batch) =>
    id === null
      ? failed(failure("internal", "The document has no id."))
      : trap(context.env, caller, (process) => process.appendDocument(caller, id, batch));
  const body = context.req.raw.body ?? emptyBody();
  const said = context.req.header("content-length");
  const length = said === undefined ? null : Number(said);
  const imported =
    progress.view.mediaType === "application/pdf"
      ? (await import("#workers/pdf-import.ts")).importPdf({ progress, body, send })
      : (await import("#workers/document-import.ts")).importText({
          progress,
          type: textType(progress.view.mediaType),
          body,
          offset,
          length,
          send,
        });
  if (progress.position > 0 || id === null) yield* imported;
  else {
    yield* withoutRemains(imported, () => trap(context.env, caller, (process) => process.forgetDocument(caller, id)));
  }
}

/** A stored document has a type that was accepted when it was opened. */
function textType(mediaType: string): TextType {
  return TEXT_TYPES.find((type) => type === mediaType) ?? "text/plain";
}

function emptyBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

async function replyWith(
  context: EdgeContext,
  imported: AsyncGenerator<DocumentStep, void>,
  status: 200 | 201,
): Promise<Response> {
  if ((context.req.header("accept") ?? "").includes("text/event-stream")) {
    return context.body(progressStream(imported), 200, EVENT_STREAM_HEADERS);
  }
  for await (const step of imported) {
    if (step.kind === "failed") return problem(context, await refusal(context, step.error));
    if (step.kind === "done") return json(context, documentSchema, step.view, status);
  }
  return problem(context, failure("internal", "The import ended without a reply."));
}

/** A client that is still sending when the connection closes never sees the reply, so the rest is read, within reason. */
async function refusal(context: EdgeContext, error: Failure): Promise<Failure> {
  const reader = context.req.raw.body?.locked === false ? context.req.raw.body.getReader() : null;
  for (let read = 0; reader !== null && read < DOCUMENT_PART_BYTES;) {
    const chunk = await reader.read().catch(() => null);
    if (chunk === null || chunk.done) break;
    read += chunk.value.byteLength;
  }
  return error;
}

function progressStream(imported: AsyncGenerator<DocumentStep, void>): ReadableStream<Uint8Array> {
  let ended = false;
  return eventStream({
    async next() {
      if (ended) return null;
      const { done, value } = await imported.next();
      if (done !== true && value.kind === "progress") return event("data-document-progress", value.view);
      ended = true;
      if (done === true) return DONE;
      if (value.kind === "done") return event("data-document", value.view) + DONE;
      const { code, detail } = value.kind === "failed" ? value.error : failure("internal", "The import failed.");
      return encodeEvent(JSON.stringify({ type: "error", errorText: detail, code })) + DONE;
    },
    broken: () =>
      encodeEvent(
        JSON.stringify({ type: "error", errorText: "The import was interrupted; send it again with the same key." }),
      ),
    cancel: async () => {
      await imported.return();
    },
  });
}

const DONE = encodeEvent("[DONE]");

function event(type: string, data: unknown): string {
  return encodeEvent(JSON.stringify({ type, data }));
}
