/**
 * Read calls: what JSON, or a Python expression, written by a model asks for.
 *
 * Models write a call in many shapes: `{name, arguments}`, `{name, parameters}`, `{type: "function", function: {…}}`,
 * `{tool_calls: […]}`, lists of those, or `[name(key="value")]`. Only names that were offered make calls, and a list is calls only when
 * every item is one: whatever else it is stays text.
 */
import { parseJson } from "#shared/parse-json.ts";
import { LooseReader, repairJson } from "#kernel/infer/text-calls/repair-json.ts";

export interface WrittenCall {
  /** As the model wrote it, or null. */
  readonly id: string | null;
  readonly name: string;
  readonly arguments: unknown;
}

export const NAME_KEYS = ["name", "tool_name", "function_name", "tool"] as const;
const ARGUMENT_KEYS = ["arguments", "parameters", "args", "input"] as const;
const LIST_KEYS = ["tool_calls", "tool_call", "calls"] as const;
/** Keys a call can begin with. */
export const FIRST_KEYS: readonly string[] = [...NAME_KEYS, ...ARGUMENT_KEYS, ...LIST_KEYS, "function", "type", "id"];

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function first(fields: Fields, keys: readonly string[]): unknown {
  const key = keys.find((one) => Object.hasOwn(fields, one));
  return key === undefined ? undefined : fields[key];
}

/** The calls a JSON text asks for, repaired where it must be; null when it is anything else or was cut off. */
export function readCallText(
  text: string,
  tools: ReadonlySet<string>,
  needArguments: boolean,
): readonly WrittenCall[] | null {
  const repaired = repairJson(text);
  return repaired === null || repaired.cut ? null : readCallValue(repaired.value, tools, needArguments);
}

/** The calls a value asks for; null when it is anything else. `needArguments`: a name alone is no call. */
function readCallValue(
  value: unknown,
  tools: ReadonlySet<string>,
  needArguments: boolean,
): readonly WrittenCall[] | null {
  if (Array.isArray(value)) {
    const calls = value.map((item: unknown) => readOne(item, tools, needArguments));
    const whole = calls.filter((call) => call !== null);
    return whole.length === 0 || whole.length < calls.length ? null : whole;
  }
  if (!isFields(value)) return null;
  const list = first(value, LIST_KEYS);
  if (list !== undefined) return readCallValue(Array.isArray(list) ? list : [list], tools, false);
  const call = readOne(value, tools, needArguments);
  return call === null ? null : [call];
}

function readOne(value: unknown, tools: ReadonlySet<string>, needArguments: boolean): WrittenCall | null {
  if (!isFields(value)) return null;
  const id = typeof value["id"] === "string" && value["id"] !== "" ? value["id"] : null;
  const inner = value["function"];
  const fields = isFields(inner) ? inner : value;
  const name = first(fields, NAME_KEYS) ?? (typeof inner === "string" ? inner : undefined);
  const given = first(fields, ARGUMENT_KEYS);
  if (typeof name !== "string" || !tools.has(name)) return null;
  return given === undefined && needArguments ? null : { id, name, arguments: readArguments(given) };
}

/** Arguments as an object, or as JSON in a string. What is neither stays as it is, for the guard to refuse. */
export function readArguments(raw: unknown): unknown {
  if (raw === undefined || raw === null || raw === "") return {};
  if (typeof raw !== "string") return raw;
  const value = parseJson(raw);
  if (value !== undefined) return value;
  const repaired = repairJson(raw);
  return repaired === null || repaired.cut || !isFields(repaired.value) ? raw : repaired.value;
}

const NAME = /[A-Za-z_][\w-]*/y;
const CALL_METHOD = /\.call\b/y;

/** The calls of `[name(key=value, …), …]`, also without the brackets; null when it is anything else. */
export function readPythonic(text: string, tools: ReadonlySet<string>): readonly WrittenCall[] | null {
  const reader = new LooseReader(text);
  const calls: WrittenCall[] = [];
  reader.space();
  if (reader.peek() === "[") reader.at += 1;
  for (reader.space(); reader.peek() !== "" && reader.peek() !== "]"; reader.space()) {
    const name = reader.match(NAME);
    reader.match(CALL_METHOD);
    const given = name !== null && tools.has(name) ? readKeywords(reader) : null;
    if (name === null || given === null) return null;
    calls.push({ id: null, name, arguments: given });
    reader.space();
    if (reader.peek() === "," || reader.peek() === ";") reader.at += 1;
  }
  return calls.length === 0 || reader.cut ? null : calls;
}

/** `(key=value, …)` as an object; null when an argument has no name, or the text ends before. */
function readKeywords(reader: LooseReader): Fields | null {
  if (reader.peek() !== "(") return null;
  reader.at += 1;
  const entries: [string, unknown][] = [];
  for (;;) {
    for (reader.space(); reader.peek() === ","; reader.space()) reader.at += 1;
    if (reader.peek() === ")") break;
    const key = reader.match(NAME);
    reader.space();
    if (key === null || reader.peek() !== "=") return null;
    reader.at += 1;
    const value = reader.value();
    if (value === undefined) return null;
    entries.push([key, value]);
  }
  reader.at += 1;
  return Object.fromEntries(entries);
}

const PARAMETER = "<parameter=";
const PARAMETER_END = "</parameter>";

/** The arguments of `<parameter=key>value</parameter>…`. A value that is a number, a boolean, a list or an object in JSON is that. */
export function readParameters(text: string): Fields {
  const entries: [string, unknown][] = [];
  for (let from = text.indexOf(PARAMETER); from >= 0;) {
    const open = text.indexOf(">", from);
    const close = text.indexOf(PARAMETER_END, from);
    if (open < 0 || close < open) break;
    const written = text
      .slice(open + 1, close)
      .replace(/^\n/, "")
      .replace(/\n$/, "");
    const value = parseJson(written);
    entries.push([
      text.slice(from + PARAMETER.length, open).trim(),
      value === undefined || typeof value === "string" ? written : value,
    ]);
    from = text.indexOf(PARAMETER, close);
  }
  return Object.fromEntries(entries);
}
