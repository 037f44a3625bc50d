/**
 * Alarm: many timers over one alarm, none lost, none allowed to throw out of it.
 */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { EVENTS_MS, HEARTBEAT_MS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { clearTimer, ringAlarm, setTimer, type TimerName, type TimerWork } from "#kernel/proc/alarm.ts";
import { expire } from "#kernel/proc/expire.ts";
import { transact } from "#kernel/proc/transact.ts";
import { inKernel, installSeam, rows } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf } from "#tests/kernel/process-client.ts";

installSeam();

const DAY = 86_400_000;

/** The kernel with a clock of its own, far enough ahead that no real alarm rings meanwhile. */
function ahead(kernel: Kernel): { readonly kernel: Kernel; at: number } {
  const clock = { kernel, at: Date.now() + 10 * DAY };
  clock.kernel = { ...kernel, alarmAt: null, timers: new Map(), now: () => clock.at };
  kernel.sql.exec("DELETE FROM timers");
  return clock;
}

function work(done: string[], more: Partial<TimerWork> = {}): TimerWork {
  const note = (name: TimerName) => () => void done.push(name);
  return {
    heartbeat: note("heartbeat"),
    flush: note("flush"),
    expire: note("expire"),
    summarise: note("summarise"),
    documents: note("documents"),
    latent: note("latent"),
    embed: note("embed"),
    idle: note("idle"),
    usage: note("usage"),
    ...more,
  };
}

const due = (kernel: Kernel): Record<string, number> =>
  Object.fromEntries(
    kernel.sql
      .exec<{ name: string; due: number }>("SELECT name, due FROM timers")
      .toArray()
      .map((row) => [row.name, row.due]),
  );

describe("the alarm", () => {
  it("rings for the earliest timer", async () => {
    await inKernel(callerOf("alarm-earliest"), async (real) => {
      const clock = ahead(real);
      setTimer(clock.kernel, "expire", clock.at + 5_000);
      expect(await real.storage.getAlarm()).toBe(clock.at + 5_000);
      setTimer(clock.kernel, "flush", clock.at + 1_000);
      expect(await real.storage.getAlarm()).toBe(clock.at + 1_000);
      setTimer(clock.kernel, "flush", clock.at + 3_000); // not later than it was
      expect(due(clock.kernel)["flush"]).toBe(clock.at + 1_000);
      clearTimer(clock.kernel, "expire");
      clearTimer(clock.kernel, "flush");
    });
  });

  it("does only what is due, then arms the next", async () => {
    await inKernel(callerOf("alarm-due"), async (real) => {
      const clock = ahead(real);
      setTimer(clock.kernel, "flush", clock.at + 1_000);
      setTimer(clock.kernel, "expire", clock.at + 9_000);
      clock.at += 2_000;
      const done: string[] = [];
      await ringAlarm(clock.kernel, work(done));
      expect(done).toEqual(["flush"]);
      expect(due(clock.kernel)).toEqual({ expire: clock.at + 7_000 });
      expect(await real.storage.getAlarm()).toBe(clock.at + 7_000);
      clearTimer(clock.kernel, "expire");
    });
  });

  it("retries a timer that throws, later and later, and does the others all the same", async () => {
    await inKernel(callerOf("alarm-throws"), async (real) => {
      const clock = ahead(real);
      const done: string[] = [];
      const waits: number[] = [];
      setTimer(clock.kernel, "flush", clock.at);
      for (let turn = 0; turn < 12; turn += 1) {
        setTimer(clock.kernel, "heartbeat", clock.at);
        await ringAlarm(
          clock.kernel,
          work(done, {
            flush: () => {
              throw new Error("no");
            },
          }),
        );
        const next = due(clock.kernel)["flush"] ?? 0;
        waits.push(next - clock.at);
        clock.at = next;
      }
      expect(done).toEqual(Array.from({ length: 12 }, () => "heartbeat"));
      expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
      expect(waits.at(-1)).toBe(300_000);
      clearTimer(clock.kernel, "flush");
    });
  });

  it("keeps a timer that its own work sets, whether soon or late", async () => {
    await inKernel(callerOf("alarm-sets-itself"), async (real) => {
      for (const wait of [1_000, HEARTBEAT_MS, DAY]) {
        const clock = ahead(real);
        setTimer(clock.kernel, "expire", clock.at);
        await ringAlarm(clock.kernel, work([], { expire: (kernel) => setTimer(kernel, "expire", clock.at + wait) }));
        expect(due(clock.kernel)).toEqual({ expire: clock.at + wait });
      }
      clearTimer(real, "expire");
    });
  });

  it("keeps no memory of a timer that another one's work set and that was then done", async () => {
    await inKernel(callerOf("alarm-set-while-ringing"), async (real) => {
      const clock = ahead(real);
      setTimer(clock.kernel, "documents", clock.at);
      setTimer(clock.kernel, "idle", clock.at);
      const done: string[] = [];
      // Something is written while the first timer's work waits, and is done by the second one at once.
      await ringAlarm(clock.kernel, work(done, { documents: (kernel) => setTimer(kernel, "idle", clock.at + 10) }));
      expect([done, due(clock.kernel)]).toEqual([["idle"], {}]);
      setTimer(clock.kernel, "idle", clock.at + 20);
      expect(due(clock.kernel)).toEqual({ idle: clock.at + 20 });
      clearTimer(clock.kernel, "idle");
    });
  });

  it("takes a timer that is set anew while a failed one waits, at the earlier time", async () => {
    await inKernel(callerOf("alarm-fails-then-set"), async (real) => {
      const clock = ahead(real);
      setTimer(clock.kernel, "flush", clock.at);
      await ringAlarm(
        clock.kernel,
        work([], {
          flush: (kernel) => {
            setTimer(kernel, "flush", clock.at + 10);
            throw new Error("no");
          },
        }),
      );
      expect(due(clock.kernel)["flush"]).toBe(clock.at + 1_000);
      setTimer(clock.kernel, "flush", clock.at + 100);
      expect(due(clock.kernel)["flush"]).toBe(clock.at + 100);
      clearTimer(clock.kernel, "flush");
    });
  });

  it("is set again after the transaction that set it was taken back", async () => {
    await inKernel(callerOf("alarm-rolled-back"), async (real) => {
      const clock = ahead(real);
      const at = clock.at + 5_000;
      const broken = (): void =>
        transact(clock.kernel, () => {
          setTimer(clock.kernel, "expire", at);
          throw new Error("taken back");
        });
      expect(broken).toThrow("taken back");
      expect(due(clock.kernel)).toEqual({});
      setTimer(clock.kernel, "expire", at);
      expect(due(clock.kernel)).toEqual({ expire: at });
      expect(await real.storage.getAlarm()).toBe(at);
      clearTimer(clock.kernel, "expire");
    });
  });

  it("comes back to work that was cut off", async () => {
    await inKernel(callerOf("alarm-cut"), async (real) => {
      const clock = ahead(real);
      setTimer(clock.kernel, "flush", clock.at);
      void ringAlarm(clock.kernel, work([], { flush: () => new Promise(() => undefined) }));
      const next = due(clock.kernel)["flush"] ?? 0;
      expect(next).toBeGreaterThan(clock.at);
      clock.at = next;
      const done: string[] = [];
      await ringAlarm(clock.kernel, work(done));
      expect(done).toEqual(["flush"]);
      expect(due(clock.kernel)).toEqual({});
    });
  });

  it("does nothing in an object that is no process", async () => {
    const object = objectOf(callerOf("nobody", "never-spawned"));
    await runInDurableObject(object, (_instance, ctx) => ctx.storage.setAlarm(Date.now() + DAY));
    expect(await runDurableObjectAlarm(object)).toBe(true);
    const tables = await runInDurableObject(object, (_instance, ctx) =>
      ctx.storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf_%'").toArray(),
    );
    expect(tables).toEqual([]);
  });
});

describe("expire", () => {
  it("drops events at the end of their day, not before, run by run", async () => {
    const caller = callerOf("expire");
    const first = await ask(caller, "hello");
    const second = await ask(caller, "hello again");
    await inKernel(caller, (real) => {
      const clock = ahead(real);
      const end = clock.at;
      real.sql.exec("UPDATE runs SET created_at = ?1, finished_at = ?1 WHERE id = ?2", end, first.run);
      real.sql.exec("UPDATE runs SET created_at = ?1, finished_at = ?1 WHERE id = ?2", end + 3_600_000, second.run);
      const kept = (): string[] =>
        real.sql
          .exec<{ run: string }>("SELECT DISTINCT run FROM events ORDER BY run")
          .toArray()
          .map((row) => row.run);
      clock.at = end + EVENTS_MS;
      expire(clock.kernel);
      expect(kept()).toEqual([first.run, second.run]);
      clock.at = end + EVENTS_MS + 1;
      clearTimer(clock.kernel, "expire");
      expire(clock.kernel);
      expect(kept()).toEqual([second.run]);
      expect(due(clock.kernel)["expire"]).toBe(end + 3_600_000 + EVENTS_MS + 1);
      clock.at = end + 3_600_000 + EVENTS_MS + 1;
      expire(clock.kernel);
      expect(kept()).toEqual([]);
    });
    expect(await rows(caller, "SELECT state FROM runs")).toEqual([{ state: "done" }, { state: "done" }]);
  });

  it("drops remembered replies of a process that never ran anything", async () => {
    const caller = callerOf("expire-replies");
    await objectOf(caller).writePage(caller, { text: "The kettle is red." }, "key");
    await inKernel(caller, (real) => {
      expect(due(real)["expire"]).toBeGreaterThan(Date.now());
      const clock = ahead(real);
      expire(clock.kernel);
      expect(real.sql.exec("SELECT 1 FROM replies").toArray()).toEqual([]);
    });
  });
});
