/**
 * Book: what the fake provider was told to answer, and what it was asked.
 *
 * The last REQUESTS_KEPT requests are kept with their bodies; the counts are of all.
 */
import {
  replyOfName,
  type ModelStats,
  type Reply,
  type Script,
  type Seen,
  type Stats,
} from "#tests/fakes/provider/reply.ts";

const REQUESTS_KEPT = 2_000;

type Counts = { -readonly [Name in keyof ModelStats]: ModelStats[Name] };

export class Book {
  readonly #scripts = new Map<string, { replies: Reply[]; after: Reply | null }>();
  readonly #queued = new Map<string, { inputs: unknown; reply: Reply; polls: number }>();
  #counts = new Map<string, Counts>();
  #all = emptyCounts();
  #seen: Seen[] = [];

  script({ model, replies, after }: Script): void {
    this.#scripts.set(model, { replies: [...replies], after: after ?? null });
  }

  reset(): void {
    this.#scripts.clear();
    this.#queued.clear();
    this.#counts = new Map();
    this.#all = emptyCounts();
    this.#seen = [];
  }

  /** The reply of this request: the model's script first, then what its name asks for. */
  take(model: string): Reply {
    const script = this.#scripts.get(model);
    return script?.replies.shift() ?? script?.after ?? replyOfName(model);
  }

  note(seen: Seen): void {
    this.#seen.push(seen);
    if (this.#seen.length > REQUESTS_KEPT) this.#seen.shift();
  }

  seen(model: string | null): readonly Seen[] {
    return this.#seen.filter((entry) => model === null || entry.model === model);
  }

  /** Counts a request of the model; the answer says how many are live now, and ends the count when it is called. */
  begin(model: string): { readonly live: number; readonly end: (aborted: boolean) => void } {
    const counts = this.#counts.get(model) ?? emptyCounts();
    this.#counts.set(model, counts);
    const both = [counts, this.#all];
    for (const one of both) {
      one.requests += 1;
      one.live += 1;
      one.mostLive = Math.max(one.mostLive, one.live);
    }
    let ended = false;
    const end = (aborted: boolean): void => {
      if (ended) return;
      ended = true;
      for (const one of both) {
        one.live -= 1;
        if (aborted) one.aborted += 1;
      }
    };
    return { live: counts.live, end };
  }

  stats(): Stats {
    return { ...this.#all, models: Object.fromEntries(this.#counts) };
  }

  /** Keeps a request for later; answers its id. */
  queue(inputs: unknown, reply: Reply): string {
    const id = `queued-${this.#queued.size + 1}`;
    this.#queued.set(id, { inputs, reply, polls: reply.polls ?? 1 });
    return id;
  }

  /** The queued request when its time has come, `waiting` before, null for an unknown id. */
  poll(id: string): { readonly inputs: unknown; readonly reply: Reply } | "waiting" | null {
    const entry = this.#queued.get(id);
    if (entry === undefined) return null;
    entry.polls -= 1;
    return entry.polls >= 0 ? "waiting" : entry;
  }
}

function emptyCounts(): Counts {
  return { requests: 0, live: 0, mostLive: 0, aborted: 0 };
}
