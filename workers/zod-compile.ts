/**
 * zod's compiler that writes code at run time, which Workers refuse to run: `scripts/build-worker.mjs` puts this in its place.
 *
 * It does what zod's own does with a schema that it cannot compile: the schema goes on with the parser that it has.
 */
export const INVALID = Symbol.for("zod.compile.invalid");

export class ZodCompileAsyncError extends Error {}

export class ZodCompileUnsupportedError extends Error {}

export function compile<Schema>(schema: Schema): Schema {
  return schema;
}

export function withParser<Schema>(schema: Schema): Schema {
  return schema;
}

export function compileFn(): never {
  throw new ZodCompileUnsupportedError("Workers compile no schemas");
}
