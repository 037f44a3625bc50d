/**
 * `POST /v1/instructions`: runs one instruction, as a stream of events or as one reply.
 *
 * Refused before admission is a problem; once admitted, whatever happens is told by the run itself.
 */
import { createRoute } from "@hono/zod-openapi";
import type { Caller, ExecuteRequest, RunStarted } from "#shared/abi.ts";
import { TERMINAL_STATES } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import { INIT_PROCESS, MAIN_THREAD } from "#shared/ids.ts";
import { INSTRUCTION_BYTES, REPLY_WAIT_MS } from "#shared/limits.ts";
import { instructionBodySchema, type InstructionBody } from "#shared/schema/instruction.ts";
import { canonicalJson } from "#shared/schema/json-value.ts";
import { runAcceptedSchema, runSchema } from "#shared/schema/run.ts";
import { utf8Bytes } from "#shared/tokens.ts";
import { sha256 } from "#shared/sha256.ts";
import type { Edge, EdgeContext } from "#workers/edge.ts";
import { EVENT_STREAM_HEADERS, uiMessageStream } from "#workers/event-stream.ts";
import { resolveModel } from "#workers/models.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { parseInstruction } from "#workers/parse/instruction.ts";
import { json, problem } from "#workers/reply.ts";
import { callerOf } from "#workers/routes/caller.ts";
import { jsonBody, KEY_NEEDED, orResponse, responses } from "#workers/routes/documented.ts";
import { idempotencyKey } from "#workers/routes/idempotency-key.ts";
import { RunEvents } from "#workers/run-events.ts";
import { trap } from "#workers/trap.ts";

const postInstruction = createRoute({
  method: "post",
  path: "/v1/instructions",
  summary: "Run one instruction",
  description:
    "With stream: true (default) the reply is server-sent events, an AI SDK UI message stream v1. With stream: false it is the run, or 202 when it takes longer than a minute.",
  security: KEY_NEEDED,
  middleware: [requireScope("run")],
  request: { body: jsonBody(instructionBodySchema) },
  responses: orResponse(
    responses(200, "The run, once it ended (stream: false)", runSchema),
    202,
    "The run goes on; read it at /v1/runs/{id}",
    runAcceptedSchema,
  ),
});

export function addInstructionRoutes(app: Edge): void {
  app.openapi(postInstruction, async (context): Promise<Response> => {
    const body = context.req.valid("json");
    if (utf8Bytes(body.input) > INSTRUCTION_BYTES) return problem(context, tooLong());
    const key = idempotencyKey(context);
    if (!key.ok) return problem(context, key.error);
    const caller = await callerOf(context, body.process ?? INIT_PROCESS);
    if (!caller.ok) return problem(context, caller.error);
    const model = body.model === undefined ? null : await resolveModel(context, body.model);
    if (model === undefined)
      return problem(context, failure("not_found", "There is no such model; GET /v1/models lists them."));
    const request = await executeRequest(caller.value, body, model, key.value);
    return body.stream === false
      ? settledReply(context, caller.value, request)
      : startedStream(context, caller.value, request);
  });
}

export function tooLong(): ReturnType<typeof failure> {
  return failure("payload_too_large", `An instruction may have ${INSTRUCTION_BYTES} bytes of UTF-8 at most.`);
}

async function executeRequest(
  caller: Caller,
  body: InstructionBody,
  model: string | null,
  key: string,
): Promise<ExecuteRequest> {
  const { stream: _, ...compared } = body;
  const thread = body.thread ?? MAIN_THREAD;
  return {
    caller,
    instruction: parseInstruction(body.input),
    thread,
    ...(model === null ? {} : { model }),
    ...(body.fallback === undefined ? {} : { fallback: body.fallback }),
    ...(body.priority === undefined ? {} : { priority: body.priority }),
    ...(body.reply === undefined || body.reply === "text" ? {} : { reply: body.reply }),
    idempotencyKey: key,
    bodyHash: await sha256(canonicalJson({ ...compared, thread, process: caller.process })),
  };
}

async function settledReply(context: EdgeContext, caller: Caller, request: ExecuteRequest): Promise<Response> {
  const settled = await trap(context.env, caller, (process) => process.executeAndSettle(request, REPLY_WAIT_MS));
  if (!settled.ok) return problem(context, settled.error);
  const run = settled.value;
  if (TERMINAL_STATES.includes(run.status)) return json(context, runSchema, run);
  return json(context, runAcceptedSchema, { run: run.run, status: run.status }, 202);
}

async function startedStream(context: EdgeContext, caller: Caller, request: ExecuteRequest): Promise<Response> {
  const opened = await trap(context.env, caller, (process) => process.executeAndStream(request));
  if (!opened.ok) return problem(context, opened.error);
  return streamOf(context, caller, opened.value.started.run, opened.value.events, null);
}

/** A run's events after `after` as server-sent events. The run goes on when the client leaves. */
export async function streamReply(
  context: EdgeContext,
  caller: Caller,
  run: RunStarted["run"],
  after: number | null,
): Promise<Response> {
  const opened = await trap(context.env, caller, (process) => process.events(caller, run, after));
  return opened.ok ? streamOf(context, caller, run, opened.value, after) : problem(context, opened.error);
}

function streamOf(
  context: EdgeContext,
  caller: Caller,
  run: RunStarted["run"],
  events: ReadableStream<Uint8Array>,
  after: number | null,
): Response {
  const open = (from: number | null) => trap(context.env, caller, (process) => process.events(caller, run, from));
  const stream = uiMessageStream(new RunEvents(open, events, after));
  return context.body(stream, 200, { ...EVENT_STREAM_HEADERS, "x-vercel-ai-ui-message-stream": "v1" });
}
