/**
 * Process client: calls a process's object the way the edge does, for tests of the kernel.
 */
import { env } from "cloudflare:workers";
import type { Caller, ExecuteRequest, RunStarted, RunView, StreamLine } from "#shared/abi.ts";
import { processObjectName, type ProcessId, type RunId, type UserId } from "#shared/ids.ts";
import type { Result } from "#shared/result.ts";
import { lines } from "#shared/wire.ts";

export function callerOf(user: string, process = "init"): Caller {
  return { user: user as UserId, process: process as ProcessId, shard: 0 };
}

export function objectOf(caller: Caller): DurableObjectStub<import("#kernel/process.ts").Process> {
  return env.PROCESS.getByName(processObjectName(caller.user, caller.process));
}

export function unwrap<Value>(result: Result<Value>): Value {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.detail}`);
  return result.value;
}

let keys = 0;

/** A request to execute a text, with a fresh key unless one is given. */
export function request(caller: Caller, text: string, more: Partial<ExecuteRequest> = {}): ExecuteRequest {
  keys += 1;
  return {
    caller: { ...caller },
    instruction: { kind: "language", text },
    thread: "main",
    idempotencyKey: `key-${keys}`,
    bodyHash: "0".repeat(64),
    ...more,
  };
}

export async function start(caller: Caller, text: string, more: Partial<ExecuteRequest> = {}): Promise<RunStarted> {
  return unwrap((await objectOf(caller).execute(request(caller, text, more))) as Result<RunStarted>);
}

/** Runs one instruction to its end. */
export async function ask(caller: Caller, text: string, more: Partial<ExecuteRequest> = {}): Promise<RunView> {
  const started = await start(caller, text, more);
  return settled(caller, started.run);
}

export async function settled(caller: Caller, run: RunId, waitMs = 10_000): Promise<RunView> {
  return unwrap((await objectOf(caller).settled(caller, run, waitMs)) as Result<RunView>);
}

/** All events of a run from `after` on, until it ends. */
export async function eventsOf(caller: Caller, run: RunId, after: number | null = null): Promise<StreamLine[]> {
  const stream = unwrap((await objectOf(caller).events(caller, run, after)) as Result<ReadableStream<Uint8Array>>);
  const events: StreamLine[] = [];
  for await (const line of stream.pipeThrough(lines())) events.push(JSON.parse(line) as StreamLine);
  return events;
}

/** What a reader that saw every event shows: a `reset-step` takes the step's text back. */
export function shown(events: readonly StreamLine[]): string {
  const steps: string[] = [];
  for (const { part } of events) {
    if (part.type === "start-step") steps.push("");
    if (part.type === "reset-step") steps[steps.length - 1] = "";
    if (part.type === "text-delta") steps[steps.length - 1] += String(part["delta"]);
  }
  return steps.join("");
}
