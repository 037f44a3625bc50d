/**
 * Sleep settings: whether a process consolidates when idle, how far it came, and what it may still spend on a model today.
 *
 * Kept in `meta`: `sleep` is what the person chose, `sleep-cursor` the last page that was looked at, `sleep-model-cursor` the last
 * one that a model was shown, `sleep-tokens` what a model took today, `sleep-tries` how often the page after the cursor was begun.
 */
import { z } from "zod";
import type { Kernel } from "#kernel/kernel.ts";
import { readMeta, writeMeta } from "#kernel/proc/schema.ts";

export interface SleepSettings {
  readonly enabled: boolean;
  /** Tokens a day that a language model may take for this; 0 leaves it to the rules. */
  readonly modelTokensPerDay: number;
}

const stored = z.object({ enabled: z.boolean(), modelTokensPerDay: z.number() });
const spent = z.object({ day: z.number(), tokens: z.number() });

const DAY_MS = 86_400_000;

export function sleepSettings(kernel: Kernel): SleepSettings {
  const text = readMeta(kernel.sql, "sleep");
  return text === null ? { enabled: true, modelTokensPerDay: 0 } : stored.parse(JSON.parse(text));
}

export function changeSleep(kernel: Kernel, change: Partial<SleepSettings>): SleepSettings {
  const next = { ...sleepSettings(kernel), ...change };
  writeMeta(kernel.sql, "sleep", JSON.stringify(next));
  return next;
}

export type SleepCursor = "sleep-cursor" | "sleep-model-cursor";

export function readCursor(kernel: Kernel, name: SleepCursor): number {
  return Number(readMeta(kernel.sql, name) ?? "0");
}

/** Moves a cursor on, never back. */
export function moveCursor(kernel: Kernel, name: SleepCursor, to: number): void {
  if (to > readCursor(kernel, name)) writeMeta(kernel.sql, name, String(to));
}

export function tokensSpentToday(kernel: Kernel): number {
  const text = readMeta(kernel.sql, "sleep-tokens");
  const known = text === null ? null : spent.parse(JSON.parse(text));
  return known?.day === Math.floor(kernel.now() / DAY_MS) ? known.tokens : 0;
}

export function spendTokens(kernel: Kernel, tokens: number): void {
  const day = Math.floor(kernel.now() / DAY_MS);
  writeMeta(kernel.sql, "sleep-tokens", JSON.stringify({ day, tokens: tokensSpentToday(kernel) + tokens }));
}
