/**
 * Plain: a transcript for servers and templates that lack a role: tools as text, and system messages inside of a person's turn.
 *
 *     user       <system>⏎Today is Monday.⏎</system>⏎⏎What did I say of the keys?
 *     assistant  <tool_call>⏎{"name": "memory_search", "arguments": {…}}⏎</tool_call>
 *     user       <tool_response>⏎ … ⏎</tool_response>
 *
 * Turns of the two sides alternate. Marks in anybody's words are quoted, so only the kernel writes a `<system>`. With nothing but
 * those two sides (`systems: "never"`, tools as text) `readPlain` gives the transcript back.
 */
import type { ToolDefinition } from "#shared/calls.ts";
import type { Turn } from "#kernel/infer/families/family.ts";
import { quote, unquote } from "#kernel/infer/families/quote.ts";
import { describeTools, readToolCalls, writeToolCalls, writeToolResult } from "#kernel/infer/families/tool-marks.ts";
import type { Message } from "#kernel/proc/messages.ts";

export interface PlainOptions {
  /** Where a system message may stand; one that may not is told in a person's turn. */
  readonly systems: "anywhere" | "first" | "never";
  /** Tools to be described in the text, and called by it; null where the server takes tools. */
  readonly describe: readonly ToolDefinition[] | null;
}

/** Whether anything of a transcript is written another way, and its words quoted. */
export function isPlain({ systems, describe }: PlainOptions): boolean {
  return systems !== "anywhere" || describe !== null;
}

/** A canonical transcript without the roles that lack. */
export function plain(messages: readonly Message[], options: PlainOptions): Message[] {
  const sent: Message[] = [];
  const tell = (role: "system" | "user", text: string): void => {
    const last = sent.at(-1);
    if (last?.role === role) sent[sent.length - 1] = { role, content: `${last.content}\n\n${text}` };
    else sent.push({ role, content: text });
  };
  const told = plainTools(options);
  if (told !== "" && options.systems === "never") tell("user", told);
  for (const message of messages) {
    const { role, content, toolCalls = [] } = message;
    const opening = sent.every((one) => one.role === "system");
    if (role === "user") tell("user", quote(content));
    else if (role === "system") {
      if (options.systems === "first" && opening) tell("system", quote(content));
      else if (options.systems === "anywhere") sent.push({ role, content: quote(content) });
      else tell("user", `<system>\n${quote(content)}\n</system>`);
    } else if (options.describe === null) sent.push({ ...message, content: quote(content) });
    else if (role === "tool") tell("user", writeToolResult(content));
    else sent.push({ role, content: writeToolCalls(content, toolCalls) });
  }
  if (told === "" || options.systems === "never") return sent;
  const [first, ...rest] = sent;
  return first?.role === "system"
    ? [{ role: "system", content: `${first.content}\n\n${told}` }, ...rest]
    : [{ role: "system", content: told }, ...sent];
}

function plainTools({ describe }: PlainOptions): string {
  return describe === null || describe.length === 0 ? "" : describeTools(describe);
}

const PIECE = /(?:^|\n\n)<(system|tool_response)>\n([^]*?)\n<\/\1>/g;

/** What `plain` wrote with `systems: "never"` and tools as text. */
export function readPlain(sent: readonly Message[], options: PlainOptions): Turn[] {
  const told = plainTools(options);
  return sent.flatMap(({ role, content }, index): Turn[] => {
    if (role === "assistant") return [{ role, ...readToolCalls(content) }];
    if (index > 0 || told === "") return readPieces(content);
    return content === told ? [] : readPieces(content.slice(told.length + 2));
  });
}

/** A person's turn: marked pieces, and their own words between them. */
function readPieces(body: string): Turn[] {
  const turns: Turn[] = [];
  let at = 0;
  for (const piece of body.matchAll(PIECE)) {
    const [whole, mark, content = ""] = piece;
    // The line ends in front of a piece belong to it; other words begin behind two of their own.
    if (piece.index > at || (at === 0 && whole.startsWith("\n"))) turns.push(words(body.slice(at, piece.index), at));
    turns.push({ role: mark === "system" ? "system" : "tool", content: unquote(content) });
    at = piece.index + whole.length;
  }
  if (at < body.length || at === 0) turns.push(words(body.slice(at), at));
  return turns;
}

function words(text: string, at: number): Turn {
  return { role: "user", content: unquote(at === 0 ? text : text.slice(2)) };
}
