/**
 * Sleep calls: what the edge may do with sleep-time work: see it, switch it, do some now, read what it did, take it back.
 */
import type { Page } from "#shared/abi.ts";
import type { AuditView, SleepChange, SleepReport, SleepView } from "#shared/sleep-api.ts";
import { failure } from "#shared/errors.ts";
import { composePageHandle } from "#shared/ids.ts";
import { SLEEP_MODEL_TOKENS_MOST } from "#shared/limits.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { readCounter } from "#kernel/proc/counters.ts";
import { readPages } from "#kernel/vm/page-table.ts";
import { listAudit, type AuditEntry } from "#kernel/vm/sleep/audit.ts";
import { changeSleep, sleepSettings, tokensSpentToday } from "#kernel/vm/sleep/settings.ts";
import { pagesLeft, sleepNow, whenIdle } from "#kernel/vm/sleep/sleep.ts";
import { undoSleep } from "#kernel/vm/sleep/undo.ts";

export function viewSleep(kernel: Kernel): SleepView {
  return {
    ...sleepSettings(kernel),
    modelTokensToday: tokensSpentToday(kernel),
    left: pagesLeft(kernel),
    changes: readCounter(kernel, "consolidated"),
  };
}

export function setSleep(kernel: Kernel, change: SleepChange): Result<SleepView> {
  const tokens = change.modelTokensPerDay ?? 0;
  if (!Number.isSafeInteger(tokens) || tokens < 0 || tokens > SLEEP_MODEL_TOKENS_MOST) {
    return failed(failure("invalid_request", `\`modelTokensPerDay\` must be 0 to ${SLEEP_MODEL_TOKENS_MOST}.`));
  }
  const { enabled, modelTokensPerDay } = change;
  changeSleep(kernel, {
    ...(enabled === undefined ? {} : { enabled }),
    ...(modelTokensPerDay === undefined ? {} : { modelTokensPerDay }),
  });
  if (sleepSettings(kernel).enabled) whenIdle(kernel);
  return success(viewSleep(kernel));
}

export async function sleepOnce(kernel: Kernel): Promise<Result<SleepReport>> {
  return success(await sleepNow(kernel, null));
}

export function undo(kernel: Kernel, entry: number | null): Result<{ readonly undone: readonly number[] }> {
  const undone = undoSleep(kernel, entry);
  return undone.ok ? success({ undone: undone.value }) : undone;
}

export function audit(kernel: Kernel, limit: number, cursor: string | undefined): Result<Page<AuditView>> {
  const before = cursor === undefined ? null : Number(cursor);
  if (before !== null && (!Number.isSafeInteger(before) || before < 1)) {
    return failed(failure("invalid_request", "`cursor` is not one of this list."));
  }
  const entries = listAudit(kernel, limit + 1, before);
  const shown = entries.slice(0, limit);
  const last = shown.at(-1);
  return success({
    items: shown.map((entry) => viewEntry(kernel, entry)),
    ...(entries.length > limit && last !== undefined ? { cursor: String(last.id) } : {}),
  });
}

/** Words are read where they are; the audit has none. */
function viewEntry(kernel: Kernel, entry: AuditEntry): AuditView {
  const [page] = readPages(kernel, [entry.page]);
  const handle = (number: number | null): AuditView["page"] | null =>
    number === null ? null : composePageHandle(number);
  return {
    id: entry.id,
    at: new Date(entry.at).toISOString(),
    rule: entry.rule,
    model: entry.model,
    page: composePageHandle(entry.page),
    sources: [composePageHandle(entry.source)],
    before:
      entry.rule === "fact"
        ? { exists: false, supersededBy: null }
        : { exists: true, supersededBy: handle(entry.before) },
    after: { exists: true, supersededBy: handle(entry.after) },
    text: page?.text ?? null,
    state: entry.state,
  };
}
