/**
 * Verify: decides what becomes of an answer whose sentences were checked as they came.
 *
 * All supported: the run has its answer. Otherwise the model is told once which sentences its pages do not carry and asked
 * again; if it insists, those sentences lose their citations and are marked as unverified.
 */
import { VERIFY_REASKS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { trace, type TraceData } from "#kernel/proc/trace.ts";
import type { Speech } from "#kernel/verify/speech.ts";

/** Answers true when the run has its answer, false when the model is to be asked again. */
export function verify(kernel: Kernel, run: LiveRun, speech: Speech, said: string, data: TraceData): boolean {
  speech.end();
  data["refused"] = speech.refused.length;
  if (speech.refused.length > 0 && run.reasks < VERIFY_REASKS && run.instruction.kind === "language") {
    run.reasks += 1;
    run.messages.push({ role: "assistant", content: said }, { role: "system", content: correction(speech.refused) });
    trace(kernel, run, "verify-reask", { sentences: speech.refused.length });
    speech.takeBack();
    return false;
  }
  speech.releaseMarked();
  speech.close();
  data["citations"] = run.citations.length;
  return true;
}

function correction(refused: readonly string[]): string {
  const list = refused.map((sentence) => `- ${sentence.trim()}`).join("\n");
  return `The pages cited do not carry these sentences:\n${list}\nAnswer the instruction again. Cite only pages you were shown, after sentences they support. If nothing supports an answer, say "I don't know."`;
}
