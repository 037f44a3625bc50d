/**
 * Cost: what an inference costs, and the most that one can cost.
 *
 * `costOf(card, usage)` prices tokens that a provider counted; `mostItCanCost` prices a call before it is made, for reservations
 * and price ceilings. Money is counted in whole microdollars (1e-6 US dollars), rounded up once at the end, so that a sum of costs is
 * never less than what was used. A price nobody told costs nothing here: whoever bounds spending bounds tokens as well.
 */
import type { ModelCard, ModelPrice } from "#shared/models.ts";

/** Tokens of one inference, as a provider counts them. Cached tokens are part of the input tokens. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
}

export interface Cost {
  readonly microdollars: number;
  /** Cloudflare's unit of work; none for models of other providers. */
  readonly neurons: number;
}

export const FREE: Cost = { microdollars: 0, neurons: 0 };

/** The provider whose work is counted in neurons. */
const COUNTS_NEURONS = "workers-ai";

/** Cloudflare sells 1,000 neurons for 0.011 US dollars: https://developers.cloudflare.com/workers-ai/platform/pricing/ */
const MICRODOLLARS_PER_NEURON = 11n;

/** A price is in dollars per million tokens, which is microdollars per token; this many parts of one make it a whole number. */
const PARTS = 1_000_000n;

/** What a price is read from: a model's card, a price alone (of Workers AI), or null for one that nobody told. */
export type Priced = ModelCard | ModelPrice | null;

export function costOf(of: Priced, usage: TokenUsage): Cost {
  const price = priceOf(of);
  if (price === null) return FREE;
  const input = tokens(usage.inputTokens);
  const claimed = tokens(usage.cachedTokens);
  const cached = claimed < input ? claimed : input;
  return total(
    of,
    (input - cached) * parts(price.input) +
      cached * parts(price.cached) +
      tokens(usage.outputTokens) * parts(price.output),
  );
}

/** The most a call can cost: nothing of its prompt is cached, and the answer is as long as it may be. */
export function mostItCanCost(of: Priced, inputTokens: number, maxOutputTokens: number): Cost {
  const price = priceOf(of);
  if (price === null) return FREE;
  const dearest = Math.max(price.input, price.cached);
  return total(of, tokens(inputTokens) * parts(dearest) + tokens(maxOutputTokens) * parts(price.output));
}

/** Dollars as people read them, for a reason or an error: `$0.0125`. */
export function dollars(microdollars: number): string {
  return `$${(microdollars / 1e6).toFixed(6).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

function priceOf(of: Priced): ModelPrice | null {
  return of !== null && "id" in of ? of.price : of;
}

function total(of: Priced, amount: bigint): Cost {
  const counted = of === null || !("id" in of) || of.provider === COUNTS_NEURONS;
  return {
    microdollars: Number(roundedUp(amount, PARTS)),
    neurons: counted ? Number(roundedUp(amount, PARTS * MICRODOLLARS_PER_NEURON)) : 0,
  };
}

function roundedUp(amount: bigint, unit: bigint): bigint {
  return (amount + unit - 1n) / unit;
}

/** A whole number of tokens; what is none counts as 0. */
function tokens(count: number): bigint {
  return Number.isFinite(count) && count > 0 ? BigInt(Math.ceil(count)) : 0n;
}

/** A price in millionths of a microdollar per token. */
function parts(price: number): bigint {
  return Number.isFinite(price) && price > 0 ? BigInt(Math.round(price * 1e6)) : 0n;
}
