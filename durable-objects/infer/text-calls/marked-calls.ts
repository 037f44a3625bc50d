/**
 * Marked calls: the marks that families put around calls.
 *
 *     <tool_call>{"name": …}</tool_call>                 Hermes, Qwen; with variants of the mark
 *     <function=name>{…}</function>                      Llama 3.1's custom tools; with <parameter=key> marks Qwen's coder models
 *     <|python_tag|>{…} or name.call(key="value")        Llama
 *     [TOOL_CALLS][{…}] or [TOOL_CALLS]name[ARGS]{…}     Mistral
 *     [name(key="value"), …]                             Llama's Python form
 *     ```json … ```, ```tool_code … ```                  many, Gemma
 *
 * A reader answers the calls, or null as soon as the text can no longer be one. `stops` are characters that cannot stand outside of a
 * value's strings, because they belong to what is around it. Closing marks may be missing: what matters is that the
 * value itself is whole.
 */
import { CALL_TEXT_CHARACTERS } from "#shared/limits.ts";
import { readParameters, type WrittenCall } from "#kernel/infer/text-calls/read-calls.ts";
import type { Reading, Source } from "#kernel/infer/text-calls/source.ts";
import {
  closing,
  jsonCalls,
  jsonObject,
  oneOf,
  pythonicCalls,
  space,
  type Written,
} from "#kernel/infer/text-calls/written-call.ts";

export const CALL_MARKS = ["<tool_call>", "<|tool_call|>", "<function_call>", "<|python_tag|>", "<function="] as const;

export const CALL_ENDS = ["</tool_call>", "<|/tool_call|>", "</function_call>", "<|eom_id|>"] as const;
const FUNCTION_END = "</function>";
export const FENCE = "```";
const FENCE_LABELS = ["\n", "json\n", "tool_call\n", "tool_calls\n", "tool_code\n", "python\n"] as const;

/** Behind one of `CALL_MARKS`; passes one of `ends`, too. */
export function* markedCalls(
  source: Source,
  tools: ReadonlySet<string>,
  mark: string,
  ends: readonly string[],
): Reading<Written | null> {
  if (mark === "<function=") return yield* functionCall(source, tools);
  const char = yield* space(source);
  const written = yield* valueCalls(source, tools, char);
  if (written !== null) yield* closing(source, ends);
  return written;
}

function* valueCalls(source: Source, tools: ReadonlySet<string>, char: string): Reading<Written | null> {
  if (char === "{") return yield* jsonCalls(source, tools, "<", false);
  if (char === "[") return yield* bracket(source, tools, true, "<");
  if (char !== "<") return yield* pythonicCalls(source, tools, source.count);
  return (yield* oneOf(source, ["<function="])) === null ? null : yield* functionCall(source, tools);
}

/** Behind `<function=`: a name, then its arguments as JSON or as `<parameter=…>` marks. */
function* functionCall(source: Source, tools: ReadonlySet<string>): Reading<Written | null> {
  const from = source.count;
  const named = yield* oneOf(
    source,
    [...tools].map((tool) => `${tool}>`),
  );
  if (named === null) return null;
  const name = named.slice(0, -1);
  if ((yield* space(source)) !== "{") {
    const text = yield* upToEnd(source, from + named.length);
    return text === null ? null : { calls: [{ id: null, name, arguments: readParameters(text) }], text };
  }
  const given = yield* jsonObject(source);
  if (given === undefined) return null;
  const text = source.taken(from);
  yield* closing(source, [FUNCTION_END]);
  return { calls: [{ id: null, name, arguments: given }], text };
}

/** Everything up to `</function>`, which is passed. */
function* upToEnd(source: Source, from: number): Reading<string | null> {
  for (let behind = ""; behind !== FUNCTION_END;) {
    const char = yield* source.peek();
    if (char === "" || source.count >= CALL_TEXT_CHARACTERS) return null;
    source.take();
    behind = (behind + char).slice(-FUNCTION_END.length);
  }
  return source.taken(from).slice(0, -FUNCTION_END.length);
}

/** At `[`: Mistral's mark, a list of Python calls, or where a line begins a list of JSON calls. */
export function* bracket(
  source: Source,
  tools: ReadonlySet<string>,
  lineStart: boolean,
  stops = "",
): Reading<Written | null> {
  const from = source.count;
  source.take();
  if ((yield* source.peek()) === "T") {
    if ((yield* oneOf(source, ["TOOL_CALLS]"])) !== null) return yield* mistralCalls(source, tools);
    source.rewind(from + 1); // a name can begin like the mark
  }
  const char = yield* space(source);
  if (char !== "{" && char !== "[") return yield* pythonicCalls(source, tools, from);
  source.rewind(from);
  return lineStart ? yield* jsonCalls(source, tools, stops, true) : null;
}

/** Behind `[TOOL_CALLS]`: a list in JSON, or `name[ARGS]{…}`. */
function* mistralCalls(source: Source, tools: ReadonlySet<string>): Reading<Written | null> {
  const char = yield* space(source);
  if (char === "[" || char === "{") return yield* jsonCalls(source, tools, "<", false);
  const from = source.count;
  const ends = [...tools].flatMap((tool) => [`${tool}[ARGS]`, `${tool}{`]);
  const named = yield* oneOf(source, ends);
  if (named === null) return null;
  if (named.endsWith("{")) source.rewind(source.count - 1);
  const name = named.replace(/(?:\[ARGS\]|\{)$/, "");
  yield* space(source);
  const given = yield* jsonObject(source);
  return given === undefined ? null : { calls: [{ id: null, name, arguments: given }], text: source.taken(from) };
}

/** Behind the mark of a code fence that holds nothing but calls. */
export function* fence(source: Source, tools: ReadonlySet<string>): Reading<Written | null> {
  if ((yield* oneOf(source, FENCE_LABELS)) === null) return null;
  const calls: WrittenCall[] = [];
  for (const from = source.count; ;) {
    const char = yield* space(source);
    const written: Written | null =
      char === "{"
        ? yield* jsonCalls(source, tools, "`", true)
        : char === "["
          ? yield* bracket(source, tools, true, "`")
          : yield* pythonicCalls(source, tools, source.count);
    if (written === null) return null;
    calls.push(...written.calls);
    const text = source.taken(from);
    if ((yield* closing(source, [FENCE])) !== null || (yield* space(source)) === "") return { calls, text };
  }
}
