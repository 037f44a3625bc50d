/**
 * Verify: decides what becomes of an answer whose sentences were checked as they came.
 *
 * All supported: the run has its answer. Otherwise the model is told once which sentences its pages do not carry and asked
 * again; if it insists, those sentences lose their citations and are marked as unverified. An answer that has to meet a JSON
 * schema is checked as a whole, asked for once more with what is wrong with it, and fails the run when it still does not meet it.
 */
import { failure } from "#shared/errors.ts";
import { VERIFY_REASKS } from "#shared/limits.ts";
import type { Inference } from "#kernel/infer/inference.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { RunFailure } from "#kernel/proc/run-failure.ts";
import { trace, type TraceData } from "#kernel/proc/trace.ts";
import type { Speech } from "#kernel/verify/speech.ts";
import { readStructured } from "#kernel/verify/structured.ts";

/** Answers true when the run has its answer, false when the model is to be asked again. */
export function verify(kernel: Kernel, run: LiveRun, speech: Speech, inference: Inference, data: TraceData): boolean {
  const said = inference.text;
  if (run.reply !== null && inference.calls.length === 0)
    return verifyStructured(kernel, run, speech, { schema: run.reply, said }, data);
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

function verifyStructured(
  kernel: Kernel,
  run: LiveRun,
  speech: Speech,
  { schema, said }: { readonly schema: Readonly<Record<string, unknown>>; readonly said: string },
  data: TraceData,
): boolean {
  const answer = readStructured(schema, said);
  if (answer.ok) {
    if (answer.repaired) data["repaired"] = true;
    speech.sendWhole(answer.json);
    speech.close();
    return true;
  }
  if (run.reasks >= VERIFY_REASKS) {
    throw new RunFailure(
      failure("model_unavailable", `This model gave no answer that meets \`reply\`: ${answer.problem}`),
    );
  }
  run.reasks += 1;
  const note = `The answer does not meet the JSON schema asked for: ${answer.problem} Answer again with the JSON alone.`;
  run.messages.push({ role: "assistant", content: said }, { role: "system", content: note });
  trace(kernel, run, "verify-reask", { schema: true });
  speech.takeBack();
  return false;
}

function correction(refused: readonly string[]): string {
  const list = refused.map((sentence) => `- ${sentence.trim()}`).join("\n");
  return `The pages cited do not carry these sentences:\n${list}\nAnswer the instruction again. Cite only pages you were shown, after sentences they support. If nothing supports an answer, say "I don't know."`;
}
