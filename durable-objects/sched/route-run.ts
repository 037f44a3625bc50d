/**
 * Route run: which model a run's next inference asks, and when.
 *
 * `schedule.ts` calls it before it asks for a slot. An inference that came to nothing left its trouble in the run: what can pass
 * is waited out here, holding no slot, and tried again; a model that failed for good, too often, or for long gives way to another
 * one where that is allowed (`sched/route.ts`); else the run ends with the trouble's own failure. A run that changes its model
 * stores that, shows it (`data-schedule`), and makes its prompt fit the new one. Once changed, it stays with the new one.
 */
import { failure, type Failure } from "#shared/errors.ts";
import {
  ANSWER_TOKENS,
  BODY_LOWEST_TOKENS,
  INFER_ATTEMPTS,
  INFER_ATTEMPTS_MOST,
  RETRY_MOST_MS,
  RETRY_MS,
  RETRY_PATIENCE_MS,
  RETRY_SWITCH_MS,
  RUN_MS,
} from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { languageOf } from "#shared/text/language.ts";
import { estimateTokens } from "#shared/tokens.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { budgetLeft } from "#kernel/proc/budget.ts";
import { emit } from "#kernel/proc/events.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { pause } from "#kernel/proc/pause.ts";
import { saveModel } from "#kernel/proc/runs.ts";
import { trace, type TraceData } from "#kernel/proc/trace.ts";
import { transact } from "#kernel/proc/transact.ts";
import type { Trouble } from "#kernel/proc/trouble.ts";
import { route, type Choice, type ModelHealth, type Needs } from "#kernel/sched/route.ts";
import { routingOf } from "#kernel/sched/routing.ts";
import { FIXED_TOKENS, ownTokens } from "#kernel/vm/pager/evict.ts";
import { makeRoom } from "#kernel/vm/pager/relieve.ts";

/** Tokens an answer needs at the least. */
const LEAST_ANSWER_TOKENS = ANSWER_TOKENS / 4;
/** Milliseconds of waiting that a reader is told of. */
const SHOWN_WAIT_MS = 1_000;

/** The model to ask, once it may be asked. Rejects with the run's reason when the run is aborted meanwhile. */
export async function routeRun(kernel: Kernel, run: LiveRun, data: TraceData): Promise<Result<string>> {
  const trouble = run.troubles.at(-1) ?? null;
  if (trouble !== null) {
    Object.assign(data, { attempt: run.troubles.length + 1, fault: trouble.fault });
    if (run.troubles.length >= INFER_ATTEMPTS_MOST) return gaveUp(data, trouble, "all models together had their tries");
    if (isDone(run, trouble)) run.excluded.add(trouble.model);
  }
  for (let waited = 0; ;) {
    const chosen = choose(kernel, run);
    if (!chosen.ok) return trouble === null ? chosen : gaveUp(data, trouble, chosen.error.detail);
    const choice = chosen.value;
    const ownPause = waited === 0 && trouble?.model === choice.card.id ? pauseAfter(run, trouble) : 0;
    const waitMs = Math.ceil(Math.max(ownPause, choice.waitMs === 0 ? 0 : choice.waitMs + jitter()));
    if (waited + waitMs > Math.min(RETRY_PATIENCE_MS, run.startedAt + RUN_MS - kernel.now())) {
      if (trouble === null) return failed(resting(kernel, choice));
      return gaveUp(data, trouble, `${choice.card.id} would have to be waited for too long, and no other may stand in`);
    }
    if (waitMs === 0) {
      if (waited > 0) data["pausedMs"] = waited;
      return success(take(kernel, run, choice, data));
    }
    if (waitMs >= SHOWN_WAIT_MS) show(kernel, run, choice, { waitMs });
    await pause(waitMs, run.abort.signal);
    waited += waitMs;
  }
}

/** The end of a run that had trouble: its failure says what the trouble was, the trace why nothing else is tried. */
function gaveUp(data: TraceData, trouble: Trouble, reason: string): Result<never> {
  data["reason"] = reason;
  return failed(lastWord(trouble));
}

/** What a run ends with after its last attempt; with the time that the provider asked for. */
function lastWord({ error, retryAfterMs }: Trouble): Failure {
  return retryAfterMs === null ? error : failure(error.code, error.detail, Math.ceil(retryAfterMs / 1_000));
}

/** Whether this run need not ask the model again. */
function isDone(run: LiveRun, { model, fault, retryable }: Trouble): boolean {
  if (!retryable || fault === "exhausted") return true;
  return run.troubles.filter((trouble) => trouble.model === model).length >= INFER_ATTEMPTS;
}

/** By what the run surely needs; the rest bends when no model has it all. */
function choose(kernel: Kernel, run: LiveRun): Result<Choice> {
  const { allowed, fallback } = routingOf(kernel.env);
  const now = kernel.now();
  const models = new Map<string, ModelHealth>();
  for (const [model, rest] of kernel.breakers.health(now)) models.set(model, { ...rest, excluded: false });
  for (const model of run.excluded) {
    models.set(model, { ...(models.get(model) ?? { brokenUntil: 0, throttledUntil: 0 }), excluded: true });
  }
  const preferred = {
    // Once another model stood in for the one that was asked for, the run stays with it.
    asked: run.model === run.asked ? run.asked : null,
    standard: run.model,
    allowed,
    fallback: fallback && run.fallback,
  };
  const decide = (needs: Needs): Result<Choice> => route(kernel.models.cards(), needs, { now, models }, preferred);
  if (preferred.asked !== null) {
    const own = decide(needsOf(kernel, run, "least"));
    // What was asked for serves without having it all; one that stands in for it should have it.
    if (!own.ok || own.value.card.id === preferred.asked) return own;
  }
  const all = needsOf(kernel, run, "all");
  const best = decide(all);
  if (!best.ok) return decide(needsOf(kernel, run, "least"));
  if (best.value.waitMs <= RETRY_SWITCH_MS) return best;
  // Rather an answer without tools than a long wait for one with them.
  const sooner = decide({ ...all, tools: false, json: false });
  return sooner.ok && sooner.value.waitMs < best.value.waitMs ? sooner : best;
}

/**
 * What a run needs of its model. "least" leaves out what can be done without: tools (a model is told of them in words), a JSON
 * mode (the schema is told in words), and the older messages that a request brought along.
 */
function needsOf(kernel: Kernel, run: LiveRun, how: "all" | "least"): Needs {
  const brought = run.conversation?.reduce((sum, message) => sum + estimateTokens(message.content), 0);
  const body = how === "all" && brought !== undefined ? brought : Math.min(brought ?? 0, BODY_LOWEST_TOKENS);
  return {
    contextTokens: FIXED_TOKENS + ownTokens(run) + body + LEAST_ANSWER_TOKENS,
    answerTokens: LEAST_ANSWER_TOKENS,
    tools: how === "all",
    lora: null,
    json: how === "all" && run.reply !== null,
    language: languageOf(run.instruction.text),
    // Without a model that the rest of the budget pays for, the budget itself says no, in its own words.
    ceiling: how === "all" ? budgetLeft(kernel).microdollars : null,
    latency: run.priority === "batch" ? null : "standard",
    extractive: true,
  };
}

/** Makes the choice the run's own. */
function take(kernel: Kernel, run: LiveRun, choice: Choice, data: TraceData): string {
  const { id } = choice.card;
  const before = run.model;
  const stays = id === before && run.step > 0 && run.troubles.length === 0;
  Object.assign(data, { model: id, reason: stays ? "the model of this run" : choice.reason });
  kernel.breakers.claimTry(id, kernel.now(), () => kernel.live.get(run.id) === run);
  if (id === before) return id;
  run.model = id;
  transact(kernel, () => {
    saveModel(kernel, run.id, id);
    show(kernel, run, choice, { before });
  });
  trace(kernel, run, "route", { before, model: id, reason: choice.reason, others: choice.others });
  makeRoom(kernel, run);
  return id;
}

/** Tells a reader why the answer takes longer, or comes from another model. */
function show(kernel: Kernel, run: LiveRun, { card, reason }: Choice, more: TraceData): void {
  const trouble = run.troubles.at(-1);
  const fault = trouble === undefined ? {} : { attempt: run.troubles.length + 1, fault: trouble.fault };
  emit(kernel, run, { type: "data-schedule", data: { model: card.id, reason, ...fault, ...more } });
}

/** What a run ends with whose only model rests for longer than it can wait. */
function resting(kernel: Kernel, { card, waitMs }: Choice): Failure {
  const why = kernel.breakers.why(card.id);
  return failure(why?.code ?? "model_unavailable", why?.detail ?? "The model rests.", Math.ceil(waitMs / 1_000));
}

/** Milliseconds before the model of this trouble is asked again. */
function pauseAfter(run: LiveRun, { model, fault, retryAfterMs }: Trouble): number {
  if (fault === "too-large") return 0; // the prompt was made smaller
  const attempts = run.troubles.filter((trouble) => trouble.model === model).length;
  return pauseBefore(attempts + 1, retryAfterMs);
}

/** Milliseconds before try number `attempt`: exponential with full jitter, and at least what the provider asked for. */
export function pauseBefore(attempt: number, retryAfterMs: number | null, random: () => number = Math.random): number {
  const most = Math.min(RETRY_MS * 2 ** Math.max(0, attempt - 2), RETRY_MOST_MS);
  return (retryAfterMs ?? 0) + random() * most;
}

/** Keeps those who wait for the same moment apart. */
function jitter(): number {
  return Math.random() * RETRY_MS;
}
