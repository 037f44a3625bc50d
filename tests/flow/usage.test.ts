/**
 * Usage: what runs used adds up over runs, processes and days to what `/v1/usage` says, for its user only.
 */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { dayOf, dayText } from "#shared/days.ts";
import { USAGE_DAYS, USAGE_USERS } from "#shared/limits.ts";
import { SCOPES } from "#shared/schema/keys.ts";
import { usageReportSchema, type UsageCounts, type UsageReport } from "#shared/schema/usage.ts";
import { callerOf, objectOf } from "#tests/kernel/process-client.ts";
import { newUser, type Reply, type User } from "#tests/workers/edge-client.ts";

const today = dayText(dayOf(Date.now()));

let user: User;
let runs: { readonly run: string; readonly usage: UsageCounts }[];

/** Has the process report now what it would report in some seconds. */
async function reported(name: string): Promise<void> {
  const object = objectOf(callerOf(name));
  await runInDurableObject(object, async (_process, ctx) => {
    ctx.storage.sql.exec("UPDATE timers SET due = 1 WHERE name = 'usage'");
    await ctx.storage.setAlarm(Date.now() + 60_000);
  });
  await runDurableObjectAlarm(object);
}

beforeAll(async () => {
  user = await newUser("usage");
  runs = [];
  for (const input of ["My dog is called Ada.", "What is my dog called?", "I live in Porto."]) {
    const { body } = await user.call("POST", "/v1/instructions", { input, stream: false });
    runs.push({ run: String(body["run"]), usage: body["usage"] as UsageCounts });
  }
  await user.call("POST", "/v1/instructions", { input: "/recall dog", stream: false });
  await reported("usage");
});

function sums(reply: Reply): UsageReport {
  expect([reply.status, reply.text]).toEqual([200, reply.text]);
  return usageReportSchema.parse(reply.body);
}

test("runs add up to days, models, processes and purposes", async () => {
  const all = runs.map(({ usage }) => usage);
  const sum = (key: "inputTokens" | "cachedTokens" | "outputTokens"): number =>
    all.reduce((total, usage) => total + usage[key], 0);
  expect(sum("inputTokens")).toBeGreaterThan(0);
  for (const [group, key] of [
    ["day", today],
    ["model", "lamina/extractive"],
    ["process", "init"],
    ["purpose", "run"],
  ] as const) {
    const { items, total } = sums(await user.call("GET", `/v1/usage?group=${group}`));
    expect(items.map((item) => item.key)).toEqual([key]);
    const { key: _, ...counts } = items[0] ?? { key };
    expect(counts).toEqual(total);
    for (const name of ["inputTokens", "cachedTokens", "outputTokens"] as const) expect(total[name]).toBe(sum(name));
    expect(total.calls).toBeGreaterThanOrEqual(3);
  }
});

test("runs are listed with what each used, newest first, page by page", async () => {
  const whole = sums(await user.call("GET", "/v1/usage?group=run"));
  const days = sums(await user.call("GET", "/v1/usage"));
  expect(whole.total).toEqual(days.total);
  expect(whole.items).toHaveLength(4);
  for (const { run, usage } of runs)
    expect(whole.items.find(({ key }) => key === run)).toMatchObject({ inputTokens: usage.inputTokens });
  expect(whole.items[0]).toMatchObject({ calls: 0, inputTokens: 0 }); // the command
  const first = sums(await user.call("GET", "/v1/usage?group=run&limit=3"));
  const second = sums(await user.call("GET", `/v1/usage?group=run&limit=3&cursor=${first.cursor ?? ""}`));
  expect([...first.items, ...second.items]).toEqual(whole.items);
  expect(second.cursor).toBeUndefined();
  expect(first.total).toEqual(whole.total);
});

test("a report that comes twice counts once", async () => {
  const before = sums(await user.call("GET", "/v1/usage")).total;
  await reported("usage");
  await reported("usage");
  expect(sums(await user.call("GET", "/v1/usage")).total).toEqual(before);
});

test("days outside of the range are not counted; a range has its limits", async () => {
  const { total, items } = sums(await user.call("GET", "/v1/usage?from=2020-01-01&to=2020-12-31"));
  expect([items, total.calls]).toEqual([[], 0]);
  expect(sums(await user.call("GET", "/v1/usage?group=run&from=2020-01-01&to=2020-12-31")).items).toEqual([]);
  expect(sums(await user.call("GET", `/v1/usage?from=${today}&to=${today}`)).total.calls).toBeGreaterThan(0);
  const longest = dayText(dayOf(Date.now()) - USAGE_DAYS + 1);
  const longer = dayText(dayOf(Date.now()) - USAGE_DAYS);
  expect((await user.call("GET", `/v1/usage?from=${longest}`)).status).toBe(200);
  for (const query of [
    `from=${longer}`,
    "from=2021-01-02&to=2021-01-01",
    "from=yesterday",
    "from=2021-02-30",
    "group=colour",
    "user=%2F",
  ]) {
    const reply = await user.call("GET", `/v1/usage?${query}`);
    expect([query, reply.status, reply.body["code"]]).toEqual([query, 400, "invalid_request"]);
  }
});

test("an unknown process has used nothing, and its runs are nobody's", async () => {
  expect(sums(await user.call("GET", "/v1/usage?process=other")).total.calls).toBe(0);
  expect((await user.call("GET", "/v1/usage?group=run&process=other")).status).toBe(404);
});

test("an admin sees any user, and all of them page by page", async () => {
  const admin = await newUser("usage-admin", SCOPES);
  const own = sums(await user.call("GET", "/v1/usage"));
  expect(sums(await admin.call("GET", "/v1/usage?user=usage"))).toEqual(own);
  const keys: string[] = [];
  for (let cursor = ""; ;) {
    const page = sums(await admin.call("GET", `/v1/usage?user=*&limit=1${cursor}`));
    keys.push(...page.items.map(({ key }) => key));
    expect(page.total).toMatchObject({ calls: page.items[0]?.calls ?? 0 });
    if (page.cursor === undefined) break;
    cursor = `&cursor=${page.cursor}`;
  }
  expect(keys).toEqual(keys.toSorted());
  expect(keys).toEqual(expect.arrayContaining(["usage", "usage-admin"]));
  const whole = sums(await admin.call("GET", `/v1/usage?user=*&limit=${USAGE_USERS}`));
  expect(whole.items.find(({ key }) => key === "usage")).toMatchObject({ ...own.total });
  expect((await admin.call("GET", "/v1/usage?user=nobody")).status).toBe(404);
  expect((await admin.call("GET", "/v1/usage?user=*&group=model")).status).toBe(400);
  expect((await admin.call("GET", "/v1/usage?user=usage&group=run")).status).toBe(404);
});

test("a ledger is nobody's but its user's", async () => {
  const ledger = env.LEDGER.getByName("usage");
  const stranger = { user: callerOf("stranger").user };
  const question = { from: 0, to: 100_000, group: "day" as const, process: null, limit: 5, after: null };
  expect(await ledger.usage(stranger, question)).toMatchObject({ ok: false, error: { code: "not_found" } });
  expect(await ledger.quotas(stranger)).toMatchObject({ ok: false, error: { code: "not_found" } });
  expect(await ledger.putQuota(stranger, null, null)).toMatchObject({ ok: false, error: { code: "not_found" } });
  const exchange = {
    caller: callerOf("stranger"),
    born: "1",
    seq: 1,
    day: dayOf(Date.now()),
    rows: [],
    complete: true,
    unsettled: [],
    hold: { microdollars: 0, tokens: 0 },
    want: null,
  };
  expect(await ledger.exchange(exchange)).toMatchObject({ ok: false, error: { code: "not_found" } });
  const unborn = env.LEDGER.getByName("usage-unborn");
  await unborn.quotas(stranger);
  const tables = await runInDurableObject(unborn, (_ledger, ctx) =>
    ctx.storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf_%'").toArray(),
  );
  expect(tables).toEqual([]);
});
