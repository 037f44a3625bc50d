/**
 * Refine: links an instruction to what the process knows before a model sees it.
 *
 * Pages named by handle are mapped whatever the search says, and an instruction that only makes sense after the previous one
 * ("and her sister?") is searched together with it. The original text is never changed: refine only decides what page-in
 * looks for.
 */
import { pageNumber, parsePageHandle } from "#shared/ids.ts";
import { tokenize, isStopWord } from "#shared/text/words.ts";
import type { Kernel } from "#kernel/kernel.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";
import { threadBody, type Message } from "#kernel/proc/messages.ts";
import type { TraceData } from "#kernel/proc/trace.ts";
import { readPages } from "#kernel/vm/page-table.ts";

const HANDLE = /(?<![A-Za-z0-9])p[0-9a-z]{1,10}(?![A-Za-z0-9])/g;
/** An instruction with fewer content words than this may lean on the one before it. */
const SELF_CONTAINED_WORDS = 4;
const LEANING = [
  /\b(he|him|his|she|her|hers|they|them|their|theirs|it|its|that|this|those|these|there|then|one|ones|else|also|too)\b/i,
  /^(and|but|what about|how about)\b/i,
  /^(why|when|where|who|how)\W*$/i,
  /[他她它]|那[个里时]|这[个里时]|呢[?？]?$/u,
];

export function refine(kernel: Kernel, run: LiveRun, data: TraceData): void {
  const text = run.instruction.text;
  run.named = namedPages(kernel, text);
  const before = leansOnBefore(text) ? previousInstruction(kernel, run) : null;
  run.query = before === null ? text : `${before}\n${text}`;
  data["named"] = run.named.length;
  data["followUp"] = before !== null;
}

function namedPages(kernel: Kernel, text: string): number[] {
  const handles = new Set(text.match(HANDLE) ?? []);
  const numbers = [...handles].flatMap((handle) => {
    const parsed = parsePageHandle(handle);
    return parsed === null ? [] : (pageNumber(parsed) ?? []);
  });
  return readPages(kernel, numbers).map((page) => page.number);
}

function leansOnBefore(text: string): boolean {
  const content = tokenize(text).filter((word) => !isStopWord(word));
  return content.length < SELF_CONTAINED_WORDS && LEANING.some((sign) => sign.test(text));
}

function previousInstruction(kernel: Kernel, run: LiveRun): string | null {
  const messages: readonly Message[] = run.conversation ?? threadBody(kernel, run.thread, run.id);
  return messages.findLast((message) => message.role === "user")?.content ?? null;
}
