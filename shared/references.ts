/**
 * References: what runs did with the pages of their prompts, as the trace of a run and the reference log show it.
 *
 * Numbers and handles only, never a word of a page. `durable-objects/vm/reference-log.ts` keeps them.
 */
import type { PageHandle, RunId, ThreadId } from "#shared/ids.ts";

export const REFERENCE_KINDS = ["body", "pinned", "tail", "found", "read", "fault", "cited", "evicted"] as const;

/**
 * What a run did with one frame of its prompt, never a word of it. `body`: entered the thread's body. `pinned`: stands in the
 * frozen prefix. `tail`: fetched for this run's calls. `found`: shown by a search of the model. `read`: read by the model
 * while it was in the prompt. `fault`: read by the model when it was not. `cited`: carries a sentence of the answer.
 * `evicted`: left the body.
 */
export interface PageReference {
  readonly how: (typeof REFERENCE_KINDS)[number];
  /** How many inferences the run had begun. */
  readonly step: number;
  /** Null for a message that is no page; it has `message` instead. */
  readonly page: PageHandle | null;
  readonly message: number | null;
  readonly tokens: number;
  readonly why: string | null;
}

/** The references of one run that has closed. */
export interface RunReferences {
  readonly run: RunId;
  readonly thread: ThreadId;
  readonly at: string;
  readonly references: readonly PageReference[];
}
