/**
 * Hedge: asks a model that is silent for too long a second time, and takes the answer that begins first.
 *
 * Off unless `HEDGE_AFTER` names the milliseconds. Only an inference is hedged: it has no side effect, and system calls are made of
 * the answer that won. The second call has a slot of its own, asked for in the lowest band, so that it is made only while slots
 * are plenty; it is given up as soon as the first call says a word. Whichever loses is aborted at once and charged for what
 * it used; of the two slots, which are alike, one goes back then. Never are words of both said.
 */
import { z } from "zod";
import { HEDGE_LEAST_MS } from "#shared/limits.ts";
import { errorName, logEvent } from "#shared/log.ts";
import type { Result } from "#shared/result.ts";
import { readVariable } from "#shared/variable.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { chargedAttempt, type Charged } from "#kernel/infer/charged-attempt.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { pause } from "#kernel/proc/pause.ts";
import type { TraceData } from "#kernel/proc/trace.ts";
import { UNUSED } from "#kernel/sched/pool-api.ts";
import { takeSlot } from "#kernel/sched/slot.ts";

/** Milliseconds of silence before a second call, or null when there is to be none. */
export function hedgeAfter(env: { readonly HEDGE_AFTER?: string }): number | null {
  const ms = readVariable(env.HEDGE_AFTER, z.number().min(0), "hedge-after-unreadable") ?? 0;
  return ms > 0 ? Math.max(ms, HEDGE_LEAST_MS) : null;
}

export async function hedge(
  kernel: Kernel,
  run: LiveRun,
  request: InferRequest,
  say: (text: string) => void,
  data: TraceData,
): Promise<Result<Charged>> {
  const after = hedgeAfter(kernel.env);
  if (after === null) return chargedAttempt(kernel, run, request, run.abort.signal, say);
  const race = new Race(say, run.abort.signal);
  const first = chargedAttempt(kernel, run, request, race.signals[0], (text) => race.say(0, text));
  const second = pause(after, race.signals[1])
    .then(() => secondCall(kernel, run, request, race, data))
    .catch((error: unknown) => {
      if (!race.signals[1].aborted) logEvent("hedge-failed", { error: errorName(error) });
      return null;
    });
  let heard: Ended = null;
  try {
    const [winner, charged] = await race.end(first, second);
    if ("hedged" in data) data["answeredBy"] = winner === 0 ? "first" : "second";
    heard = charged;
    return charged;
  } finally {
    if (heard === null) race.over();
    // What nobody heard is counted, too, though nobody waits for it.
    for (const call of [first.catch(() => null), second]) {
      kernel.background(
        call.then((ended) => void (ended !== heard && ended?.ok === true ? ended.value.settle({}) : 0)),
      );
    }
  }
}

/** The same request once more, with a slot of its own. */
async function secondCall(
  kernel: Kernel,
  run: LiveRun,
  request: InferRequest,
  race: Race,
  data: TraceData,
): Promise<Result<Charged> | null> {
  const signal = race.signals[1];
  const holder = `${kernel.user}/${run.id}/hedge`;
  const wanted = {
    model: request.model,
    holder,
    band: "batch",
    program: run.id,
    tokens: 0,
    patienceMs: 1,
    signal,
  } as const;
  const slot = await takeSlot(kernel, wanted);
  if (!slot.ok) return null;
  // However the race ends one call is over then, and so one of the two slots.
  race.whenDecided(() => slot.value.end({ ...UNUSED, outcome: "cancelled" }));
  if (race.decided) return null;
  race.begun = true;
  data["hedged"] = true;
  return chargedAttempt(kernel, run, request, signal, (text) => race.say(1, text));
}

type Lane = 0 | 1;
type Ended = Result<Charged> | null;

/** Two calls of which the first to say a word, or to end well, wins. */
class Race {
  readonly #say: (text: string) => void;
  readonly #stops = [new AbortController(), new AbortController()] as const;
  readonly signals: readonly [AbortSignal, AbortSignal];
  /** True once the second call is made. */
  begun = false;
  #winner: Lane | null = null;
  #decided: (() => void) | null = null;

  constructor(say: (text: string) => void, signal: AbortSignal) {
    this.#say = say;
    const [one, other] = this.#stops;
    this.signals = [AbortSignal.any([signal, one.signal]), AbortSignal.any([signal, other.signal])];
  }

  get decided(): boolean {
    return this.#winner !== null;
  }

  whenDecided(then: () => void): void {
    if (this.decided) then();
    else this.#decided = then;
  }

  say(lane: Lane, text: string): void {
    this.#win(lane);
    if (this.#winner === lane) this.#say(text);
  }

  /** How the call that won ended; when both fail without a word, the first. */
  async end(first: Promise<Result<Charged>>, second: Promise<Ended>): Promise<readonly [Lane, Result<Charged>]> {
    const good = async (lane: Lane, call: Promise<Ended>): Promise<readonly [Lane, Result<Charged>] | null> => {
      const ended = await call;
      const answered = ended?.ok === true && ended.value.made.failure === null;
      // A first call that fails at once is not made up for by a second that nobody asked for yet.
      if (answered || (lane === 0 && !this.begun)) this.#win(lane);
      return ended !== null && this.#winner === lane ? [lane, ended] : null;
    };
    const both = [good(0, first), good(1, second)] as const;
    const { promise, resolve, reject } = Promise.withResolvers<readonly [Lane, Result<Charged>] | null>();
    for (const call of both) void call.then((won) => (won === null ? undefined : resolve(won)), reject);
    void Promise.all(both).then(() => resolve(null), reject);
    const won = await promise;
    if (won !== null) return won;
    this.#win(0);
    return [0, await first];
  }

  /** Ends both calls, and lets neither say another word. */
  over(): void {
    this.#win(0);
    for (const stop of this.#stops) stop.abort(new Error("the race is over"));
  }

  #win(lane: Lane): void {
    if (this.#winner !== null) return;
    this.#winner = lane;
    // First, so that the second call's slot is not let go as that of a run that was aborted, which makes no further call.
    this.#decided?.();
    this.#stops[lane === 0 ? 1 : 0].abort(new Error("another call was faster"));
  }
}
