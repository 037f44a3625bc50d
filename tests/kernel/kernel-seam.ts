/**
 * Kernel seam: lets a test choose the model of a process and reach its kernel, without a hook in the product.
 *
 * The objects under test run in the test's own isolate and share its modules, so a spy on `openDriver` gives every new
 * instance the model that `useModel` names, and a spy on `boot` remembers the kernel it made. A model is found by the process
 * that asks, so it also answers an instance that was born after a crash.
 */
import { afterAll, beforeAll, vi } from "vitest";
import { runInDurableObject } from "cloudflare:test";
import type { Caller } from "#shared/abi.ts";
import * as booting from "#kernel/boot.ts";
import type { Driver, InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import * as table from "#kernel/infer/drivers/table.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { objectOf } from "#tests/kernel/process-client.ts";

export type Model = (request: InferRequest, signal: AbortSignal) => AsyncIterable<InferEvent>;

const models = new Map<string, Model>();
const kernels = new Map<string, Kernel>();
let wrapState: ((ctx: DurableObjectState) => DurableObjectState) | null = null;
let wrapEnv: ((env: Cloudflare.Env) => Cloudflare.Env) | null = null;

function addressOf(caller: Pick<Caller, "user" | "process">): string {
  return `${caller.user}/${caller.process}`;
}

/** Installs the spies for this test file. */
export function installSeam(): void {
  beforeAll(() => {
    const { openDriver } = table;
    vi.spyOn(table, "openDriver").mockImplementation((env) => {
      const real = openDriver(env);
      const driver: Driver = {
        models: () => real.models(),
        infer: (request, signal) => (models.get(request.affinity) ?? real.infer)(request, signal),
      };
      return driver;
    });
    const { boot } = booting;
    vi.spyOn(booting, "boot").mockImplementation((ctx, env, caller) => {
      const kernel = boot(wrapState === null ? ctx : wrapState(ctx), wrapEnv === null ? env : wrapEnv(env), caller);
      if (kernel !== null) kernels.set(addressOf(kernel), kernel);
      return kernel;
    });
  });
  afterAll(() => vi.restoreAllMocks());
}

/** From now on this process's inferences are answered by `model`. */
export function useModel(caller: Caller, model: Model): void {
  models.set(addressOf(caller), model);
}

/** A model that answers from a list of texts and calls, one entry per inference; the last entry answers ever after. */
export function says(...script: readonly (readonly InferEvent[])[]): Model {
  let turn = 0;
  return () => {
    const events = script[Math.min(turn, script.length - 1)] ?? [];
    turn += 1;
    return play(events);
  };
}

export async function* play(events: readonly InferEvent[]): AsyncGenerator<InferEvent> {
  for (const event of events) yield await Promise.resolve(event);
}

export function text(said: string): InferEvent {
  return { type: "text", text: said };
}

export function calls(...made: readonly (readonly [name: string, args: unknown])[]): InferEvent {
  return { type: "calls", calls: made.map(([name, args], index) => ({ id: `c${index}`, name, arguments: args })) };
}

/** Objects booted from now on get this environment instead of their own; null ends it. */
export function useEnv(wrap: ((env: Cloudflare.Env) => Cloudflare.Env) | null): void {
  wrapEnv = wrap;
}

/**
 * Objects booted from now on die at the statement for which `dies` answers true, before it is made: whatever was written since
 * the object last waited is lost with it, as when the machine stops. `dies` is asked with the statement; null ends it.
 */
export function useCrash(dies: ((statement: string) => boolean) | null): void {
  wrapState = dies === null ? null : (ctx) => mortal(ctx, dies);
}

function mortal(ctx: DurableObjectState, dies: (statement: string) => boolean): DurableObjectState {
  const exec = (statement: string, ...bindings: unknown[]): unknown => {
    if (dies(statement)) {
      ctx.abort("the test stops the machine here");
      throw new Error("stopped");
    }
    return ctx.storage.sql.exec(statement, ...bindings);
  };
  const sql = reach(ctx.storage.sql, { exec });
  return reach(ctx, { storage: reach(ctx.storage, { sql }) });
}

/** `target` with some members replaced; its methods keep their `this`. */
function reach<Target extends object>(target: Target, members: object): Target {
  return new Proxy(target, {
    get(_, property) {
      if (Object.hasOwn(members, property)) return Reflect.get(members, property) as unknown;
      const value = Reflect.get(target, property) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Runs `work` inside the process's object, with the kernel of its present instance. */
export async function inKernel<Value>(
  caller: Caller,
  work: (kernel: Kernel) => Promise<Value> | Value,
): Promise<Value> {
  await objectOf(caller).inspect(caller);
  return runInDurableObject(objectOf(caller), () => {
    const kernel = kernels.get(addressOf(caller));
    if (kernel === undefined) throw new Error("the process has no kernel");
    return work(kernel);
  });
}

/** Rows of one statement on the process's own tables. */
export function rows<Row extends Record<string, SqlStorageValue>>(
  caller: Caller,
  query: string,
  ...bindings: readonly SqlStorageValue[]
): Promise<Row[]> {
  return inKernel(caller, (kernel) => kernel.sql.exec<Row>(query, ...bindings).toArray());
}

/** A stored value as JSON would show it; bytes as the characters they may hold. */
function readable(_column: string, value: unknown): unknown {
  return value instanceof ArrayBuffer ? new TextDecoder("latin1").decode(value) : value;
}

/** Every stored value of the object, table by table, as one text: what a forgotten word must not be in. */
export async function everythingStored(caller: Caller): Promise<string> {
  return inKernel(caller, (kernel) => {
    const tables = kernel.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'",
      )
      .toArray();
    return tables
      .map(({ name }) => `${name}: ${JSON.stringify(kernel.sql.exec(`SELECT * FROM "${name}"`).toArray(), readable)}`)
      .join("\n");
  });
}

/**
 * A gate that a test opens. Whoever waits at it polls, because a promise settled by one request does not reliably wake
 * another one of the same isolate.
 */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let isOpen = false;
  const poll = async (): Promise<void> => {
    while (!isOpen) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  return {
    get opened() {
      return poll();
    },
    open: () => {
      isOpen = true;
    },
  };
}
