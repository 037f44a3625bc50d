/**
 * Inspection: what the edge shows of a process: itself, its conversations, the frames of its next prompt, its counters.
 */
import type { SystemCall } from "#shared/calls.ts";
import type { PageHandle, ProcessId, RunId, ThreadId } from "#shared/ids.ts";

export interface ProcessView {
  readonly process: ProcessId;
  readonly state: "running" | "idle";
  readonly threads: number;
  readonly pages: number;
  readonly liveRuns: number;
  readonly createdAt: string;
}

export interface ThreadView {
  readonly thread: ThreadId;
  readonly messages: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface MessageView {
  readonly id: number;
  readonly role: "user" | "assistant" | "tool" | "system";
  readonly content: string;
  readonly run: RunId | null;
  readonly page: PageHandle | null;
  readonly toolCalls?: readonly SystemCall[];
  readonly createdAt: string;
}

/** One frame of the next prompt, in order. `why` says in a word or two what put it there. */
export interface FrameView {
  readonly region: "prefix" | "body" | "tail";
  readonly kind: string;
  readonly handle: PageHandle | null;
  readonly tokens: number;
  readonly pinned: boolean;
  readonly resident: boolean;
  readonly why: string;
}

export interface ContextView {
  readonly thread: ThreadId;
  readonly frames: readonly FrameView[];
  readonly tokens: number;
  /** What the prompt may have: everything but the body as it is, and the body up to its high watermark. */
  readonly budget: number;
  /** Tokens of the body at which a batch is evicted, and down to which. */
  readonly low: number;
  readonly high: number;
}

export type VmStat = Readonly<Record<string, number>>;
