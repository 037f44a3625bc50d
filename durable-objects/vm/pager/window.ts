/**
 * Window: how many tokens a prompt for a model may have.
 *
 * The model's card tells its window, an overflow makes it smaller (`vm/pager/calibration.ts`). What the card last told is kept with the
 * calibration, so that an isolate that has just begun and knows no cards does not take a large window for the careful default.
 */
import { ANSWER_TOKENS, WINDOW_TOKENS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { calibrationOf, setCalibration } from "#kernel/vm/pager/record.ts";

/** Tokens of the whole window. */
export function windowTokens(kernel: Kernel, model: string): number {
  const { window: overflowed, listed } = calibrationOf(kernel, model);
  const told = kernel.models.card(model)?.contextWindow ?? listed;
  return told === null ? (overflowed ?? WINDOW_TOKENS) : Math.min(told, overflowed ?? told);
}

/** Tokens a prompt for this model may have, its answer not counted. */
export function windowOf(kernel: Kernel, model: string): number {
  const known = windowTokens(kernel, model);
  return Math.floor(known - Math.min(ANSWER_TOKENS, known / 4));
}

/** Keeps what the card tells with the pager's record, which is stored once per run. */
export function rememberWindow(kernel: Kernel, model: string): void {
  const told = kernel.models.card(model)?.contextWindow ?? null;
  const calibration = calibrationOf(kernel, model);
  if (told !== null && told !== calibration.listed) setCalibration(kernel, model, { ...calibration, listed: told });
}
