/**
 * `POST /v1/chat/completions` and `GET /v1/models`: the OpenAI-compatible face.
 *
 * With a thread (`x-lamina-thread`, or `metadata.thread`) the messages are that conversation: those it does not know yet are
 * appended. Without one the messages are the whole conversation, and the run ends when the client leaves.
 */
import { createRoute } from "@hono/zod-openapi";
import type { Caller, ExecuteRequest } from "#shared/abi.ts";
import { failure } from "#shared/errors.ts";
import { INIT_PROCESS, parseThreadId, type ThreadId } from "#shared/ids.ts";
import { INSTRUCTION_BYTES } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { chatBodySchema, chatCompletionSchema, modelListSchema, type ChatBody } from "#shared/schema/chat.ts";
import { canonicalJson } from "#shared/schema/json-value.ts";
import { utf8Bytes } from "#shared/tokens.ts";
import { sha256 } from "#shared/sha256.ts";
import type { Edge, EdgeContext } from "#workers/edge.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { listedModels, resolveModel } from "#workers/models.ts";
import { parseInstruction } from "#workers/parse/instruction.ts";
import { json, problem } from "#workers/reply.ts";
import { callerOf } from "#workers/routes/caller.ts";
import { answerChat } from "#workers/routes/chat-reply.ts";
import { jsonBody, KEY_NEEDED, responses } from "#workers/routes/documented.ts";
import { idempotencyKey } from "#workers/routes/idempotency-key.ts";
import { tooLong } from "#workers/routes/instructions.ts";
import { trap } from "#workers/trap.ts";

const shared = { security: KEY_NEEDED, middleware: [requireScope("run")] };

const postChat = createRoute({
  method: "post",
  path: "/v1/chat/completions",
  summary: "OpenAI-compatible chat",
  description: "Unknown fields are ignored. The header x-lamina-thread makes the conversation stateful.",
  ...shared,
  request: { body: jsonBody(chatBodySchema) },
  responses: responses(200, "A chat.completion, or a stream of chat.completion.chunk", chatCompletionSchema),
});

const getModels = createRoute({
  method: "get",
  path: "/v1/models",
  summary: "OpenAI-compatible list of models",
  description: "lamina is the server's default. The field lamina says what is known of a model; null is not known.",
  ...shared,
  responses: responses(200, "Models", modelListSchema),
});

export function addChatRoutes(app: Edge): void {
  app.openapi(getModels, async (context): Promise<Response> => {
    return json(context, modelListSchema, { object: "list", data: await listedModels(context) });
  });
  app.openapi(postChat, async (context): Promise<Response> => {
    const body = context.req.valid("json");
    const caller = await callerOf(context, INIT_PROCESS);
    if (!caller.ok) return problem(context, caller.error);
    const request = await chatRequest(context, caller.value, body);
    if (!request.ok) return problem(context, request.error);
    const started = await trap(context.env, caller.value, (process) => process.executeAndStream(request.value));
    if (!started.ok) return problem(context, started.error);
    // Admitted: the `openai` client must not send it again by itself, whatever comes now.
    context.header("x-should-retry", "false");
    return answerChat(context, {
      caller: caller.value,
      run: started.value.started.run,
      events: started.value.events,
      model: body.model,
      stream: body.stream === true,
      includeUsage: body.stream_options?.include_usage === true,
      // With a key of the client's own, somebody else may have attached to the run.
      stateless: request.value.conversation?.mode === "replace" && context.req.header("idempotency-key") === undefined,
    });
  });
}

type Turn = NonNullable<ExecuteRequest["conversation"]>["messages"][number];

async function chatRequest(context: EdgeContext, caller: Caller, body: ChatBody): Promise<Result<ExecuteRequest>> {
  const key = idempotencyKey(context);
  if (!key.ok) return key;
  const thread = threadOf(context, body);
  if (thread === undefined) return failed(failure("invalid_request", "The thread is not a thread id."));
  const model = await resolveModel(context, body.model);
  if (model === undefined) return failed(failure("not_found", "There is no such model; GET /v1/models lists them."));
  const last = lastUserMessage(body);
  if (!last.ok) return last;
  const shape = replyShape(body);
  if (!shape.ok) return shape;
  const reply = shape.value;
  const messages = earlierMessages(body);
  const mode = thread === null ? "replace" : "append";
  return success({
    caller,
    instruction: parseInstruction(last.value),
    // A stateless run is in no conversation; a name of its own keeps it out of every queue.
    thread: thread ?? `chat.${crypto.randomUUID()}`,
    ...(model === null ? {} : { model }),
    ...(reply === undefined ? {} : { reply }),
    idempotencyKey: key.value,
    bodyHash: await sha256(canonicalJson({ route: "chat", thread, model, last: last.value, messages, reply })),
    conversation: { mode, messages },
  });
}

/** The thread a client named: null for none, undefined for one that is malformed. */
function threadOf(context: EdgeContext, body: ChatBody): ThreadId | null | undefined {
  const named = context.req.header("x-lamina-thread") ?? body.metadata?.thread;
  return named === undefined ? null : (parseThreadId(named) ?? undefined);
}

function lastUserMessage(body: ChatBody): Result<string> {
  const last = body.messages.at(-1);
  if (last?.role !== "user")
    return failed(failure("invalid_request", "messages: the last one must have the role user."));
  if (last.content.trim() === "") return failed(failure("invalid_request", "messages: the last one is empty."));
  if (utf8Bytes(last.content) > INSTRUCTION_BYTES) return failed(tooLong());
  return success(last.content);
}

/** Everything before the instruction. Tool messages belong to the client's own tools, of which we know nothing. */
function earlierMessages(body: ChatBody): Turn[] {
  const turns: Turn[] = [];
  for (const { role, content } of body.messages.slice(0, -1)) {
    if (content === "" || role === "tool" || role === "function") continue;
    turns.push({ role: role === "developer" ? "system" : role, content });
  }
  return turns;
}

/** The JSON schema that `response_format` asks for, or undefined for text. */
function replyShape(body: ChatBody): Result<Record<string, unknown> | undefined> {
  const format = body.response_format;
  switch (format?.type) {
    case undefined:
    case "text":
      return success(undefined);
    case "json_object":
      return success({ type: "object" });
    case "json_schema":
      return success(format.json_schema.schema);
  }
}
