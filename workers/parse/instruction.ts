/**
 * Instruction: reads what a person wrote as a command or as natural language.
 *
 * `parseInstruction("/remember I like tea")`. A command is a slash (also the full-width one), a name of letters only, then
 * the end or a space; `//` escapes, and a path (`/usr/bin is a folder`) is language. Pure, never throws.
 */
import type { Instruction } from "#shared/abi.ts";
import {
  callCommand,
  COMMANDS,
  findCommand,
  unknownCommand,
  type Command,
  type Language,
} from "#workers/parse/commands.ts";

const COMMAND = /^[/／](\p{Script=Han}+|[A-Za-z]+)(?:\s+|$)/u;
const ESCAPE = /^[/／]{2}/u;

/** Names at the root of a file system: a line that starts with one talks about a folder. */
const ROOT_FOLDERS = new Set(
  "bin boot dev etc home lib media mnt opt private proc root run sbin srv sys tmp usr var applications library users volumes".split(
    " ",
  ),
);

export function parseInstruction(text: string): Instruction {
  const source = text.trimStart();
  if (ESCAPE.test(source)) return { kind: "language", text: source.slice(1) };
  const glued = gluedCommand(source);
  if (glued !== null) return command(text, glued.command, glued.rest, "zh");
  const match = COMMAND.exec(source);
  const name = match?.[1];
  if (match === null || name === undefined) return { kind: "language", text };
  const language: Language = /^[A-Za-z]/.test(name) ? "en" : "zh";
  const found = findCommand(name);
  if (found !== undefined) return command(text, found, source.slice(match[0].length), language);
  if (ROOT_FOLDERS.has(name.toLowerCase())) return { kind: "language", text };
  return { kind: "command", text, command: name.toLowerCase(), call: unknownCommand(name, language) };
}

function command(text: string, found: Command, rest: string, language: Language): Instruction {
  return { kind: "command", text, command: found.name, call: callCommand(found, rest, language) };
}

/** Chinese is written without spaces, so a Chinese name may be followed by its text directly. */
function gluedCommand(source: string): { readonly command: Command; readonly rest: string } | null {
  if (!/^[/／]/u.test(source)) return null;
  const after = source.slice(1);
  for (const candidate of COMMANDS) {
    if (!candidate.glued || !after.startsWith(candidate.chinese)) continue;
    return { command: candidate, rest: after.slice(candidate.chinese.length).replace(/^[\s:：,，]+/u, "") };
  }
  return null;
}
