/**
 * Attempt: one call of a model: what it said, asked for and cost, or what went wrong.
 *
 * `say` gets the text as it arrives. A model that neither ends nor heeds its signal is left behind at its deadline, so an attempt
 * always ends. One whose run was aborted is a failure with the fault `aborted`.
 */
import type { SystemCall } from "#shared/calls.ts";
import { failure, type Failure } from "#shared/errors.ts";
import { INFERENCE_MS, OUTPUT_CHARACTERS } from "#shared/limits.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { Fault, InferEvent, InferRequest, InferUsage } from "#kernel/infer/drivers/driver.ts";
import { untilAborted } from "#kernel/proc/until-aborted.ts";

/** What went wrong, as the driver said it or as it showed in the answer. */
export interface AttemptFailure {
  readonly error: Failure;
  readonly retryable: boolean;
  /** Null when no model and no other try can help. */
  readonly fault: Fault | null;
  readonly retryAfterMs: number | null;
}

export interface Attempt {
  text: string;
  calls: readonly SystemCall[];
  /** As the provider counted it, or null. */
  usage: InferUsage | null;
  failure: AttemptFailure | null;
}

const RETRY_AFTER_SECONDS = 5;

export async function attempt(
  kernel: Kernel,
  request: InferRequest,
  signal: AbortSignal,
  say: (text: string) => void,
  deadlineMs = INFERENCE_MS,
): Promise<Attempt> {
  const made: Attempt = { text: "", calls: [], usage: null, failure: null };
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new Error("the answer took too long")), deadlineMs);
  const either = AbortSignal.any([signal, deadline.signal]);
  try {
    for await (const event of untilAborted(kernel.driver.infer(request, either), either)) {
      collect(made, event, say, request.model);
      if (made.text.length > OUTPUT_CHARACTERS) return fail(made, "internal", "The model's answer is too long.");
    }
  } finally {
    clearTimeout(timer);
  }
  if (signal.aborted) return fail(made, "internal", "The run was stopped.", "aborted");
  if (deadline.signal.aborted) return fail(made, "model_unavailable", "The model took too long.", "timeout");
  return made.failure === null ? refuseUnusable(made) : made;
}

function collect(made: Attempt, event: InferEvent, say: (text: string) => void, model: string): void {
  switch (event.type) {
    case "text":
      made.text += event.text;
      say(event.text);
      break;
    case "calls":
      made.calls = event.calls;
      break;
    case "usage":
      made.usage = event.usage;
      break;
    case "error":
      made.failure = {
        // A driver says that there is none; whoever asked for no model by name has to hear which one is meant.
        error:
          event.error.code === "not_found" ? failure("not_found", `Its provider has no model ${model}.`) : event.error,
        retryable: event.retryable,
        fault: event.fault ?? guessFault(event.error, event.retryable),
        retryAfterMs: event.retryAfterMs ?? null,
      };
      break;
  }
}

/** For a driver that does not name it. */
function guessFault({ code }: Failure, retryable: boolean): Fault {
  if (code === "payload_too_large") return "too-large";
  if (code === "quota_exceeded") return "exhausted";
  if (code === "rate_limited") return "throttled";
  return retryable ? "down" : "refused";
}

function fail(made: Attempt, code: Failure["code"], detail: string, fault: Fault | null = null): Attempt {
  const error = fault === null ? failure(code, detail) : failure(code, detail, RETRY_AFTER_SECONDS);
  return { ...made, failure: { error, retryable: fault !== null && fault !== "aborted", fault, retryAfterMs: null } };
}

/** An answer of nothing, or calls too large to store, are failures of the model; the first may pass. */
function refuseUnusable(made: Attempt): Attempt {
  if (made.text.trim() === "" && made.calls.length === 0) {
    return fail(made, "model_unavailable", "The model gave no answer.", "malformed");
  }
  if (JSON.stringify(made.calls).length > OUTPUT_CHARACTERS) {
    return fail(made, "internal", "The model's system calls are too long.");
  }
  return made;
}
