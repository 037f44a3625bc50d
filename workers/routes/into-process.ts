/**
 * Into process: the shape of most routes: find the caller's process, call it, answer JSON.
 *
 * `again` says whether the call may be repeated after a lost connection (see `trap.ts`).
 */
import type { z } from "zod";
import type { Caller, ProcessApi } from "#shared/abi.ts";
import type { ProcessId } from "#shared/ids.ts";
import type { Result } from "#shared/result.ts";
import type { EdgeContext } from "#workers/edge.ts";
import { answer, problem } from "#workers/reply.ts";
import { callerOf } from "#workers/routes/caller.ts";
import { trap, type Again } from "#workers/trap.ts";

export async function intoProcess<Schema extends z.ZodType>(
  context: EdgeContext,
  process: ProcessId,
  schema: Schema,
  call: (api: ProcessApi, caller: Caller) => Promise<Result<z.output<Schema>>>,
  options: { readonly again?: Again; readonly status?: 200 | 201 | 202 } = {},
): Promise<Response> {
  const caller = await callerOf(context, process);
  if (!caller.ok) return problem(context, caller.error);
  const result = await trap(context.env, caller.value, (api) => call(api, caller.value), options.again ?? "safe");
  return answer(context, schema, result, options.status ?? 200);
}
