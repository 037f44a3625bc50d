/**
 * Documented: the responses of a route in the OpenAPI document.
 *
 * `responses(200, "The page", pageSchema)` adds the problem that any route may answer.
 */
import type { RouteConfig } from "@hono/zod-openapi";
import type { z } from "zod";
import { problemSchema } from "#shared/schema/problem.ts";

type Responses = RouteConfig["responses"];

const PROBLEM: Responses[string] = {
  description: "Problem details (RFC 9457)",
  content: { "application/problem+json": { schema: problemSchema } },
};

/** A JSON reply. */
export function responses(status: 200 | 201 | 202, description: string, schema: z.ZodType): Responses {
  return { [status]: { description, content: { "application/json": { schema } } }, default: PROBLEM };
}

/** The same, with a second status. */
export function orResponse(first: Responses, status: 200 | 202, description: string, schema: z.ZodType): Responses {
  return { ...first, [status]: { description, content: { "application/json": { schema } } } };
}

/** A reply of text or a stream. */
export function textResponses(mediaType: string, description: string): Responses {
  return { 200: { description, content: { [mediaType]: { schema: { type: "string" } } } }, default: PROBLEM };
}

/** A JSON body that must be there. */
export function jsonBody<Schema extends z.ZodType>(
  schema: Schema,
): { required: true; content: { "application/json": { schema: Schema } } } {
  return { required: true, content: { "application/json": { schema } } };
}

/** A JSON body that may be left out. */
export function optionalJsonBody<Schema extends z.ZodType>(
  schema: Schema,
): { required: false; content: { "application/json": { schema: Schema } } } {
  return { required: false, content: { "application/json": { schema } } };
}

/** How a route says that it needs a key; `[]` for none. */
export const KEY_NEEDED = [{ bearer: [] }, { session: [] }];
