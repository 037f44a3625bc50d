/**
 * Pager record: what the pager of a process has learned and counted, one row for all of its threads.
 *
 * `pagerRecord(kernel)` answers it (a cache; the `pager` row of `meta` is the authority), `changeRecord` replaces fields of it in
 * memory, and `savePagerRecord` stores it, once per run and with every batch eviction: a crash costs what one run learned.
 */
import { z } from "zod";
import { BODY_GROWTH_TOKENS, BODY_LOW_TOKENS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { readCounters } from "#kernel/proc/counters.ts";
import { readMeta, writeMeta } from "#kernel/proc/schema.ts";
import { calibrate, ratioOf, UNCALIBRATED, type Calibration } from "#kernel/vm/pager/calibration.ts";

const whole = z.number().default(0);

const calibrationSchema = z.object({
  estimated: z.number(),
  reported: z.number(),
  window: z.number().nullable(),
  listed: z.number().nullable().default(null),
});

const recordSchema = z.object({
  /** The policy's state (`policy.ts`) as far as it is one for all threads. */
  low: z.number().default(BODY_LOW_TOKENS),
  growth: z.number().default(BODY_GROWTH_TOKENS),
  samples: z.number().default(4),
  calls: whole,
  faultCost: whole,
  quiet: whole,
  models: z.record(z.string(), calibrationSchema).default({}),
  /** Inferences since the process began: the clock by which evictions are old or young. */
  inferences: whole,
  promptTokens: whole,
  cachedTokens: whole,
  /** Estimated tokens of prompts, and of what they began with in common with the prompt before. */
  sentTokens: whole,
  sharedTokens: whole,
  batches: whole,
  evictedMessages: whole,
  /** Reads of pages that had left the body, and how many of these came too soon. */
  faults: whole,
  refaults: whole,
  premature: whole,
  /** Frames spared by a batch because they had been read back. */
  pins: whole,
  /** Pages of the tail that were used (cited or read), of all that were mapped there. */
  tailMapped: whole,
  tailUsed: whole,
  overflows: whole,
});

export type PagerRecord = z.infer<typeof recordSchema>;

export function pagerRecord(kernel: Kernel): PagerRecord {
  kernel.pager ??= load(kernel);
  return kernel.pager;
}

function load(kernel: Kernel): PagerRecord {
  const stored = readMeta(kernel.sql, "pager");
  if (stored !== null) return recordSchema.parse(JSON.parse(stored));
  // An object from before the pager counted these itself.
  const counters = readCounters(kernel);
  return recordSchema.parse({
    promptTokens: counters["prompt-tokens"] ?? 0,
    cachedTokens: counters["cached-tokens"] ?? 0,
    evictedMessages: counters["unmapped-messages"] ?? 0,
  });
}

export function changeRecord(kernel: Kernel, change: Partial<PagerRecord>): void {
  kernel.pager = { ...pagerRecord(kernel), ...change };
}

type Countable = Exclude<keyof PagerRecord, "models">;

/** Adds to one of its numbers. */
export function countInRecord(kernel: Kernel, name: Countable, amount = 1): void {
  changeRecord(kernel, { [name]: pagerRecord(kernel)[name] + amount });
}

export function savePagerRecord(kernel: Kernel): void {
  writeMeta(kernel.sql, "pager", JSON.stringify(pagerRecord(kernel)));
}

export function calibrationOf(kernel: Kernel, model: string): Calibration {
  return pagerRecord(kernel).models[model] ?? UNCALIBRATED;
}

export function tokenRatio(kernel: Kernel, model: string): number {
  return ratioOf(calibrationOf(kernel, model));
}

export function setCalibration(kernel: Kernel, model: string, calibration: Calibration): void {
  changeRecord(kernel, { models: { ...pagerRecord(kernel).models, [model]: calibration } });
}

/** Takes in what a model reported of a prompt that was estimated at `estimated` tokens. */
export function noteUsage(
  kernel: Kernel,
  model: string,
  estimated: number,
  usage: { readonly inputTokens: number; readonly cachedTokens: number } | null,
): void {
  if (usage === null) return;
  setCalibration(kernel, model, calibrate(calibrationOf(kernel, model), estimated, usage.inputTokens));
}
