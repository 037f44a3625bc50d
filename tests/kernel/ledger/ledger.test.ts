/**
 * Ledger: the edges of what it takes, keeps and refuses.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { dayOf } from "#shared/days.ts";
import type { Exchange, UsageRow } from "#shared/ledger-api.ts";
import { LEDGER_ROWS, LIST_ITEMS_MOST, QUOTA_PROCESSES, USAGE_DAYS, USAGE_KEPT_DAYS } from "#shared/limits.ts";
import { quotaSchema } from "#shared/schema/quota.ts";
import { exchange } from "#kernel/proc/ledger-exchange.ts";
import { addUsage } from "#kernel/proc/usage-rows.ts";
import { inKernel, installSeam } from "#tests/kernel/kernel-seam.ts";
import { callerOf } from "#tests/kernel/process-client.ts";

installSeam();

const today = dayOf(Date.now());

const row = (day: number, more: Partial<UsageRow> = {}): UsageRow => ({
  day,
  model: "m",
  purpose: "run",
  version: 1,
  calls: 1,
  inputTokens: 1,
  cachedTokens: 0,
  outputTokens: 0,
  microdollars: 0,
  neurons: 0,
  ms: 0,
  ...more,
});

function message(user: string, seq: number, more: Partial<Exchange> = {}): Exchange {
  return {
    caller: { ...callerOf(user) },
    born: "1",
    seq,
    day: today,
    rows: [],
    complete: true,
    unsettled: [],
    hold: { microdollars: 0, tokens: 0 },
    want: null,
    ...more,
  };
}

it("takes LEDGER_ROWS rows and days around its own, and nothing malformed", async () => {
  const ledger = env.LEDGER.getByName("edges");
  const many = Array.from({ length: LEDGER_ROWS }, (_, index) => row(today, { model: `m${index}` }));
  expect(await ledger.exchange(message("edges", 1, { rows: many }))).toMatchObject({ ok: true });
  expect(await ledger.exchange(message("edges", 2, { rows: [...many, row(today)] }))).toMatchObject({ ok: false });
  for (const [day, ok] of [
    [today - 2, false],
    [today - 1, true],
    [today + 1, true],
    [today + 2, false],
  ] as const)
    expect([day, (await ledger.exchange(message("edges", day, { day }))).ok]).toEqual([day, ok]);
  for (const wrong of [
    { seq: 0 },
    { born: "x" },
    { rows: [row(today, { calls: -1 })] },
    { want: { tokens: 1 } as never },
  ])
    expect(await ledger.exchange(message("edges", 1e9, wrong))).toMatchObject({
      ok: false,
      error: { code: "invalid_request" },
    });
});

it("answers no question that is none", async () => {
  const ledger = env.LEDGER.getByName("questions");
  const question = { from: today, to: today, group: "day", process: null, limit: 1, after: null } as const;
  expect(await ledger.usage(callerOf("questions"), question)).toMatchObject({ ok: true });
  for (const wrong of [{ group: "sqlite_master" as never }, { limit: LIST_ITEMS_MOST + 1 }, { from: 0.5 }])
    expect(await ledger.usage(callerOf("questions"), { ...question, ...wrong })).toMatchObject({
      ok: false,
      error: { code: "invalid_request" },
    });
});

it("ignores an exchange that is not above the last, and takes its newer rows all the same", async () => {
  const ledger = env.LEDGER.getByName("stale");
  await ledger.putQuota(callerOf("stale"), null, quotaSchema.parse({ day: { tokens: 100 } }));
  const hold = { microdollars: 0, tokens: 30 };
  expect(await ledger.exchange(message("stale", 5, { hold }))).toMatchObject({
    ok: true,
    value: { left: { tokens: 70 } },
  });
  const late = message("stale", 5, { rows: [row(today, { version: 3, inputTokens: 9 })] });
  expect(await ledger.exchange(late)).toMatchObject({ ok: false, error: { code: "conflict" } });
  const older = { rows: [row(today, { version: 2, inputTokens: 4 })], hold };
  expect(await ledger.exchange(message("stale", 6, older))).toMatchObject({
    ok: true,
    value: { left: { tokens: 70 } },
  });
  const view = await ledger.quotas(callerOf("stale"));
  expect(view).toMatchObject({ ok: true, value: { state: [{ used: 9, held: 21, left: 70 }] } });
});

it("keeps quotas of QUOTA_PROCESSES processes and no more, and any of them may change", async () => {
  const ledger = env.LEDGER.getByName("quotas");
  const quota = quotaSchema.parse({ day: { tokens: 1 } });
  const put = async (name: string): Promise<boolean> => (await ledger.putQuota(callerOf("quotas"), name, quota)).ok;
  for (let index = 0; index < QUOTA_PROCESSES; index += 1) expect(await put(`p${index}`)).toBe(true);
  expect(await put("one-more")).toBe(false);
  expect(await put("p0")).toBe(true);
  expect((await ledger.putQuota(callerOf("quotas"), null, quota)).ok).toBe(true);
});

it("drops what is older than USAGE_DAYS", async () => {
  const ledger = env.LEDGER.getByName("old");
  await ledger.exchange(
    message("old", 1, { day: today - 1, rows: [row(today - USAGE_DAYS - 1), row(today - USAGE_DAYS)] }),
  );
  const days = () =>
    runInDurableObject(ledger, (_ledger, ctx) => ctx.storage.sql.exec("SELECT day FROM usage ORDER BY day").toArray());
  expect(await days()).toHaveLength(2);
  await ledger.exchange(message("old", 2));
  expect(await days()).toEqual([{ day: today - USAGE_DAYS }]);
});

it("hears all rows of a process that has more than one exchange may hold; the process drops what is old and known", async () => {
  const caller = callerOf("rows");
  const [known, kept] = [today - USAGE_KEPT_DAYS - 1, today - USAGE_KEPT_DAYS];
  const counts = { calls: 1, inputTokens: 2, cachedTokens: 0, outputTokens: 0, microdollars: 0, neurons: 0, ms: 0 };
  await inKernel(caller, async (kernel) => {
    for (let index = 0; index <= LEDGER_ROWS; index += 1)
      addUsage(kernel, { day: index % 2 === 0 ? known : kept, model: `m${index}`, purpose: "run" }, counts);
    expect(await exchange(kernel, null)).toMatchObject({ ok: true });
    kernel.budget = null;
    expect(await exchange(kernel, null)).toMatchObject({ ok: true });
    expect(kernel.sql.exec("SELECT DISTINCT day FROM usage").toArray()).toEqual([{ day: kept }]);
  });
  const question = { from: 0, to: today, group: "day" as const, process: null, limit: 10, after: null };
  const report = await env.LEDGER.getByName("rows").usage(callerOf("rows"), question);
  expect(report).toMatchObject({ ok: true, value: { total: { calls: LEDGER_ROWS + 1 } } });
});
