/**
 * Errors of the local AI binding: the codes Workers AI answers with, in the form its binding throws them.
 *
 * https://developers.cloudflare.com/workers-ai/platform/errors/
 */
export const AI_ERRORS = {
  5007: "No such model",
  5004: "Invalid input",
  5005: "LoRA is not supported by this model",
  3006: "Request is too large",
} as const;

/** An error as the binding throws it: `<code>: <description>`. */
export function aiError(code: keyof typeof AI_ERRORS, detail = ""): Error {
  const error = new Error(`${code}: ${AI_ERRORS[code]}${detail === "" ? "" : `: ${detail}`}`);
  error.name = "InferenceUpstreamError";
  return error;
}
