/**
 * Calibration: how many tokens of a model one estimated token is, from the usage that the model itself reports.
 *
 * `estimateTokens` knows no model's tokenizer. Each report (`calibrate`) adds what was estimated and what was counted to two
 * sums that fade, so that long prompts weigh more than short ones; `ratioOf` is their quotient. Before the first report a
 * safety margin stands in. Pure.
 */
import { TOKEN_MARGIN_PERCENT } from "#shared/limits.ts";

export interface Calibration {
  /** Fading sums of estimated and of reported prompt tokens. */
  readonly estimated: number;
  readonly reported: number;
  /** Tokens of the window, learned from an overflow; null while none happened. */
  readonly window: number | null;
  /** Tokens of the window that the model's card last told, or null. */
  readonly listed: number | null;
}

export const UNCALIBRATED: Calibration = { estimated: 0, reported: 0, window: null, listed: null };

const FADE = 0.9;
/** What a ratio outside of this range says is a broken report. */
const LEAST = 0.5;
const MOST = 4;
/** The part of a prompt that overflowed which is taken for the window. */
const OVERFLOW_SHARE = 0.8;

export function calibrate(known: Calibration, estimated: number, reported: number): Calibration {
  if (reported <= 0 || estimated <= 0) return known;
  return {
    ...known,
    estimated: known.estimated * FADE + estimated,
    reported: known.reported * FADE + reported,
  };
}

/** Tokens of the model per estimated token. */
export function ratioOf({ estimated, reported }: Calibration): number {
  if (estimated <= 0) return TOKEN_MARGIN_PERCENT / 100;
  return Math.min(MOST, Math.max(LEAST, reported / estimated));
}

/** After a prompt of `estimated` tokens was too large for the model. */
export function overflowed(known: Calibration, estimated: number): Calibration {
  const window = Math.floor(estimated * ratioOf(known) * OVERFLOW_SHARE);
  return { ...known, window: Math.min(window, known.window ?? window) };
}
