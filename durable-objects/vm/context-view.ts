/**
 * Context view: the frames of a thread's next prompt, in order, with what put each there.
 *
 * The tail's fetched pages depend on the instruction, so before one is given the tail shows only its state line.
 */
import type { ContextView, FrameView } from "#shared/abi.ts";
import { MODEL_TOOLS } from "#shared/calls.ts";
import { failure } from "#shared/errors.ts";
import { composePageHandle, parseThreadId, type ThreadId } from "#shared/ids.ts";
import { BODY_HIGH_TOKENS, TAIL_TOKENS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { threadExists } from "#kernel/proc/messages.ts";
import { mappedBody, renderTail } from "#kernel/vm/context.ts";
import { PREAMBLE } from "#kernel/vm/preamble.ts";

export function viewContext(kernel: Kernel, thread: ThreadId): Result<ContextView> {
  if (parseThreadId(thread) === null || !threadExists(kernel, thread)) {
    return failed(failure("not_found", "There is no such thread."));
  }
  const preamble = estimateTokens(PREAMBLE);
  const tools = estimateTokens(JSON.stringify(MODEL_TOOLS));
  const frames: FrameView[] = [
    frame("prefix", "preamble", preamble, "frozen"),
    frame("prefix", "tools", tools, "frozen"),
    ...mappedBody(kernel, thread, null).map((message) => ({
      ...frame("body", message.role, message.tokens, "recent turn"),
      handle: message.page === null ? null : composePageHandle(message.page),
    })),
    frame("tail", "state", estimateTokens(renderTail([], kernel.now())), "this call only"),
  ];
  const tokens = frames.reduce((sum, entry) => sum + entry.tokens, 0);
  return success({ thread, frames, tokens, budget: preamble + tools + BODY_HIGH_TOKENS + TAIL_TOKENS });
}

function frame(region: FrameView["region"], kind: string, tokens: number, why: string): FrameView {
  return { region, kind, handle: null, tokens, pinned: region === "prefix", resident: true, why };
}
