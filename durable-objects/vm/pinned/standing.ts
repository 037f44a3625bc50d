/**
 * Standing: recognises what a person says for always: instructions for every answer, and preferences.
 *
 *     findStanding("I'm new here. From now on, answer in French.")
 *       → [{ kind: "instruction", text: "From now on, answer in French." }]
 *
 * Pure and total. What it answers are words of the text, verbatim. It reads English and Chinese, sentence by sentence, and only
 * the person's own voice: what stands in quotes, in code, after "translate:" or inside a story that is asked for is material,
 * a question asks, a statement about somebody else is not theirs, and "this time" is not always. A thing that is missed is
 * still found by search; a thing wrongly pinned stands in every prompt, so doubt decides against pinning.
 */
import { STANDING_CHARACTERS, STANDING_PER_TEXT } from "#shared/limits.ts";
import { standingInChinese } from "#kernel/vm/pinned/standing-chinese.ts";
import { standingInEnglish } from "#kernel/vm/pinned/standing-english.ts";

export type StandingKind = "instruction" | "preference";

export interface Standing {
  readonly kind: StandingKind;
  readonly text: string;
}

/** A stretch of a text, by its places. */
export interface Stretch {
  readonly kind: StandingKind;
  readonly start: number;
  readonly end: number;
}

/** What a reader of one language is given: a sentence, and whether the text around it asks for something now. */
export interface Sentence {
  readonly text: string;
  /** True when no other sentence of the text asks for anything: a short command then stands for itself. */
  readonly alone: boolean;
}

export function findStanding(text: string): Standing[] {
  const masked = maskMaterial(text);
  const sentences = sentencesOf(masked);
  const found: Standing[] = [];
  for (const { start, end } of sentences) {
    const sentence = masked.slice(start, end);
    const others = sentences.filter((other) => other.start !== start);
    const alone = others.every((other) => !/[?？]\s*$/u.test(masked.slice(other.start, other.end)));
    const read = /\p{Script=Han}/u.test(sentence) ? standingInChinese : standingInEnglish;
    for (const stretch of read({ text: sentence, alone })) {
      const words = tidy(text.slice(start + stretch.start, start + stretch.end), stretch.kind);
      const known = found.some((other) => other.text === words);
      if (!known && words.length <= STANDING_CHARACTERS) found.push({ kind: stretch.kind, text: words });
    }
  }
  return found.slice(0, STANDING_PER_TEXT);
}

/** A preference may end where the question around it does; an instruction keeps its own end. */
function tidy(words: string, kind: StandingKind): string {
  const bare = words
    .replaceAll(/\s+/g, " ")
    .replace(/^[\s,;:、，；：·*•-]+/u, "")
    .replace(/[\s,;:、，；：-]+$/u, "");
  return kind === "preference" ? bare.replace(/[\s,;，；?？]+$/u, "") : bare;
}

/** What is not the person's own voice, as neutral characters of the same length. */
function maskMaterial(text: string): string {
  const hide = (part: string): string => part.replaceAll(/[^\s]/g, "§");
  if (STORY.test(text)) return hide(text);
  const pasted = PASTED.exec(text);
  const own = pasted === null ? text : text.slice(0, pasted[0].length) + hide(text.slice(pasted[0].length));
  return own
    .replaceAll(/```[\s\S]*?(?:```|$)/g, hide)
    .replaceAll(/^[ \t]*>.*$/gm, hide)
    .replaceAll(/`[^`\n]*`/g, hide)
    .replaceAll(/"[^"\n]{1,400}"|“[^”\n]{1,400}”|«[^»\n]{1,400}»|「[^」\n]{1,400}」|『[^』\n]{1,400}』/g, hide);
}

/** A text to work on follows the colon. */
const PASTED =
  /^\s*(?:(?:please|can you|could you|help me|hi|hello|hey)[, ]+)*(?:translate|rewrite|rephrase|proofread|summari[sz]e|paraphrase|correct|edit|fix|improve|polish|review|analy[sz]e|grade|check|continue|complete)\b[^:\n]{0,80}:|^\s*(?:请|帮我|麻烦)*(?:把|将)?[^：:\n]{0,20}(?:翻译|改写|润色|总结|校对|修改|续写|分析|检查)[^：:\n]{0,40}[：:]/iu;

/** A made-up text is asked for: what its characters always do is theirs. */
const STORY =
  /^\s*(?:(?:please|can you|could you|help me)[, ]+)*(?:write|tell|compose|draft|create|make up|continue|generate)\b[^.!?\n]{0,60}\b(?:story|stories|poem|song|lyrics|dialogue|screenplay|scene|novel|tale|haiku|limerick|monologue|fable|joke)\b|^\s*(?:请|帮我|给我)*(?:写|编|讲|续写|创作)[^。！？\n]{0,20}(?:故事|小说|诗|歌词|剧本|对话|笑话|童话)/iu;

/** Sentences by their ends; a full stop inside a number, a version or an abbreviation ends none. */
function sentencesOf(text: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let start = 0;
  for (const match of text.matchAll(/[.!?]+["')\]]*(?=\s|$)|[。！？；!?]+["”』」）]*|\n+/gu)) {
    const end = match.index + match[0].length;
    if (/\b(?:e\.g|i\.e|etc|vs|mr|mrs|ms|dr|approx|no|st)\.$/i.test(text.slice(start, end)) && !match[0].includes("\n"))
      continue;
    found.push({ start, end });
    start = end;
  }
  found.push({ start, end: text.length });
  return found.filter((part) => /[\p{L}\p{N}]/u.test(text.slice(part.start, part.end)));
}
