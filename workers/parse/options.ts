/**
 * Options: takes the options a command knows (`--kind note`, `--kind=note`) out of its words.
 *
 * A word that only looks like an option stays text: people write `--force` in what they want remembered. `--` ends the
 * options. The text that remains is the source's own, with its spaces and quotes, unless it is one quoted word. Pure.
 */
import { words, type Word } from "#workers/parse/lexer.ts";

export interface CommandLine {
  /** Values by option name, in order. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** An option at the end of the line without its value, or null. */
  readonly unfinished: string | null;
  /** What is left. */
  readonly text: string;
}

/** Two dashes, or the one long dash that phones make of them. */
const OPTION = /^(?:--|—|–)([a-z]+)(?:=(.*))?$/su;

export function commandLine(source: string, known: readonly string[]): CommandLine {
  const options = new Map<string, string[]>();
  const rest: Word[] = [];
  let unfinished: string | null = null;
  const all = words(source);
  for (let index = 0; index < all.length; index += 1) {
    const word = all[index];
    if (word === undefined) break;
    if (!word.quoted && word.text === "--" && known.length > 0) {
      rest.push(...all.slice(index + 1));
      break;
    }
    const match = word.quoted ? null : OPTION.exec(word.text);
    const name = match?.[1];
    if (name === undefined || !known.includes(name)) {
      rest.push(word);
      continue;
    }
    const inline = match?.[2];
    const value = inline ?? all[index + 1]?.text;
    if (inline === undefined) index += 1;
    if (value === undefined) unfinished = name;
    else options.set(name, [...(options.get(name) ?? []), value]);
  }
  return { options, unfinished, text: remaining(source, rest) };
}

/** The words' text as the source has it; neighbours keep the space between them. */
function remaining(source: string, rest: readonly Word[]): string {
  const [first] = rest;
  if (first === undefined) return "";
  if (rest.length === 1 && first.quoted) return first.text.trim();
  let text = "";
  let end: number | null = null;
  for (const word of rest) {
    if (end !== null) text += source.slice(end, word.start).trim() === "" ? source.slice(end, word.start) : " ";
    text += source.slice(word.start, word.end);
    end = word.end;
  }
  return text.trim();
}
