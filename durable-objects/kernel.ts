/**
 * Kernel: what every part of a process's kernel may reach, made once by `boot.ts` and handed down.
 *
 * The object's SQLite is the only authority; every field marked "cache" can be thrown away and rebuilt from it.
 */
import type { ProcessId, RunId, ThreadId, UserId } from "#shared/ids.ts";
import type { Driver } from "#kernel/infer/drivers/driver.ts";
import type { Embedder } from "#kernel/infer/drivers/embedder.ts";
import type { Catalogue } from "#kernel/infer/models/catalogue.ts";
import type { TimerName } from "#kernel/proc/alarm.ts";
import type { Budget } from "#kernel/proc/ledger-exchange.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import type { Breakers } from "#kernel/sched/breakers.ts";
import type { KeptSlot } from "#kernel/sched/lease.ts";
import type { PageIndex } from "#kernel/vm/search/page-index.ts";
import type { PagerRecord } from "#kernel/vm/pager/record.ts";

export interface Kernel {
  readonly storage: DurableObjectStorage;
  readonly sql: SqlStorage;
  readonly env: Cloudflare.Env;
  /** Random per instance of the object: a live run with another boot id was orphaned by a crash or an eviction. */
  readonly bootId: string;
  readonly user: UserId;
  readonly process: ProcessId;
  /** D1 memory shard of the user; stored at the first call. */
  shard: number;
  /** Keeps the object busy until the promise settles. The promise must handle its own failures. */
  readonly background: (work: Promise<unknown>) => void;
  readonly now: () => number;
  /** Reaches the models; tests put a scripted one here. */
  driver: Driver;
  /** What is known of models; nobody else asks the driver for its list. */
  readonly models: Catalogue;
  /** Cache: the search index, loaded at its first use. */
  readonly index: PageIndex;
  /** Cache: what the pager learned and counted; loaded at its first use, stored once per run. */
  pager: PagerRecord | null;
  /** Cache: what the last prompt of each thread began with, to tell how much of the next one a provider has cached. */
  readonly prompts: Map<ThreadId, readonly number[]>;
  /** Cache: what the process may use and keeps of it; made at its first use. */
  budget: Budget | null;
  /** Runs this instance is working on, with what cannot be stored: abort signals and waiting readers. */
  readonly live: Map<RunId, LiveRun>;
  /** Threads whose queue this instance is working off. */
  readonly busyThreads: Set<ThreadId>;
  /** Readers to wake when a run has a new event or ended. */
  readonly readers: Map<RunId, Set<() => void>>;
  /** Slots that wait a moment for this process's next inference, by model and band. */
  readonly lingering: Map<string, KeptSlot[]>;
  /** Cache: how models fared in this instance. */
  readonly breakers: Breakers;
  /** Cache: due times of timers that this instance set. */
  readonly timers: Map<TimerName, number>;
  /** Cache: when the object's alarm rings, or null when this instance has not set it. */
  alarmAt: number | null;
  /** Reaches embedding models, when the deployment names any. */
  readonly embedder: Embedder | null;
  /** Writes to D1 by this instance. */
  flushes: number;
  /** The write to D1 that is under way; there is at most one. */
  flushing: Promise<void> | null;
  /** Background work that this instance is at, by name: there is at most one of each. */
  readonly working: Map<string, Promise<void>>;
}
