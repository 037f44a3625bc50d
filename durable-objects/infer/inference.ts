/**
 * Inference: what one pass through a model, or through a command, comes to: a text, system calls, or both.
 */
import type { SystemCall } from "#shared/calls.ts";

export interface Inference {
  readonly text: string;
  readonly calls: readonly SystemCall[];
}
