/**
 * Block command: `/block …`, the labelled texts that stand in every prompt, as a person types it.
 *
 *     /block                                list them            /block notes                       show one
 *     /block create notes Likes short answers.                   /block insert notes --line 0 First line.
 *     /block replace notes --old "short" long                    /block rename notes style
 *     /block delete notes
 *
 * Answers null when the line is none of these; the caller then shows how it is written. Pure.
 */
import type { CommandLine } from "#workers/parse/options.ts";

const VERBS: Readonly<Record<string, string>> = {
  create: "create",
  replace: "replace",
  insert: "insert",
  delete: "delete",
  rename: "rename",
  新建: "create",
  替换: "replace",
  插入: "insert",
  删除: "delete",
  改名: "rename",
};

export interface BlockCall {
  readonly name: "block_read" | "block_edit";
  readonly arguments: Record<string, unknown>;
}

export function blockCall(line: CommandLine): BlockCall | null {
  const [first, label, text] = split(line.text);
  const old = line.options.get("old")?.at(-1);
  const at = line.options.get("line")?.at(-1);
  const options = { ...(old === undefined ? {} : { old }), ...(at === undefined ? {} : { line: lineNumber(at) }) };
  if (first === "" && line.options.size === 0) return { name: "block_read", arguments: {} };
  const verb = VERBS[first];
  if (verb === undefined) {
    return label === "" && line.options.size === 0 ? { name: "block_read", arguments: { label: first } } : null;
  }
  if (label === "") return null;
  const rest = text === "" ? {} : verb === "rename" ? { to: text } : { text };
  // A block that is created, or words that are replaced, may be empty; the kernel refuses what else is missing.
  const empty = text === "" && (verb === "create" || verb === "replace") ? { text: "" } : {};
  return { name: "block_edit", arguments: { verb, label, ...options, ...rest, ...empty } };
}

function lineNumber(text: string): number {
  return /^\d{1,6}$/.test(text) ? Number(text) : -1;
}

/** The first two words and what comes after them. */
function split(text: string): [string, string, string] {
  const match = /^(\S+)(?:\s+(\S+))?\s*([\s\S]*)$/u.exec(text);
  const rest = (match?.[3] ?? "").trim();
  const quoted = /^"([\s\S]*)"$/u.exec(rest)?.[1];
  return [match?.[1] ?? "", match?.[2] ?? "", quoted ?? rest];
}
