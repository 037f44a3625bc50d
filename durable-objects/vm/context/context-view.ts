/**
 * Context view: the frames of a thread's next prompt, in order, with what put each there.
 *
 * What the next run would evict is left out and its range shown as one more entry of the stub, by the same plan that the run will
 * follow. The tail's fetched pages depend on the instruction, so before one is given the tail shows what is sure of it.
 */
import type { ContextView, FrameView } from "#shared/inspection.ts";
import { MODEL_TOOLS } from "#shared/calls.ts";
import { failure } from "#shared/errors.ts";
import { composePageHandle, parseThreadId, type ThreadId } from "#shared/ids.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { threadBody, threadExists, type StoredMessage } from "#kernel/proc/messages.ts";
import { renderBody } from "#kernel/vm/context/body.ts";
import { planBody, pressureOf, type BodyPlan } from "#kernel/vm/pager/evict.ts";
import { rangesOf, type FrozenBody } from "#kernel/vm/pager/evictions.ts";
import { pinnedItems } from "#kernel/vm/pinned/pinned.ts";
import { frozenPrefix, prefixUpdates } from "#kernel/vm/context/prefix.ts";
import { PREAMBLE } from "#kernel/vm/context/preamble.ts";
import { renderTail } from "#kernel/vm/context/tail.ts";

export function viewContext(kernel: Kernel, thread: ThreadId): Result<ContextView> {
  if (parseThreadId(thread) === null || !threadExists(kernel, thread)) {
    return failed(failure("not_found", "There is no such thread."));
  }
  const prefix = frozenPrefix(kernel, thread);
  const of = { model: kernel.env.DEFAULT_MODEL, own: 0 };
  const plan = planBody(kernel, threadBody(kernel, thread, null), prefix, of);
  const frames = [
    ...prefixFrames(kernel, prefix),
    ...bodyFrames(kernel, plan, prefix),
    ...tailFrames(kernel, plan, prefix),
  ];
  const tokens = frames.reduce((sum, frame) => sum + frame.tokens, 0);
  const { low, high } = plan.step;
  const rest = frames.reduce((sum, frame) => sum + (frame.region === "body" ? 0 : frame.tokens), 0);
  return success({ thread, frames, tokens, budget: rest + high, low, high });
}

function frame(region: FrameView["region"], kind: string, text: string, why: string): FrameView {
  return { region, kind, handle: null, tokens: estimateTokens(text), pinned: region === "prefix", resident: true, why };
}

/** The frozen text is one message; its frames are what is pinned now, as long as nothing changed since it was frozen. */
function prefixFrames(kernel: Kernel, prefix: FrozenBody): FrameView[] {
  const frames = [
    frame("prefix", "preamble", PREAMBLE, "frozen"),
    frame("prefix", "tools", JSON.stringify(MODEL_TOOLS), "frozen"),
  ];
  if (prefix.pinned === "") return frames;
  if (prefixUpdates(kernel, prefix) !== null) {
    return [...frames, frame("prefix", "pinned", prefix.pinned, `frozen at version ${prefix.pinnedVersion}`)];
  }
  const [heading = "", ...lines] = prefix.pinned.split("\n");
  const all = pinnedItems(kernel);
  const items = all.filter((item) => item.shown);
  const leftOut = all.filter((item) => !item.shown);
  return [
    ...frames,
    frame("prefix", "pinned heading", heading, "frozen"),
    ...lines.map((line): FrameView => {
      const item = items.find((one) => one.line === line);
      const page = item?.page ?? null;
      return {
        ...frame(
          "prefix",
          item?.kind ?? "pinned",
          `${line}\n`,
          item?.block === null ? "pinned" : `block ${item?.block ?? ""}`,
        ),
        handle: page === null ? null : composePageHandle(page),
      };
    }),
    // No part of the prompt: it says what there was no room for.
    ...leftOut.map((item): FrameView => ({
      ...frame("prefix", item.kind, "", `${item.block === null ? "pinned" : `block ${item.block}`}, left out: no room`),
      handle: item.page === null ? null : composePageHandle(item.page),
    })),
  ];
}

function bodyFrames(kernel: Kernel, plan: BodyPlan, prefix: FrozenBody): FrameView[] {
  const gone = new Set(plan.step.evict);
  const leaving = plan.messages.filter((message) => gone.has(message.id));
  const mapped = plan.messages.filter((message) => !gone.has(message.id));
  return [...stubFrames(kernel, prefix, leaving), ...messageFrames(mapped)];
}

/** The stub is one message; it is shown as one frame per range, so that each has its handle. */
function stubFrames(kernel: Kernel, prefix: FrozenBody, leaving: readonly StoredMessage[]): FrameView[] {
  const lines = prefix.stub === "" ? [] : prefix.stub.split("\n");
  const ranges = rangesOf(kernel, prefix.thread);
  const frames = lines.map((line): FrameView => {
    const range = ranges.find(({ page }) => line.startsWith(`{"handle":"${composePageHandle(page)}"`));
    const why = range === undefined ? "heading" : `${range.messages} messages left the body`;
    return {
      ...frame("body", "stub", `${line}\n`, why),
      handle: range === undefined ? null : composePageHandle(range.page),
      resident: range === undefined,
    };
  });
  if (leaving.length === 0) return frames;
  return [
    ...frames,
    { ...frame("body", "stub", "", `${leaving.length} messages leave with the next call`), resident: false },
  ];
}

function messageFrames(messages: readonly StoredMessage[]): FrameView[] {
  const rendered = renderBody(messages);
  return messages.map((message, index) => ({
    region: "body",
    kind: message.role,
    handle: message.page === null ? null : composePageHandle(message.page),
    // The calls of a message count with it.
    tokens: Math.max(message.tokens, estimateTokens(rendered[index]?.content ?? "")),
    pinned: false,
    resident: true,
    why: message.faults >= 1 ? "read back" : message.referenced ? "referenced" : "recent turn",
  }));
}

function tailFrames(kernel: Kernel, plan: BodyPlan, prefix: FrozenBody): FrameView[] {
  const updates = prefixUpdates(kernel, prefix);
  const state = renderTail({
    now: kernel.now(),
    pressure: pressureOf(plan),
    updates: null,
    pages: [],
    above: new Set(),
    cuts: new Map(),
    query: "",
  });
  return [
    frame("tail", "state", state, "this call only"),
    ...(updates === null
      ? []
      : [frame("tail", "updates", updates, "pinned memory changed since the prefix was frozen")]),
  ];
}
