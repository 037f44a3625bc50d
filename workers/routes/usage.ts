/**
 * `GET /v1/usage`: what was used, by day, model, process, purpose or run; with the scope `admin` of any user, or of all.
 *
 * The sums are those that processes reported to the user's ledger, some seconds after the fact; runs are read from their process,
 * up to the moment.
 */
import { createRoute } from "@hono/zod-openapi";
import type { z } from "zod";
import { dayOf, dayText, monthAround, readDay } from "#shared/days.ts";
import { failure } from "#shared/errors.ts";
import { INIT_PROCESS, parseUserId, type UserId } from "#shared/ids.ts";
import type { UsageQuestion } from "#shared/ledger-api.ts";
import { USAGE_DAYS, USAGE_USERS } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import {
  usageQuery,
  usageReportSchema,
  type UsageCounts,
  type UsageItem,
  type UsageReport,
} from "#shared/schema/usage.ts";
import { listUsers } from "#workers/directory.ts";
import type { Edge, EdgeContext } from "#workers/edge.ts";
import { askLedger } from "#workers/ledger.ts";
import { requireScope } from "#workers/middleware/scope.ts";
import { NO_PROCESS } from "#workers/middleware/validation.ts";
import { answer, problem } from "#workers/reply.ts";
import { callerOf } from "#workers/routes/caller.ts";
import { KEY_NEEDED, responses } from "#workers/routes/documented.ts";
import { ONLY_ADMIN, whose } from "#workers/routes/quotas.ts";
import { trap } from "#workers/trap.ts";

type Query = z.output<typeof usageQuery>;

const getUsage = createRoute({
  method: "get",
  path: "/v1/usage",
  summary: "Tokens, cost and time that were used",
  description:
    "Days are UTC. Usage appears some seconds after a call ended. Totals are of the whole range, not of one page.",
  security: KEY_NEEDED,
  middleware: [requireScope("run")],
  request: { query: usageQuery },
  responses: responses(200, "Usage", usageReportSchema),
});

export function addUsageRoute(app: Edge): void {
  app.openapi(getUsage, async (context): Promise<Response> => {
    const query = context.req.valid("query");
    const range = rangeOf(query, Date.now());
    if (!range.ok) return problem(context, range.error);
    return answer(context, usageReportSchema, await report(context, query, range.value));
  });
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function rangeOf({ from, to }: Query, now: number): Result<Range> {
  const last = to === undefined ? dayOf(now) : readDay(to);
  const first = from === undefined ? monthAround(last).first : readDay(from);
  if (first > last) return failed(failure("invalid_request", "from: is after `to`."));
  if (last - first >= USAGE_DAYS)
    return failed(failure("invalid_request", `from: lies more than ${USAGE_DAYS} days before \`to\`.`));
  return success({ from: first, to: last });
}

async function report(context: EdgeContext, query: Query, range: Range): Promise<Result<UsageReport>> {
  if (query.user === "*") return everybody(context, query, range);
  const named = query.user === undefined ? undefined : parseUserId(query.user);
  if (named === null) return failed(failure("invalid_request", "user: is not a user name."));
  const user = await whose(context, named);
  if (!user.ok) return user;
  return query.group === "run" ? byRun(context, user.value, query, range) : byLedger(context, user.value, query, range);
}

function byLedger(context: EdgeContext, user: UserId, query: Query, range: Range): Promise<Result<UsageReport>> {
  const { group, process = null, limit, cursor = null } = query;
  const question: UsageQuestion = { ...range, group: group === "run" ? "day" : group, process, limit, after: cursor };
  return askLedger(context.env, user, (ledger) => ledger.usage({ user }, question));
}

/** Runs of one process, newest first. Only their own user reads them, as everywhere. */
async function byRun(context: EdgeContext, user: UserId, query: Query, range: Range): Promise<Result<UsageReport>> {
  if (user !== context.get("principal").user) return failed(NO_PROCESS);
  const caller = await callerOf(context, query.process ?? INIT_PROCESS);
  if (!caller.ok) return caller;
  const question = { ...range, limit: query.limit, before: query.cursor ?? null };
  const runs = await trap(context.env, caller.value, (api) => api.usageOfRuns(caller.value, question));
  if (!runs.ok) return runs;
  const quotas = await askLedger(context.env, user, (ledger) => ledger.quotas({ user }));
  return quotas.ok ? success({ ...shown(range), ...runs.value, quota: quotas.value.state }) : quotas;
}

/** All users, some at a time, by name: the sum of each. */
async function everybody(context: EdgeContext, query: Query, range: Range): Promise<Result<UsageReport>> {
  if (!context.get("principal").scopes.includes("admin")) return failed(ONLY_ADMIN);
  if (query.process !== undefined || query.group !== "day")
    return failed(failure("invalid_request", "user: `*` goes with neither `process` nor `group`."));
  const limit = Math.min(query.limit, USAGE_USERS);
  const users = await listUsers(context.env.DB, limit + 1, query.cursor ?? "");
  const items: UsageItem[] = [];
  for (const user of users.slice(0, limit)) {
    const question: UsageQuestion = { ...range, group: "day", process: null, limit: 1, after: null };
    const sums = await askLedger(context.env, user, (ledger) => ledger.usage({ user }, question));
    if (!sums.ok) return sums;
    items.push({ key: user, ...sums.value.total });
  }
  const last = items.at(-1);
  const page = { ...shown(range), items, total: sumOf(items), quota: [] };
  return success(users.length > limit && last !== undefined ? { ...page, cursor: last.key } : page);
}

function shown({ from, to }: Range): { readonly from: string; readonly to: string } {
  return { from: dayText(from), to: dayText(to) };
}

function sumOf(items: readonly UsageCounts[]): UsageCounts {
  const sum = (key: keyof UsageCounts): number => items.reduce((total, item) => total + item[key], 0);
  return {
    calls: sum("calls"),
    inputTokens: sum("inputTokens"),
    cachedTokens: sum("cachedTokens"),
    outputTokens: sum("outputTokens"),
    microdollars: sum("microdollars"),
    neurons: sum("neurons"),
    ms: sum("ms"),
  };
}
