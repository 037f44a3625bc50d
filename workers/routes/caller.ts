/**
 * Caller: the authenticated user and one of their processes.
 *
 * Processes are never created by naming them: `init` always exists, every other must be in the directory, else 404.
 */
import type { Caller } from "#shared/abi.ts";
import { INIT_PROCESS, type ProcessId } from "#shared/ids.ts";
import { failed, success, type Result } from "#shared/result.ts";
import { hasProcess } from "#workers/directory.ts";
import type { EdgeContext } from "#workers/edge.ts";
import { NO_PROCESS } from "#workers/middleware/validation.ts";

export async function callerOf(context: EdgeContext, process: ProcessId): Promise<Result<Caller>> {
  const { user, shard } = context.get("principal");
  const exists = process === INIT_PROCESS || (await hasProcess(context.env.DB, user, process));
  return exists ? success({ user, process, shard }) : failed(NO_PROCESS);
}
