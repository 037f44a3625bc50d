/**
 * Sleep API: what the edge and the kernel say to each other about sleep-time work; part of `ProcessApi` in `abi.ts`.
 */
import type { PageHandle } from "#shared/ids.ts";
import type { Result } from "#shared/result.ts";

/** What a process does with its memory while it is idle. */
export interface SleepView {
  readonly enabled: boolean;
  /** Tokens a day that a language model may take for it; 0 leaves it to the rules. */
  readonly modelTokensPerDay: number;
  readonly modelTokensToday: number;
  /** Pages it has not looked at yet. */
  readonly left: number;
  /** Changes it ever made. */
  readonly changes: number;
}

export interface SleepChange {
  readonly enabled?: boolean | undefined;
  readonly modelTokensPerDay?: number | undefined;
}

/** One slice of sleep-time work. */
export interface SleepReport {
  readonly pages: number;
  readonly facts: number;
  readonly duplicates: number;
  readonly stale: number;
  readonly left: number;
  /** An instruction came in, so it ended early. */
  readonly interrupted: boolean;
}

export interface AuditMark {
  readonly exists: boolean;
  readonly supersededBy: PageHandle | null;
}

/** One change that sleep-time work made. `kept`: the person edited the page since, so it stays. */
export interface AuditView {
  readonly id: number;
  readonly at: string;
  readonly rule: "fact" | "duplicate" | "stale";
  readonly model: string | null;
  /** The page that was made or marked. */
  readonly page: PageHandle;
  readonly sources: readonly PageHandle[];
  readonly before: AuditMark;
  readonly after: AuditMark;
  /** What the page says now; null when it is gone or its body is not at hand. */
  readonly text: string | null;
  readonly state: "done" | "undone" | "kept";
}

/** The part of the process's face that is about sleep-time work. */
export interface SleepApi<Caller> {
  sleepState(caller: Caller): Promise<Result<SleepView>>;
  setSleep(caller: Caller, change: SleepChange): Promise<Result<SleepView>>;
  /** Does one slice of sleep-time work now. */
  sleep(caller: Caller): Promise<Result<SleepReport>>;
  /** Takes one change back, or all when null; answers the ids of the audit's entries. */
  undoSleep(caller: Caller, entry: number | null): Promise<Result<{ readonly undone: readonly number[] }>>;
  audit(
    caller: Caller,
    limit: number,
    cursor?: string,
  ): Promise<Result<{ readonly items: readonly AuditView[]; readonly cursor?: string }>>;
}
