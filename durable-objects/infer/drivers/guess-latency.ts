/**
 * Guess latency: how soon a model answers, by its name alone, where neither its provider nor the deployment says.
 *
 * A heuristic: the size in billions of parameters, of which a mixture's active ones count (`30b-a3b`), and else the words that makers
 * put into names of quick and of thoughtful models.
 */
import type { ModelCard } from "#shared/models.ts";

/** Billions of parameters below which a model counts as fast, and above which as slow. */
const FAST_BELOW = 10;
const SLOW_ABOVE = 100;

export function guessLatency(name: string): ModelCard["latency"] {
  const lower = name.toLowerCase();
  const size = /\ba(\d+(?:\.\d+)?)b\b/.exec(lower) ?? /(?:^|[^\d.a-z])(\d+(?:\.\d+)?)b(?![a-z])/.exec(lower);
  if (size !== null) {
    const billions = Number(size[1]);
    if (billions < FAST_BELOW) return "fast";
    return billions > SLOW_ABOVE ? "slow" : "standard";
  }
  if (/flash|turbo|mini|nano|lite|small|instant|haiku/.test(lower)) return "fast";
  return /opus|ultra|reason|think|deep-?research|\bpro\b/.test(lower) ? "slow" : "standard";
}
