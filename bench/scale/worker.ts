/**
 * A process's object that can be measured from inside: the kernel, the page table, the search index and D1 are the real ones, in
 * real workerd; only the methods are made for measuring. Never deployed.
 *
 * `POST /` with `{ call, … }` runs one of `Calls`. The clock of workerd stands still while an object computes and moves on when
 * it waits, so every span is measured between two waits, and what two waits in a row take is taken off.
 */
import { DurableObject } from "cloudflare:workers";
import { randomSource, syntheticPage, syntheticQuestion } from "#bench/synthetic.ts";
import type { Caller, ImportRow } from "#shared/abi.ts";
import { IMPORT_BATCH_ROWS } from "#shared/limits.ts";
import { boot } from "#kernel/boot.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { ringAlarm } from "#kernel/proc/alarm.ts";
import { TIMER_WORK } from "#kernel/proc/timer-work.ts";
import { transact } from "#kernel/proc/transact.ts";
import { fault } from "#kernel/vm/fault.ts";
import { flush } from "#kernel/vm/flush.ts";
import { importRows } from "#kernel/vm/import-rows.ts";
import { latentSettled, ringLatent } from "#kernel/vm/search/latent.ts";
import { dropOldBodies, insertPage } from "#kernel/vm/page-table.ts";
import { searchPages } from "#kernel/vm/search/search.ts";

const CALLER = { user: "scale", process: "init", shard: 0 } as Caller;

/** Milliseconds, and what was counted meanwhile. */
export interface Spans {
  readonly spans: readonly number[];
  readonly count?: number;
}

export interface Stats {
  readonly pages: number;
  readonly indexBytes: number;
  readonly segments: number;
  readonly segmentBytes: number;
  readonly longestSegment: number;
}

type Calls =
  | { call: "migrate"; statements: readonly string[] }
  | { call: "fill"; from: number; pages: number }
  | { call: "settle" }
  | { call: "learn" }
  | { call: "search"; rounds: number; times: number; seed: number }
  | { call: "search-pages"; rounds: number; seed: number }
  | { call: "append"; rounds: number; times: number }
  | { call: "page-in"; rounds: number; pages: number }
  | { call: "first-search" }
  | { call: "forget-segments" }
  | { call: "stats" }
  | { call: "die" };

/** Lets the clock move on. */
async function tick(): Promise<number> {
  await scheduler.wait(0);
  return Date.now();
}

/** The time of each round of `work`, less that of an empty round, divided by `times`. */
async function spansOf(rounds: number, times: number, work: (round: number) => unknown): Promise<number[]> {
  const spans: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const idle = await tick();
    const start = await tick();
    for (let time = 0; time < times; time += 1) await work(round * times + time);
    const end = await tick();
    spans.push(Math.max(0, end - start - (start - idle)) / times);
  }
  return spans;
}

export class ScaleProcess extends DurableObject<Cloudflare.Env> {
  #kernel: Kernel | null = null;
  /** Queries that were sent to D1 by this instance. */
  #queries = 0;

  #open(): Kernel {
    this.#kernel ??= boot(this.ctx, { ...this.env, MEM_0: this.#counted(this.env.MEM_0) }, CALLER);
    if (this.#kernel === null) throw new Error("the object did not boot");
    return this.#kernel;
  }

  #counted(database: D1Database): D1Database {
    const count = (): void => void (this.#queries += 1);
    return new Proxy(database, {
      get(target, property) {
        if (property !== "prepare" && property !== "batch") return Reflect.get(target, property) as unknown;
        if (property === "batch")
          return (statements: D1PreparedStatement[]) => {
            count();
            return target.batch(statements);
          };
        return (query: string) => {
          if (query.trimStart().startsWith("SELECT")) count();
          return target.prepare(query);
        };
      },
    });
  }

  async run(asked: Calls): Promise<object> {
    switch (asked.call) {
      case "migrate":
        for (const statement of asked.statements) await this.env.MEM_0.prepare(statement).run();
        return {};
      case "fill":
        return { spans: await spansOf(1, 1, () => this.#fill(asked.from, asked.pages)) };
      case "settle":
        return { spans: await spansOf(1, 1, () => flush(this.#open())) };
      case "learn":
        return { spans: await spansOf(1, 1, () => this.#learn()) };
      case "search": {
        const questions = this.#questions(asked.seed);
        const work = (): unknown => this.#open().index.search({ text: questions(), limit: 10 });
        return { spans: await spansOf(asked.rounds, asked.times, work) };
      }
      case "search-pages": {
        const questions = this.#questions(asked.seed);
        return {
          spans: await spansOf(asked.rounds, 1, () => searchPages(this.#open(), { query: questions(), limit: 10 })),
        };
      }
      case "append":
        return { spans: await this.#append(asked.rounds, asked.times) };
      case "page-in":
        return this.#pageIn(asked.rounds, asked.pages);
      case "first-search":
        return { spans: await spansOf(1, 1, () => this.#open().index.search({ text: "Ines", limit: 10 })) };
      case "forget-segments":
        this.#open().sql.exec("DELETE FROM index_segments");
        return {};
      case "stats":
        return this.#stats();
      case "die":
        this.ctx.abort("measured cold");
        return {};
      default:
        return asked satisfies never;
    }
  }

  override async alarm(): Promise<void> {
    await ringAlarm(this.#open(), TIMER_WORK);
  }

  #questions(seed: number): () => string {
    const random = randomSource(seed);
    return () => syntheticQuestion(random);
  }

  async #fill(from: number, pages: number): Promise<void> {
    const random = randomSource(from);
    for (let first = from; first < from + pages; first += IMPORT_BATCH_ROWS) {
      const rows = Array.from({ length: Math.min(IMPORT_BATCH_ROWS, from + pages - first) }, (_, index): ImportRow => {
        const page = syntheticPage(first + index, random);
        const at = new Date(page.at ?? 0).toISOString();
        return { line: index + 1, row: { text: page.text, speaker: page.speaker, at, thread: page.session } };
      });
      const report = await importRows(this.#open(), `fill ${first}`, rows);
      if (!report.ok || report.value.imported !== rows.length) throw new Error("the import took not every row");
    }
  }

  /** Learns the latent space of the pages held, as the object does when it is idle. */
  async #learn(): Promise<void> {
    const kernel = this.#open();
    ringLatent(kernel);
    await latentSettled(kernel);
  }

  #append(rounds: number, times: number): Promise<number[]> {
    const random = randomSource(7);
    const kernel = this.#open();
    return spansOf(rounds, times, (round) => {
      const { text, speaker } = syntheticPage(round, random);
      const absent = { role: null, source: null, at: null, at_text: null, zoned: 0, run: null } as const;
      transact(kernel, () =>
        insertPage(kernel, { ...absent, kind: "turn", speaker, thread: "appended", evidence: 1, tags: [], text }),
      );
    });
  }

  async #pageIn(rounds: number, pages: number): Promise<Spans> {
    const kernel = this.#open();
    await flush(kernel);
    dropOldBodies(kernel, 0);
    const random = randomSource(11);
    const held = kernel.index.size;
    let queries = 0;
    const spans: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const wanted = new Set<number>();
      while (wanted.size < pages) wanted.add(1 + Math.floor(random() * held));
      dropOldBodies(kernel, 0);
      const before = this.#queries;
      const [span = 0] = await spansOf(1, 1, async () => {
        const found = await fault(kernel, [...wanted]);
        if (!found.ok || found.value.major !== pages) throw new Error("not every body came from D1");
      });
      queries = Math.max(queries, this.#queries - before);
      spans.push(span);
    }
    return { spans, count: queries };
  }

  #stats(): Stats {
    const kernel = this.#open();
    const row = kernel.sql
      .exec<{ segments: number; bytes: number; longest: number }>(
        `SELECT COUNT(*) AS segments, COALESCE(SUM(LENGTH(data)), 0) AS bytes, COALESCE(MAX(LENGTH(data)), 0) AS longest
         FROM index_segments`,
      )
      .one();
    return {
      pages: kernel.index.size,
      indexBytes: kernel.index.bytes,
      segments: row.segments,
      segmentBytes: row.bytes,
      longestSegment: row.longest,
    };
  }
}

interface Bindings {
  readonly SCALE: DurableObjectNamespace<ScaleProcess>;
}

export default {
  async fetch(request: Request, env: Bindings): Promise<Response> {
    if (request.method !== "POST") return new Response("ok");
    const object = env.SCALE.getByName("scale/init");
    const answer: Promise<object> = object.run(await request.json());
    return Response.json(await answer);
  },
};
