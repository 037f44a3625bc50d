/**
 * Own references: a log of a few runs, replayed by hand.
 */
import { describe, expect, it } from "vitest";
import { eventsOf, renderOwn, replayOwn, type Budget, type LoggedRun } from "#bench/own-references.ts";

type Reference = LoggedRun["references"][number];

function reference(how: Reference["how"], page: string | null, more: Partial<Reference> = {}): Reference {
  return { how, step: 1, page, message: null, tokens: 10, why: null, ...more };
}

function run(place: number, references: readonly Reference[], thread = "main"): LoggedRun {
  return { run: `run_init_${place}`, thread, at: "2026-01-01T00:00:00.000Z", references };
}

/** Each run adds a page of 10 tokens and an answer of 10; a body of 40 holds two runs. */
const BUDGET: Budget = { prefix: 100, low: 40, high: 40, prices: { write: 1, read: 0.1 } };

function turn(place: number, ...cited: string[]): LoggedRun {
  return run(place, [
    ...cited.map((page) => reference("cited", page)),
    reference("body", `p${place}`),
    reference("body", null, { message: place }),
  ]);
}

describe("a process's own references", () => {
  it("become wanted pages, calls and frames, without what the run itself brought", () => {
    const own = run(1, [
      reference("tail", "p7", { why: "named, excerpt" }),
      reference("tail", "p8", { why: "search" }),
      reference("found", "p6"),
      reference("fault", "p9", { step: 2 }),
      reference("cited", "p9", { step: 3 }),
      reference("cited", "p1", { step: 3 }),
      reference("body", "p1", { step: 3 }),
      reference("body", null, { message: 4, step: 3 }),
    ]);
    expect(eventsOf([own])).toEqual([
      {
        kind: "wanted",
        moment: 0,
        frames: [
          { id: 7, tokens: 10 },
          { id: 9, tokens: 10 },
        ],
      },
      { kind: "call" },
      { kind: "call" },
      { kind: "enter", frame: { id: 1, tokens: 10 } },
      { kind: "enter", frame: { id: -4, tokens: 10 } },
    ]);
  });

  it("tell what each policy would have kept", () => {
    // FIFO has let p1 go when p1 is wanted by the fourth run; whoever sees the future lets answers go first.
    const log = [turn(1), turn(2), turn(3), turn(4, "p1"), turn(5, "p1")];
    const { rows, wanted, runs, calls } = replayOwn(log, BUDGET);
    expect({ wanted, runs, calls }).toEqual({ wanted: 2, runs: 5, calls: 5 });
    const residency = Object.fromEntries(rows.map((row) => [row.policy, row.residency]));
    expect(residency).toMatchObject({ "Belady (bound)": 100, FIFO: 50, CLOCK: 50, SIEVE: 50 });
    expect(rows.find((row) => row.policy === "FIFO")?.gap).toBe(50);
    expect(rows.find((row) => row.policy === "Belady (bound)")?.gap).toBe(0);
  });

  it("tell what happened: the body by its recorded evictions, and the tail beside it", () => {
    const evicting = (place: number): LoggedRun => {
      const { references } = turn(place, "p1");
      return run(place, [reference("evicted", "p1"), reference("tail", "p1", { why: "search" }), ...references]);
    };
    const { rows, coverage } = replayOwn([turn(1), turn(2, "p1"), evicting(3)], BUDGET);
    expect(rows[0]).toMatchObject({ policy: "as recorded, with its tail", residency: 50, evictions: 1, faults: 0 });
    expect(coverage).toBe(100);
  });

  it("keeps the bodies of threads apart, and says so when nothing was wanted", () => {
    const apart = [turn(1), run(2, [reference("cited", "p1")], "other")];
    expect(replayOwn(apart, BUDGET).rows.map(({ residency }) => residency)).toEqual([0, 0, 0, 0, 0, 0]);
    const none = replayOwn([turn(1)], BUDGET);
    expect(none.rows.map(({ residency, gap }) => [residency, gap])).toEqual(
      Array.from({ length: 6 }, () => [null, null]),
    );
    expect(renderOwn(none, BUDGET)).toContain("No page was cited, read or named yet");
  });
});
