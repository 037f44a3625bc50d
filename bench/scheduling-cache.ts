/**
 * Scheduling cache: a provider that keeps the prompts of the programs it served last, so that their next call begins sooner.
 *
 * Use `new PromptCache(programs)` for one run: `service` is the time of a call, `ended` tells of its end. A program's prompt is warm
 * for 300 s after a call of it ended, unless that many other programs were served since.
 */
import type { SimCall } from "#bench/scheduling-workload.ts";

const WARM_SECONDS = 300;
const SAVED = 0.6;

export class PromptCache {
  readonly #size: number;
  /** When a call last ended, the program served longest ago first. */
  readonly #ends = new Map<number, number>();
  hits = 0;
  calls = 0;

  constructor(size: number) {
    this.#size = size;
  }

  service(call: SimCall, program: number, now: number): number {
    const end = this.#ends.get(program);
    this.calls += 1;
    if (end === undefined || now - end > WARM_SECONDS) return call.first + call.rest;
    this.hits += 1;
    this.#keep(program, end);
    return (1 - SAVED) * call.first + call.rest;
  }

  ended(program: number, now: number): void {
    this.#keep(program, now);
    for (const oldest of this.#ends.keys()) {
      if (this.#ends.size <= this.#size) break;
      this.#ends.delete(oldest);
    }
  }

  #keep(program: number, end: number): void {
    this.#ends.delete(program);
    this.#ends.set(program, end);
  }
}
