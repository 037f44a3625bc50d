/**
 * Overspending: whatever processes do, and whatever becomes of their messages, no quota is spent beyond its size.
 *
 * Model-based: random calls, ends, crashes, days, and exchanges that are lost, late or come twice, against the ledger's own code on
 * real SQLite. What counts as spent is what ended calls used and what calls under way may still use.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, it } from "vitest";
import { monthAround, readDay } from "#shared/days.ts";
import type { Amount, Exchange, Exchanged } from "#shared/ledger-api.ts";
import type { Result } from "#shared/result.ts";
import { PERIODS, quotaSchema, UNITS, type Quota } from "#shared/schema/quota.ts";
import { takeExchange } from "#kernel/ledger/exchange.ts";
import type { BudgetBook } from "#kernel/proc/budget-book.ts";
import { takenOf, type Quotas } from "#kernel/ledger/ledger-quotas.ts";
import { upgradeLedger } from "#kernel/ledger/ledger-schema.ts";
import { reportUsage } from "#kernel/ledger/usage-report.ts";
import { SimulatedProcess, type Fate } from "#tests/kernel/ledger/simulated-process.ts";

/** So that a run of some days crosses the end of a month. */
const FIRST_DAY = readDay("2026-01-30");
const NAMES = ["a", "b", "c"];

const amount = fc.record({ microdollars: fc.integer({ min: 0, max: 20 }), tokens: fc.integer({ min: 1, max: 30 }) });
const process = fc.integer({ min: 0, max: NAMES.length - 1 });
const fate = fc.constantFrom<Fate>("answered", "answered", "answered", "request-lost", "answer-lost", "late");

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("call" as const), process, amount, fate }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      process,
      which: fc.nat(20),
      percent: fc.integer({ min: 0, max: 100 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("report" as const), process, fate }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("overlap" as const), process, amount, many: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rest" as const), process, fate }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const), process }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("deliver" as const), which: fc.nat(20), keep: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("tomorrow" as const) }) },
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const size = fc.option(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 1500 })), {
  nil: null,
  freq: 3,
});
const allowance = fc.record({ microdollars: size, tokens: size });
const quota = fc.record({ day: allowance, month: allowance });

class World {
  readonly sql: SqlStorage;
  readonly quotas: Quotas;
  readonly processes = NAMES.map((name) => new SimulatedProcess(name, FIRST_DAY));
  /** Messages that are still on the way, or come again. */
  late: { readonly message: Exchange; readonly sender: SimulatedProcess; readonly book: BudgetBook }[] = [];
  day = FIRST_DAY;

  constructor(sql: SqlStorage, own: Quota, ofA: Quota) {
    this.sql = sql;
    this.quotas = { own, byDefault: null, processes: new Map([["a", ofA]]) };
  }

  at(index: number): SimulatedProcess {
    const found = this.processes[index];
    if (found === undefined) throw new Error("no such process");
    return found.onDay(this.day);
  }

  deliver(exchange: Exchange): Result<Exchanged> {
    return takeExchange(this.sql, exchange, this.quotas);
  }

  /** One exchange with this fate; the ledger's refusal never matters here, only what the process may use then. */
  exchange(sender: SimulatedProcess, want: Amount | null, what: Fate): void {
    const message = sender.exchange(want);
    if (what === "late") this.late.push({ message, sender, book: sender.book });
    if (what === "late" || what === "request-lost") return;
    const answer = this.deliver(message);
    expect(answer.ok).toBe(true);
    if (answer.ok && what === "answered") sender.hear(message, answer.value);
  }

  do(one: Step): void {
    switch (one.do) {
      case "call": {
        const caller = this.at(one.process);
        if (!caller.book.fits(one.amount)) this.exchange(caller, one.amount, one.fate);
        if (caller.book.fits(one.amount)) caller.begin(one.amount);
        break;
      }
      case "end": {
        const caller = this.at(one.process);
        const living = caller.calls.filter((call) => !call.dead);
        const call = living[one.which % Math.max(1, living.length)];
        if (call !== undefined) caller.end(call, one.percent);
        break;
      }
      case "report":
        this.exchange(this.at(one.process), null, one.fate);
        break;
      case "overlap": {
        // What it keeps may be used while an exchange is on its way.
        const caller = this.at(one.process);
        const message = caller.exchange(null);
        for (let call = 0; call < one.many && caller.book.fits(one.amount); call += 1) caller.begin(one.amount);
        const answer = this.deliver(message);
        if (answer.ok) caller.hear(message, answer.value);
        break;
      }
      case "rest": {
        const caller = this.at(one.process);
        caller.book.giveBack();
        this.exchange(caller, null, one.fate);
        break;
      }
      case "crash":
        this.at(one.process).crash(this.day);
        break;
      case "deliver": {
        const [late] = this.late.splice(one.which % Math.max(1, this.late.length), 1);
        if (late === undefined) break;
        const { message, sender, book } = late;
        const answer = this.deliver(message);
        // Who still waits hears it, and may have used what it kept meanwhile.
        if (answer.ok && sender.seq === message.seq && sender.book === book) sender.hear(message, answer.value);
        if (one.keep) this.late.push(late);
        break;
      }
      case "tomorrow":
        this.day += 1;
        break;
    }
  }

  /** What one process used or may still use on a day, of what counts for the quotas of today. */
  spent(spender: SimulatedProcess, day: number): Amount {
    const sum = { ...spender.usedOn(day) };
    for (const call of spender.calls) {
      // What a dead call set aside is free when its day is over.
      if (call.day !== day || (call.dead && day < this.day)) continue;
      sum.microdollars += call.amount.microdollars;
      sum.tokens += call.amount.tokens;
    }
    return sum;
  }

  check(): void {
    const all: [Quota, SimulatedProcess[]][] = [[this.quotas.own ?? quotaSchema.parse({}), this.processes]];
    for (const [name, own] of this.quotas.processes) all.push([own, this.processes.filter((one) => one.name === name)]);
    for (const [limits, spenders] of all) {
      for (const period of PERIODS) {
        const { first, next } = period === "day" ? { first: this.day, next: this.day + 1 } : monthAround(this.day);
        for (const unit of UNITS) {
          let sum = 0;
          for (let day = first; day < next; day += 1)
            for (const spender of spenders) sum += this.spent(spender, day)[unit];
          expect({ period, unit, fits: sum <= (limits[period][unit] ?? Infinity), sum }).toMatchObject({ fits: true });
        }
      }
    }
  }

  /** After everybody ended their calls and reported, the ledger says what the processes say, and nothing is held. */
  settle(): void {
    for (const one of this.processes) {
      one.onDay(this.day);
      for (const call of one.calls.filter(({ dead }) => !dead)) one.end(call, 50);
      one.book.giveBack();
      this.exchange(one, null, "answered");
    }
    for (const { message } of this.late) this.deliver(message);
    const question = { from: 0, to: this.day, group: "process" as const, process: null, limit: 10, after: null };
    const report = reportUsage(this.sql, question);
    for (const one of this.processes) {
      const rows = [...one.rows.values()];
      const sum = (pick: (row: (typeof rows)[number]) => number): number =>
        rows.reduce((all, row) => all + pick(row), 0);
      const item = report.items.find(({ key }) => key === one.name);
      expect(item?.calls ?? 0).toBe(sum((row) => row.calls));
      expect(item?.inputTokens ?? 0).toBe(sum((row) => row.inputTokens));
      expect(item?.microdollars ?? 0).toBe(sum((row) => row.microdollars));
      for (const unit of UNITS) {
        const limit = { process: one.name, period: "month" as const, unit, size: 0 };
        const dead = one.calls.reduce((all, call) => all + (call.day === this.day ? call.amount[unit] : 0), 0);
        const { used, taken } = takenOf(this.sql, limit, this.day);
        expect(taken).toBe(used + dead);
      }
    }
  }
}

it("never happens, and the ledger's sums are the processes' sums", async () => {
  await runInDurableObject(env.LEDGER.getByName("overspending"), (_ledger, ctx) => {
    upgradeLedger(ctx.storage);
    fc.assert(
      fc.property(quota, quota, fc.array(step, { minLength: 50, maxLength: 200 }), (own, ofA, steps) => {
        for (const table of ["usage", "days", "exchanges"]) ctx.storage.sql.exec(`DELETE FROM ${table}`);
        const world = new World(ctx.storage.sql, own, ofA);
        for (const one of steps) {
          world.do(one);
          world.check();
        }
        world.settle();
      }),
      { numRuns: 200 },
    );
  });
}, 120_000);

it("does not keep anybody from using all there is", async () => {
  await runInDurableObject(env.LEDGER.getByName("all-of-it"), (_ledger, ctx) => {
    upgradeLedger(ctx.storage);
    const own = quotaSchema.parse({ day: { tokens: 1000 } });
    const world = new World(ctx.storage.sql, own, quotaSchema.parse({}));
    for (const turn of Array.from({ length: 200 }, (_, index) => index)) {
      world.do({ do: "call", process: turn % 3, amount: { microdollars: 0, tokens: 10 }, fate: "answered" });
      for (const one of world.processes) for (const call of one.calls) one.end(call, 100);
      if (turn % 20 === 19) for (const one of [0, 1, 2]) world.do({ do: "rest", process: one, fate: "answered" });
    }
    const used = world.processes.reduce((sum, one) => sum + one.usedOn(FIRST_DAY).tokens, 0);
    expect(used).toBe(1000);
  });
});
