/**
 * `POST /v1/memory/import`: NDJSON rows into a process, in batches, while the body arrives.
 *
 * The idempotency key is the import's key: sent again after a broken connection, rows that were imported are not imported
 * twice. With `accept: text/event-stream` the reply is events: progress after each batch, then the report, then `[DONE]`.
 */
import { createRoute } from "@hono/zod-openapi";
import type { Caller, ImportRow } from "#shared/abi.ts";
import { failure, type Failure } from "#shared/errors.ts";
import type { PageHandle } from "#shared/ids.ts";
import {
  IMPORT_BATCH_BYTES,
  IMPORT_BATCH_ROWS,
  IMPORT_BYTES,
  IMPORT_LINE_BYTES,
  LIST_ITEMS_MOST,
} from "#shared/limits.ts";
import { processQuery } from "#shared/schema/ids.ts";
import { importReportSchema, type ImportReply } from "#shared/schema/memory.ts";
import { encodeEvent } from "#shared/wire.ts";
import type { Edge, EdgeContext } from "#workers/edge.ts";
import { EVENT_STREAM_HEADERS, eventStream } from "#workers/event-stream.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { importLines } from "#workers/parse/import-lines.ts";
import { json, problem } from "#workers/reply.ts";
import { callerOf } from "#workers/routes/caller.ts";
import { KEY_NEEDED, responses } from "#workers/routes/documented.ts";
import { idempotencyKey } from "#workers/routes/idempotency-key.ts";
import { trap } from "#workers/trap.ts";

const importPages = createRoute({
  method: "post",
  path: "/v1/memory/import",
  summary: "Import NDJSON rows",
  description:
    "Body: application/x-ndjson, one {text, role?, speaker?, at?, source?, thread?, tags?} per line, or a file from export. A row that cannot be read is skipped and named in the report.",
  security: KEY_NEEDED,
  middleware: [requireScope("memory")],
  request: {
    query: processQuery,
    body: { required: true, content: { "application/x-ndjson": { schema: { type: "string" } } } },
  },
  responses: responses(200, "What was imported", importReportSchema),
});

export function addImportRoute(app: Edge): void {
  app.openapi(importPages, async (context): Promise<Response> => {
    const refusal = refused(context);
    if (refusal !== null) return problem(context, refusal);
    const key = idempotencyKey(context);
    if (!key.ok) return problem(context, key.error);
    const caller = await callerOf(context, context.req.valid("query").process);
    if (!caller.ok) return problem(context, caller.error);
    const steps = importSteps(context, caller.value, key.value);
    if (wantsEvents(context)) return context.body(progressStream(steps), 200, EVENT_STREAM_HEADERS);
    for await (const step of steps) {
      if (step.kind === "failed") return problem(context, step.error);
      if (step.kind === "report") return json(context, importReportSchema, step.report);
    }
    return problem(context, failure("internal", "The import ended without a report."));
  });
}

/** The registered-by-use name first, then others that tools send for the same thing. */
const MEDIA_TYPES: readonly string[] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

function refused(context: EdgeContext): Failure | null {
  const type = (context.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (!MEDIA_TYPES.includes(type ?? ""))
    return failure("invalid_request", "The content-type must be application/x-ndjson.");
  return Number(context.req.header("content-length") ?? 0) > IMPORT_BYTES ? tooLarge(0) : null;
}

function tooLarge(imported: number): Failure {
  return failure(
    "payload_too_large",
    `An import may have ${IMPORT_BYTES} bytes at most; ${imported} rows were imported.`,
  );
}

function wantsEvents(context: EdgeContext): boolean {
  return (context.req.header("accept") ?? "").includes("text/event-stream");
}

type Step =
  | { readonly kind: "progress"; readonly imported: number; readonly skipped: number; readonly line: number }
  | { readonly kind: "report"; readonly report: ImportReply }
  | { readonly kind: "failed"; readonly error: Failure };

/** What was imported so far. */
class Tally {
  imported = 0;
  skippedRows = 0;
  line = 0;
  readonly handles: PageHandle[] = [];
  readonly #skipped: { line: number; reason: string }[] = [];

  skip(line: number, reason: string): void {
    this.line = Math.max(this.line, line);
    this.skippedRows += 1;
    this.#skipped.push({ line, reason });
    // A file of nothing but bad lines must not fill the Worker's memory.
    if (this.#skipped.length > 2 * LIST_ITEMS_MOST) this.#trim();
  }

  #trim(): void {
    this.#skipped.sort((left, right) => left.line - right.line);
    this.#skipped.length = Math.min(this.#skipped.length, LIST_ITEMS_MOST);
  }

  report(): ImportReply {
    this.#trim();
    const { imported, skippedRows, handles } = this;
    return { imported, pages: handles.length, skipped: this.#skipped, skippedRows, handles };
  }
}

async function* importSteps(context: EdgeContext, caller: Caller, key: string): AsyncGenerator<Step, void> {
  const tally = new Tally();
  let batch: ImportRow[] = [];
  let bytes = 0;
  const send = async (): Promise<Failure | null> => {
    if (batch.length === 0) return null;
    const rows = batch;
    batch = [];
    bytes = 0;
    const sent = await trap(context.env, caller, (process) => process.importRows(caller, key, rows));
    if (!sent.ok) return sent.error;
    tally.imported += sent.value.imported;
    tally.line = rows.at(-1)?.line ?? tally.line;
    tally.handles.push(...sent.value.handles);
    for (const { line, reason } of sent.value.skipped) tally.skip(line, reason);
    return null;
  };
  const progress = (): Step => ({
    kind: "progress",
    imported: tally.imported,
    skipped: tally.skippedRows,
    line: tally.line,
  });
  const { body } = context.req.raw;
  if (body !== null) {
    for await (const line of importLines(body, { total: IMPORT_BYTES, line: IMPORT_LINE_BYTES })) {
      if (line.kind === "tooLarge") return yield { kind: "failed", error: tooLarge(tally.imported) };
      if (line.kind === "skipped") {
        tally.skip(line.line, line.reason);
        continue;
      }
      if (batch.length >= IMPORT_BATCH_ROWS || (batch.length > 0 && bytes + line.bytes > IMPORT_BATCH_BYTES)) {
        const error = await send();
        if (error !== null) return yield { kind: "failed", error };
        yield progress();
      }
      batch.push({ line: line.line, row: line.row });
      bytes += line.bytes;
    }
  }
  const error = await send();
  if (error !== null) return yield { kind: "failed", error };
  yield { kind: "report", report: tally.report() };
}

function progressStream(steps: AsyncGenerator<Step, void>): ReadableStream<Uint8Array> {
  let ended = false;
  return eventStream({
    async next() {
      if (ended) return null;
      const { done, value } = await steps.next();
      if (done !== true && value.kind === "progress") {
        const { imported, skipped, line } = value;
        return event({ type: "data-import-progress", data: { imported, skipped, line } });
      }
      ended = true;
      if (done === true) return DONE;
      if (value.kind === "report") return event({ type: "data-import", data: value.report }) + DONE;
      const { code, detail } = value.kind === "failed" ? value.error : failure("internal", "The import failed.");
      return event({ type: "error", errorText: detail, code }) + DONE;
    },
    broken: () => event({ type: "error", errorText: "The import was interrupted; send it again with the same key." }),
    cancel: async () => {
      await steps.return();
    },
  });
}

const DONE = encodeEvent("[DONE]");

function event(part: Readonly<Record<string, unknown>>): string {
  return encodeEvent(JSON.stringify(part));
}
