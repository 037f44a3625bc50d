/**
 * Written call: readers of the two ways in which a call itself is written, JSON and Python, whatever marks stand around it.
 *
 * A reader stands where the value may begin, below a mark of the source, and answers the calls, or null as soon as the text can no
 * longer be one.
 */
import { CALL_TEXT_CHARACTERS } from "#shared/limits.ts";
import { Brackets } from "#kernel/infer/text-calls/brackets.ts";
import {
  FIRST_KEYS,
  NAME_KEYS,
  readCallText,
  readPythonic,
  type WrittenCall,
} from "#kernel/infer/text-calls/read-calls.ts";
import { QUOTES, repairJson } from "#kernel/infer/text-calls/repair-json.ts";
import type { Reading, Source } from "#kernel/infer/text-calls/source.ts";

export interface Written {
  readonly calls: readonly WrittenCall[];
  /** The value as it was written, without its marks. */
  readonly text: string;
}

/** Passes white space; answers the character behind it. */
export function* space(source: Source): Reading<string> {
  let char = yield* source.peek();
  while (char !== "" && /\s/.test(char) && source.count < CALL_TEXT_CHARACTERS) {
    source.take();
    char = yield* source.peek();
  }
  return char;
}

/** Passes the word that stands here, of several of which none begins another; null when none does. */
export function* oneOf(source: Source, words: readonly string[]): Reading<string | null> {
  let read = "";
  for (let left = words; ;) {
    const char = yield* source.peek();
    const next = read + char;
    left = left.filter((word) => word.startsWith(next));
    if (char === "" || left.length === 0) return null;
    source.take();
    read = next;
    if (left.includes(read)) return read;
  }
}

/** `oneOf` behind white space; passes nothing when no word stands there. */
export function* closing(source: Source, words: readonly string[]): Reading<string | null> {
  const before = source.count;
  yield* space(source);
  const word = yield* oneOf(source, words);
  if (word === null) source.rewind(before);
  return word;
}

/** The text of a value up to its last closer, or up to one of `stops` outside of its strings; null when it is too long or deep. */
function* bracketed(source: Source, from: number, stops: string): Reading<string | null> {
  const brackets = new Brackets();
  for (const char of source.taken(from)) if (!brackets.push(char)) return null;
  for (;;) {
    if (brackets.closed) return source.taken(from);
    const char = yield* source.peek();
    if (char === "" || (brackets.outside && stops.includes(char))) return source.taken(from);
    if (source.count >= CALL_TEXT_CHARACTERS || !brackets.push(char)) return null;
    source.take();
  }
}

const KEYS = FIRST_KEYS.flatMap((key) => ['"', "'", "”", "’", "`", ":", " ", "="].map((end) => key + end));

/** A JSON object that begins here; undefined when it is none, or cut off. */
export function* jsonObject(source: Source): Reading<unknown> {
  const from = source.count;
  if ((yield* source.peek()) !== "{") return undefined;
  source.take();
  const text = yield* bracketed(source, from, "<");
  if (text === null) return undefined;
  const repaired = repairJson(text);
  return repaired === null || repaired.cut ? undefined : repaired.value;
}

/** Passes the beginning of a JSON call, or of a list of them; false when the text cannot be one of a tool that was offered. */
function* mayBeCall(source: Source, tools: ReadonlySet<string>): Reading<boolean> {
  let char = yield* space(source);
  for (let lists = 0; char === "[" && lists < 2; lists += 1) {
    source.take();
    char = yield* space(source);
  }
  if (char !== "{") return false;
  source.take();
  char = yield* space(source);
  if (QUOTES[char] !== undefined) source.take();
  const key = (yield* oneOf(source, KEYS))?.slice(0, -1);
  if (key === undefined) return false;
  if (!NAME_KEYS.some((name) => name === key)) return true;
  char = yield* space(source);
  if (char === ":" || char === "=") {
    source.take();
    char = yield* space(source);
  }
  if (QUOTES[char] !== undefined) source.take();
  // A name may begin another; what ends it is read with the value.
  return (yield* oneOf(source, shortest(tools))) !== null;
}

/** The names that begin no other one of the set. */
function shortest(tools: ReadonlySet<string>): string[] {
  const names = [...tools];
  return names.filter((name) => !names.some((other) => other !== name && name.startsWith(other)));
}

/** JSON that is a call or a list of calls. `stops` are characters that cannot stand outside of its strings. */
export function* jsonCalls(
  source: Source,
  tools: ReadonlySet<string>,
  stops: string,
  needArguments: boolean,
): Reading<Written | null> {
  yield* space(source);
  const from = source.count;
  if (!(yield* mayBeCall(source, tools))) return null;
  const text = yield* bracketed(source, from, stops);
  if (text === null) return null;
  const calls = readCallText(text, tools, needArguments);
  return calls === null ? null : { calls, text };
}

/** `name(key=value)`, from the name on; with `[` behind it when `from` is where that stands. */
export function* pythonicCalls(source: Source, tools: ReadonlySet<string>, from: number): Reading<Written | null> {
  yield* space(source);
  const names = [...tools].flatMap((name) => [`${name}(`, `${name}.call(`]);
  if ((yield* oneOf(source, names)) === null) return null;
  const text = yield* bracketed(source, from, "<");
  if (text === null) return null;
  const calls = readPythonic(text, tools);
  return calls === null ? null : { calls, text };
}
