/**
 * Roster: what crashed holders left is forgotten, what lives is not, and every count comes back to nothing.
 */
import { describe, expect, it } from "vitest";
import { PROGRAM_IDLE_MS, PROGRAMS_KNOWN, USERS_KNOWN } from "#shared/limits.ts";
import { Roster } from "#kernel/sched/policies/roster.ts";

const IDLE = PROGRAM_IDLE_MS / 1_000;
const ended = { charged: 2, seconds: 3, learn: true, over: false };

/** One call of the program, from its arrival to its end. */
function call(roster: Roster, program: string, user: string, now: number, over = false): void {
  const state = roster.enqueued(program, user, now);
  roster.taken(state, now);
  if (roster.ended(state, { ...ended, over }, now).programOver) roster.forgetProgram(state);
}

describe("the roster", () => {
  it("forgets a program and a user from whom nothing comes, and starts anew when they come back", () => {
    const roster = new Roster();
    call(roster, "crashed", "ada", 0);
    expect(roster.enqueued("crashed", "ada", IDLE - 1).stages).toBe(1);
    roster.withdrawn(roster.enqueued("crashed", "ada", IDLE - 1));
    const again = new Roster();
    call(again, "crashed", "ada", 0);
    call(again, "other", "bob", IDLE + 1);
    expect([...again.programs.values()].map(({ name }) => name)).toEqual(["other"]);
    call(again, "other", "bob", 3 * IDLE);
    expect([...again.users.keys()]).toEqual(["bob"]);
    expect(again.enqueued("crashed", "ada", 3 * IDLE).stages).toBe(0);
  });

  it("knows PROGRAMS_KNOWN programs at the most, and keeps those whose calls wait or run", () => {
    const roster = new Roster();
    roster.enqueued("waits", "ada", 0);
    const runs = roster.enqueued("runs", "ada", 0);
    roster.taken(runs, 0);
    for (let index = 0; index < PROGRAMS_KNOWN + 500; index += 1) call(roster, `never ends ${index}`, "bob", 1);
    expect(roster.programs.size).toBeLessThanOrEqual(PROGRAMS_KNOWN + 2);
    const names = [...roster.programs.values()].map(({ name }) => name);
    expect(names).toContain("waits");
    expect(names).toContain("runs");
    expect(names).not.toContain("never ends 0");
  });

  it("knows USERS_KNOWN users at the most, and keeps those whose calls wait or run", () => {
    const roster = new Roster();
    const runs = roster.enqueued("runs", "ada", 0);
    roster.taken(runs, 0);
    for (let index = 0; index < USERS_KNOWN + 500; index += 1) call(roster, "short", `user ${index}`, 1, true);
    expect(roster.users.size).toBeLessThanOrEqual(USERS_KNOWN + 1);
    expect(roster.users.has("ada")).toBe(true);
    expect(roster.users.has("user 0")).toBe(false);
    roster.ended(runs, ended, 2);
    expect(roster.activeUsers).toBe(0);
  });

  it("keeps a program whose call runs for longer than the idle time", () => {
    const roster = new Roster();
    const long = roster.enqueued("long", "ada", 0);
    roster.taken(long, 0);
    call(roster, "other", "bob", 2 * IDLE);
    expect(roster.enqueued("long", "ada", 2 * IDLE).width).toBe(2);
  });

  it("never takes two users' programs of one name for one", () => {
    const roster = new Roster();
    call(roster, "run", "ada", 0);
    expect(roster.enqueued("run", "bob", 0).stages).toBe(0);
  });

  it("counts a program that goes on after its end as a new one", () => {
    const roster = new Roster();
    call(roster, "run", "ada", 0, true);
    expect(roster.programs.size).toBe(0);
    expect(roster.enqueued("run", "ada", 1).stages).toBe(0);
  });

  it("takes back the end of a program that sends another call before its stage is over", () => {
    const roster = new Roster();
    const [one] = [roster.enqueued("run", "ada", 0), roster.enqueued("run", "ada", 0)];
    roster.taken(one, 0);
    expect(roster.ended(one, { ...ended, over: true }, 1)).toMatchObject({ finished: false, programOver: false });
    roster.enqueued("run", "ada", 1);
    roster.withdrawn(one);
    expect(roster.withdrawn(one)).toMatchObject({ finished: true, taught: true, programOver: false });
  });

  it("counts who is active, and charges what a call took", () => {
    const roster = new Roster();
    const one = roster.enqueued("a", "ada", 0);
    const two = roster.enqueued("b", "bob", 0);
    expect(roster.activeUsers).toBe(2);
    const charged = roster.taken(one, 0);
    expect(one.user.used).toBe(charged);
    roster.ended(one, { ...ended, charged, seconds: 7 }, 0);
    expect(one.user.used).toBeCloseTo(7);
    roster.withdrawn(two);
    expect(roster.activeUsers).toBe(0);
  });
});
