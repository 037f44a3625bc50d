/**
 * Validation: what a request that does not fit its schema is answered.
 *
 * An id in a path or `?process=` that is malformed is answered like an unknown one; everything else is a 400 that names the
 * field, never a value. The label of a block that is
 * put is the client's own word: the 400 says how one is written.
 */
import type { Hook } from "@hono/zod-openapi";
import type { z } from "zod";
import { failure, type Failure } from "#shared/errors.ts";
import type { EdgeEnv } from "#workers/edge.ts";
import { problem } from "#workers/reply.ts";

/** Issues named in one detail. */
const ISSUES_SHOWN = 3;

export const NOT_FOUND: Failure = failure("not_found", "There is nothing here.");

/** For a process that is not there, is another user's, or cannot be. */
export const NO_PROCESS: Failure = failure("not_found", "There is no such process.");

export const validationHook: Hook<unknown, EdgeEnv, string, Response | undefined> = (result, context) =>
  result.success ? undefined : problem(context, validationFailure(result.target, result.error, context.req.method));

export function validationFailure(target: string, error: Pick<z.ZodError, "issues">, method = "GET"): Failure {
  const wrong = new Set(error.issues.map((issue) => issue.path[0]));
  if (wrong.has(target === "param" ? "p" : "process") && (target === "param" || target === "query")) return NO_PROCESS;
  if (target === "param" && !(method === "PUT" && wrong.has("label"))) return NOT_FOUND;
  return failure("invalid_request", describeIssues(error.issues));
}

/** The first issues in a sentence: `limit: is not a whole number`. */
export function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  const sentences = issues.slice(0, ISSUES_SHOWN).map((issue) => {
    const where = issue.path.map(String).join(".");
    const what = issue.code === "unrecognized_keys" ? `has an unknown field ${names(issue.keys)}` : issue.message;
    return where === "" ? `The request ${what}` : `${where}: ${what}`;
  });
  return `${sentences.join("; ").slice(0, 500)}.`;
}

/** Field names that a client made up, cut short. */
function names(fields: readonly string[]): string {
  return fields
    .slice(0, ISSUES_SHOWN)
    .map((field) => JSON.stringify(field.slice(0, 40)))
    .join(", ");
}
