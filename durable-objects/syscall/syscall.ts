/**
 * System calls: the only way a model or a command acts.
 *
 * Every call is checked against its schema before anything happens: unknown name, missing, unknown or mistyped argument. What
 * is refused is answered to the model as an error it can correct. Effects are journaled and happen once: their change and
 * their journal entry are one transaction. Independent calls run in parallel.
 */
import { COMMAND_SYSCALLS, SYSCALLS, isSyscallName, type SystemCall } from "#shared/calls.ts";
import { failure, type Failure } from "#shared/errors.ts";
import { SYSCALL_RESULT_CHARACTERS, SYSCALLS_PER_STEP } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { emit } from "#kernel/proc/events.ts";
import { beginStep, finishedStep, finishStep } from "#kernel/proc/journal.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { transact } from "#kernel/proc/transact.ts";
import type { TraceData } from "#kernel/proc/trace.ts";
import { HANDLERS, type Handler } from "#kernel/syscall/handlers.ts";

export type Outcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly result: { readonly error: Failure } };

/** Runs the calls of one inference and adds them and their results to the run's messages, in the order of the calls. */
export async function syscall(
  kernel: Kernel,
  run: LiveRun,
  calls: readonly SystemCall[],
  data: TraceData,
): Promise<void> {
  data["calls"] = calls.map((call) => (isSyscallName(call.name) ? call.name : "unknown"));
  const named = calls.map((call, index) => ({ ...call, id: `${call.id}.${run.step}.${index}` }));
  // Every call ends before the run may fail: none is to act when the run is closed.
  const settled = await Promise.allSettled(named.map((call, index) => execute(kernel, run, call, index)));
  const outcomes = settled.map((call) => {
    if (call.status === "rejected") throw call.reason;
    return call.value;
  });
  data["refused"] = outcomes.filter((outcome) => !outcome.ok).length;
  run.messages.push(
    { role: "assistant", content: "", toolCalls: named },
    ...named.map((call, index) => ({
      role: "tool" as const,
      content: shorten(outcomes[index]?.result),
      toolCallId: call.id,
    })),
  );
}

async function execute(kernel: Kernel, run: LiveRun, call: SystemCall, index: number): Promise<Outcome> {
  const name = `syscall ${String(run.step).padStart(3, "0")}.${index}`;
  const known = finishedStep(kernel, run.id, name);
  if (known !== null) return known.result as Outcome;
  beginStep(kernel, run.id, name, call);
  const checked =
    index < SYSCALLS_PER_STEP ? guard(run, call) : refuse(`At most ${SYSCALLS_PER_STEP} calls at a time.`);
  if (!checked.ok) return close(kernel, run, name, call, checked.outcome);
  const { handler, args } = checked;
  if (handler.effect) {
    const prepared = await handler.prepare?.(kernel, args, `${run.id} ${name}`);
    // The change, the journal entry and the event are one transaction: it happened wholly or not at all.
    return transact(kernel, () => close(kernel, run, name, call, toOutcome(handler.act(kernel, run, args, prepared))));
  }
  return close(kernel, run, name, call, toOutcome(await handler.act(kernel, run, args)));
}

type Checked =
  | { readonly ok: true; readonly handler: Handler; readonly args: unknown }
  | { readonly ok: false; readonly outcome: Outcome };

function refuse(detail: string): Checked & { readonly ok: false } {
  return { ok: false, outcome: { ok: false, result: { error: failure("invalid_request", detail) } } };
}

/** What a model asks for beyond its calls is refused: a page may have told it to. */
function guard(run: LiveRun, call: SystemCall): Checked {
  return run.instruction.kind !== "command" && COMMAND_SYSCALLS.some((name) => name === call.name)
    ? refuse(`Only the person may ask for ${call.name}, by a command.`)
    : check(call);
}

/** The guard: nothing acts before its name and arguments were read. */
export function check(call: Pick<SystemCall, "name" | "arguments">): Checked {
  if (!isSyscallName(call.name))
    return refuse(`There is no system call of this name. There are: ${Object.keys(SYSCALLS).join(", ")}.`);
  const parsed = SYSCALLS[call.name].arguments.safeParse(call.arguments);
  if (!parsed.success) {
    const issues = parsed.error.issues
      .slice(0, 3)
      .map((issue) => `${issue.path.join(".") || "arguments"}: ${issue.message}`);
    return refuse(`Wrong arguments for ${call.name}: ${issues.join("; ")}.`);
  }
  return { ok: true, handler: HANDLERS[call.name], args: parsed.data };
}

function toOutcome(result: { ok: true; value: unknown } | { ok: false; error: Failure }): Outcome {
  return result.ok ? { ok: true, result: result.value } : { ok: false, result: { error: result.error } };
}

function close(kernel: Kernel, run: LiveRun, name: string, call: SystemCall, outcome: Outcome): Outcome {
  finishStep(kernel, run.id, name, outcome);
  emit(kernel, run, {
    type: "data-syscall",
    data: { id: call.id, name: call.name, arguments: call.arguments, ...outcome },
  });
  return outcome;
}

/** A result as JSON within the limit: a list loses its last items, anything else its end; either says so. */
export function shorten(result: unknown): string {
  const json = JSON.stringify(result ?? null);
  if (json.length <= SYSCALL_RESULT_CHARACTERS) return json;
  const items = listItems(result);
  for (let kept = items.length - 1; kept > 0; kept -= 1) {
    const list = JSON.stringify({ items: items.slice(0, kept), truncated: items.length - kept });
    if (list.length <= SYSCALL_RESULT_CHARACTERS) return list;
  }
  for (let end = SYSCALL_RESULT_CHARACTERS; ;) {
    const cut = JSON.stringify({ truncated: true, json: json.slice(0, end) });
    if (cut.length <= SYSCALL_RESULT_CHARACTERS) return cut;
    end -= cut.length - SYSCALL_RESULT_CHARACTERS;
  }
}

function listItems(result: unknown): readonly unknown[] {
  const items = typeof result === "object" && result !== null && "items" in result ? result.items : [];
  return Array.isArray(items) ? items : [];
}
