/**
 * Simulated process: the real budget book with a stored state that survives crashes, and a line to the ledger that loses messages.
 */
import type { Amount, Exchange, Exchanged, UsageRow } from "#shared/ledger-api.ts";
import { BudgetBook } from "#kernel/proc/budget-book.ts";

export interface Call {
  readonly day: number;
  readonly amount: Amount;
  /** The instance that made it died: nobody knows what it used. */
  dead: boolean;
}

/** What becomes of one exchange. */
export type Fate = "answered" | "request-lost" | "answer-lost" | "late";

export class SimulatedProcess {
  readonly name: string;
  readonly rows = new Map<string, UsageRow>();
  readonly reported = new Map<string, number>();
  calls: Call[] = [];
  book: BudgetBook;
  seq = 0;

  constructor(name: string, day: number) {
    this.name = name;
    this.book = this.#open(day);
  }

  /** A new instance, or a new day. */
  #open(day: number): BudgetBook {
    this.calls = this.calls.filter((call) => !call.dead || call.day >= day);
    const reserved = new Map<number, Amount>();
    for (const { day: began, amount } of this.calls) {
      const sum = reserved.get(began) ?? { microdollars: 0, tokens: 0 };
      reserved.set(began, {
        microdollars: sum.microdollars + amount.microdollars,
        tokens: sum.tokens + amount.tokens,
      });
    }
    return new BudgetBook({ day, used: this.usedOn(day), reserved });
  }

  onDay(day: number): this {
    if (this.book.day !== day) this.book = this.#open(day);
    return this;
  }

  crash(day: number): void {
    for (const call of this.calls) call.dead = true;
    this.book = this.#open(day);
  }

  usedOn(day: number): Amount {
    const sum = { microdollars: 0, tokens: 0 };
    for (const row of this.rows.values()) {
      if (row.day !== day) continue;
      sum.microdollars += row.microdollars;
      sum.tokens += row.inputTokens + row.outputTokens;
    }
    return sum;
  }

  begin(amount: Amount): void {
    this.book.reserve(amount);
    this.calls.push({ day: this.book.day, amount, dead: false });
  }

  /** Ends the call, which used `percent` of what was set aside for it. */
  end(call: Call, percent: number): void {
    this.calls = this.calls.filter((other) => other !== call);
    const part = (whole: number): number => Math.floor((whole * percent) / 100);
    const used = { microdollars: part(call.amount.microdollars), tokens: part(call.amount.tokens) };
    this.book.settle(call.day, call.amount, used);
    const model = `m${call.amount.tokens % 2}`;
    const key = `${call.day} ${model}`;
    const row = this.rows.get(key) ?? { ...EMPTY, day: call.day, model, purpose: "run" };
    this.rows.set(key, {
      ...row,
      version: row.version + 1,
      calls: row.calls + 1,
      inputTokens: row.inputTokens + used.tokens,
      microdollars: row.microdollars + used.microdollars,
    });
  }

  exchange(want: Amount | null): Exchange {
    this.seq += 1;
    const unreported = [...this.rows].filter(([key, row]) => row.version > (this.reported.get(key) ?? 0));
    return {
      caller: { user: "u", process: this.name, shard: 0 },
      born: "1",
      seq: this.seq,
      rows: unreported.map(([, row]) => row),
      complete: true,
      want,
      ...this.book.statement(),
    };
  }

  /** The answer to the exchange made last. */
  hear(exchange: Exchange, answer: Exchanged): void {
    for (const row of exchange.rows) this.reported.set(`${row.day} ${row.model}`, row.version);
    this.book.take(answer, 0);
  }
}

const EMPTY = {
  version: 0,
  calls: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  microdollars: 0,
  neurons: 0,
  ms: 0,
};
