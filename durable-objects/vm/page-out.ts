/**
 * Page out: what a run leaves in memory, and the start of its way to D1.
 *
 * The instruction becomes a `turn` page, the answer an `assistant` page (found only when asked for by kind, never evidence).
 * Commands leave neither: what they do is in their system call. Written once per run, also when the run is taken up again;
 * a turn that wrote a fact is no evidence itself, the fact is.
 */
import type { NewPage } from "#shared/abi.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { notePages, type LiveRun } from "#kernel/proc/live-run.ts";
import { instructionOf, tieMessageToPage } from "#kernel/proc/messages.ts";
import { transact } from "#kernel/proc/transact.ts";
import type { TraceData } from "#kernel/proc/trace.ts";
import { flushSoon } from "#kernel/vm/flush.ts";
import type { ResidentPage } from "#kernel/vm/page.ts";
import { insertPage } from "#kernel/vm/page-table.ts";
import { pinStanding } from "#kernel/vm/pinned/pin-standing.ts";
import { repeats } from "#kernel/vm/forget/repeats.ts";
import { draftPages } from "#kernel/vm/write-page.ts";

export function pageOut(kernel: Kernel, run: LiveRun, data: TraceData = {}): void {
  if (run.instruction.kind === "language" && !run.scrub) {
    data["pages"] = transact(kernel, () => writeTurn(kernel, run));
  }
  flushSoon(kernel);
}

function writeTurn(kernel: Kernel, run: LiveRun): number {
  const pages = kernel.sql
    .exec<{ kind: string; number: number }>("SELECT kind, number FROM pages WHERE run = ? ORDER BY number", run.id)
    .toArray();
  const has = (kind: string): boolean => pages.some((page) => page.kind === kind);
  const thread = run.conversation === null ? { thread: run.thread } : {};
  let written = 0;
  if (!has("turn")) {
    // Its own, or one that was remembered already.
    const wroteFact =
      pages.length > 0 ||
      kernel.sql.exec("SELECT 1 FROM run_pages WHERE run = ? AND how = 'created' LIMIT 1", run.id).toArray().length > 0;
    const turn = write(kernel, run, { ...thread, kind: "turn", role: "user", text: run.instruction.text }, wroteFact);
    tieInstruction(kernel, run, turn[0]?.number);
    if (!wroteFact) for (const page of turn) pinStanding(kernel, page);
    written += turn.length;
  }
  run.answerPage = pages.find((page) => page.kind === "assistant")?.number ?? null;
  const sayable = run.output.trim() !== "" && !run.forgotten.some((text) => repeats(run.output, text));
  if (!has("assistant") && sayable) {
    const answer = write(kernel, run, { ...thread, kind: "assistant", role: "assistant", text: run.output }, true);
    run.answerPage = answer[0]?.number ?? null;
    written += answer.length;
  }
  return written;
}

function tieInstruction(kernel: Kernel, run: LiveRun, page: number | undefined): void {
  const message = instructionOf(kernel, run.thread, run.id);
  if (message !== null && page !== undefined) tieMessageToPage(kernel, message, page);
}

function write(kernel: Kernel, run: LiveRun, page: NewPage, silent: boolean): ResidentPage[] {
  const drafts = draftPages(page, { run: run.id, defaultAt: run.startedAt });
  if (!drafts.ok) return [];
  const pages = drafts.value.map((draft) => insertPage(kernel, silent ? { ...draft, evidence: 0 } : draft));
  notePages(
    kernel,
    run.id,
    pages.map((entry) => entry.number),
    "created",
  );
  return pages;
}
