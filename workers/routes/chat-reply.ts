/**
 * Chat reply: a run as an OpenAI `chat.completion`, whole or as chunks.
 *
 * Both read the run's events, so that a stateless run always has a reader and ends with it. Citations come as an extra
 * field `lamina: {run, citations}`, which OpenAI clients ignore.
 */
import type { Caller, RunView, StreamPart, Usage } from "#shared/abi.ts";
import { failure, type Failure } from "#shared/errors.ts";
import type { RunId } from "#shared/ids.ts";
import { REPLY_WAIT_MS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { chatCompletionSchema } from "#shared/schema/chat.ts";
import { encodeEvent } from "#shared/wire.ts";
import type { EdgeContext } from "#workers/edge.ts";
import { EVENT_STREAM_HEADERS, eventStream } from "#workers/event-stream.ts";
import { json, openAiError, problem } from "#workers/reply.ts";
import { SentText } from "#workers/routes/sent-text.ts";
import { RunEvents } from "#workers/run-events.ts";
import { trap } from "#workers/trap.ts";

export interface ChatReply {
  readonly caller: Caller;
  readonly run: RunId;
  /** The run's events from the start. */
  readonly events: ReadableStream<Uint8Array>;
  /** The name the client asked for; it comes back as it was. */
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** True when the run is no part of a thread, and nobody wants it once the client left. */
  readonly stateless: boolean;
}

export async function answerChat(context: EdgeContext, reply: ChatReply): Promise<Response> {
  const { caller, run } = reply;
  const open = (after: number | null) => trap(context.env, caller, (process) => process.events(caller, run, after));
  const events = new RunEvents(open, reply.events, null);
  if (reply.stream) return context.body(chunkStream(context, reply, events), 200, EVENT_STREAM_HEADERS);
  const left = () => context.executionCtx.waitUntil(leave(context, reply, events));
  context.req.raw.signal.addEventListener("abort", left, { once: true });
  const ended = await drain(context, reply, events);
  context.req.raw.signal.removeEventListener("abort", left);
  return ended.ok ? json(context, chatCompletionSchema, completion(reply, ended.value)) : problem(context, ended.error);
}

/** Reads a run to its end and answers it; a run that failed is a failure. */
async function drain(context: EdgeContext, reply: ChatReply, events: RunEvents): Promise<Result<RunView>> {
  for (let lines = await events.read(); lines !== null;) lines = await events.read();
  return endedRun(context, reply);
}

async function endedRun(context: EdgeContext, reply: ChatReply): Promise<Result<RunView>> {
  const { caller, run } = reply;
  const ended = await trap(context.env, caller, (process) => process.settled(caller, run, REPLY_WAIT_MS));
  if (!ended.ok) return ended;
  const error = runFailure(ended.value);
  return error === null ? success(ended.value) : failed(error);
}

function runFailure(run: RunView): Failure | null {
  if (run.error !== null) return run.error;
  if (run.status === "done") return null;
  return failure("internal", `The run ended as ${run.status}; it can be read at /v1/runs/${run.run}.`);
}

async function leave(context: EdgeContext, reply: ChatReply, events: RunEvents): Promise<void> {
  await events.cancel();
  if (!reply.stateless) return;
  await trap(context.env, reply.caller, (process) => process.cancel(reply.caller, reply.run));
}

function head(reply: ChatReply, object: "chat.completion" | "chat.completion.chunk"): Record<string, unknown> {
  return { id: `chatcmpl-${reply.run}`, object, created: Math.floor(Date.now() / 1000), model: reply.model };
}

function completion(reply: ChatReply, run: RunView): Record<string, unknown> {
  const message = { role: "assistant", content: run.output, refusal: null };
  return {
    ...head(reply, "chat.completion"),
    choices: [{ index: 0, message, logprobs: null, finish_reason: "stop" }],
    usage: openAiUsage(run.usage),
    lamina: { run: run.run, citations: run.citations },
  };
}

function openAiUsage(usage: Usage): Record<string, unknown> {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  };
}

function chunkStream(context: EdgeContext, reply: ChatReply, events: RunEvents): ReadableStream<Uint8Array> {
  const text = new SentText();
  const first = head(reply, "chat.completion.chunk");
  // With include_usage every chunk but the last has `usage: null` (OpenAI API reference, "stream_options").
  const usage = reply.includeUsage ? { usage: null } : {};
  const chunk = (delta: Record<string, unknown>, finish: string | null = null, more: Record<string, unknown> = {}) =>
    event({ ...first, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...usage, ...more });
  let state: "start" | "text" | "ended" = "start";
  return eventStream({
    async next() {
      if (state === "ended") return null;
      if (state === "start") {
        state = "text";
        return chunk({ role: "assistant", content: "" });
      }
      for (let lines = await events.read(); lines !== null; lines = await events.read()) {
        const news = lines.map(({ part }) => newText(text, part)).join("");
        if (news !== "") return chunk({ content: news });
      }
      state = "ended";
      if (events.cancelled) return null;
      const run = await endedRun(context, reply);
      if (!run.ok) return event({ error: openAiError(run.error) }) + DONE;
      const { citations } = run.value;
      const rest = text.restOf(run.value.output);
      const last = chunk({}, "stop", { lamina: { run: reply.run, citations } });
      const total = reply.includeUsage ? event({ ...first, choices: [], usage: openAiUsage(run.value.usage) }) : "";
      return (rest === "" ? "" : chunk({ content: rest })) + last + total + DONE;
    },
    broken: () => event({ error: openAiError(failure("internal", "The connection to the process was lost.")) }),
    cancel: async () => {
      context.executionCtx.waitUntil(leave(context, reply, events));
    },
  });
}

/** The text that a part adds to what the client has. */
function newText(text: SentText, part: StreamPart): string {
  if (part.type === "start-step") text.begin();
  if (part.type === "reset-step") text.restart();
  return part.type === "text-delta" && typeof part["delta"] === "string" ? text.add(part["delta"]) : "";
}

const DONE = encodeEvent("[DONE]");

function event(value: Record<string, unknown>): string {
  return encodeEvent(JSON.stringify(value));
}
