/**
 * Prefix: the bytes in front of a thread's messages: preamble, pinned text, stub.
 *
 * They are frozen per thread and stored, so that the same state gives the same bytes, also after the object restarted. They are
 * made anew (`freezePrefix`) for a new thread, with a batch eviction, and when they hold words that were forgotten; what was
 * pinned since stands in the tail (`prefixUpdates`).
 */
import type { ThreadId } from "#shared/ids.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { Message } from "#kernel/proc/messages.ts";
import { rangesOf, readBody, writeBody, type FrozenBody } from "#kernel/vm/pager/evictions.ts";
import { holdsForgotten } from "#kernel/vm/pinned/pin-changes.ts";
import { pinnedUpdates, renderPinned } from "#kernel/vm/pinned/pinned.ts";
import { PREAMBLE } from "#kernel/vm/context/preamble.ts";
import { renderStub } from "#kernel/vm/context/stub.ts";

/** The frozen prefix of a thread; a thread that has none gets it now. */
export function frozenPrefix(kernel: Kernel, thread: ThreadId): FrozenBody {
  const body = readBody(kernel, thread);
  return body === null || holdsForgotten(kernel, body.pinnedVersion)
    ? freezePrefix(kernel, thread, body?.passed ?? [])
    : body;
}

/** Makes a thread's prefix anew from what is pinned and evicted now, and stores it. */
export function freezePrefix(kernel: Kernel, thread: ThreadId, passed: FrozenBody["passed"]): FrozenBody {
  const { text, version } = renderPinned(kernel);
  const stub = renderStub(rangesOf(kernel, thread));
  const body: FrozenBody = { thread, pinned: text, pinnedVersion: version, stub, passed };
  writeBody(kernel, body);
  return body;
}

export function prefixMessages(body: FrozenBody): Message[] {
  return [PREAMBLE, body.pinned, body.stub]
    .filter((content) => content !== "")
    .map((content) => ({ role: "system", content }));
}

/** What is pinned otherwise than the frozen prefix says, or null. */
export function prefixUpdates(kernel: Kernel, body: FrozenBody): string | null {
  return pinnedUpdates(kernel, body.pinnedVersion);
}
