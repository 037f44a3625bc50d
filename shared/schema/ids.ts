/**
 * Ids in paths, queries and bodies, as schemas over `shared/ids.ts`.
 *
 * In a path or as `?process=` a malformed id is answered like an unknown one (404, see `middleware/validation.ts`), so that
 * nobody learns which ids could exist.
 */
import { z } from "zod";
import {
  INIT_PROCESS,
  parseDocumentId,
  parsePageHandle,
  parseProcessId,
  parseRunId,
  parseThreadId,
  parseUserId,
  type DocumentId,
  type PageHandle,
  type ProcessId,
  type RunId,
  type ThreadId,
  type UserId,
} from "#shared/ids.ts";

/** A string schema that answers what `parse` reads, or an issue when it reads nothing. */
function idOf<Id>(
  parse: (text: string) => Id | null,
  what: string,
): z.ZodPipe<z.ZodString, z.ZodTransform<Id, string>> {
  return z.string().transform((text, context): Id => {
    const id = parse(text);
    if (id !== null) return id;
    context.addIssue({ code: "custom", message: `is not ${what}` });
    return z.NEVER;
  });
}

export const userIdSchema = idOf<UserId>(parseUserId, "a user name");
export const processIdSchema = idOf<ProcessId>(parseProcessId, "a process id");
export const threadIdSchema = idOf<ThreadId>(parseThreadId, "a thread id");
export const runIdSchema = idOf<{ readonly run: RunId; readonly process: ProcessId }>(parseRunId, "a run id");
export const handleSchema = idOf<PageHandle>(parsePageHandle, "a page handle");

export const documentIdSchema = idOf<DocumentId>(parseDocumentId, "a document id");

export const documentPath = z.object({ document: documentIdSchema });
export const runPath = z.object({ id: runIdSchema });
export const handlePath = z.object({ handle: handleSchema });
export const processPath = z.object({ p: processIdSchema });
export const threadPath = z.object({ p: processIdSchema, t: threadIdSchema });

/** `?process=`, for the routes whose path names no process. */
export const processQuery = z.object({ process: processIdSchema.default(INIT_PROCESS) });
