/**
 * The rules that choose the next step for one instruction: a system call, an answer from evidence, or a plain statement.
 *
 * Use: `plan(evidence, toolNames)`; called again by the kernel with the tool results appended until the output is a text.
 *
 * What must hold: never more than one search, one write or one forget for an instruction; nothing is forgotten that does not clearly
 * match; a tool that is not offered is never called.
 */
import { answerQuestion, cite, describe, listQuotes } from "#workers/local-ai/answer.ts";
import type { Evidence } from "#workers/local-ai/evidence.ts";
import { planForget } from "#workers/local-ai/forget.ts";
import { readIntent, type Intent } from "#workers/local-ai/intent.ts";
import type { EngineOutput } from "#workers/local-ai/messages.ts";
import { phrases, type Language, type Phrases } from "#workers/local-ai/phrases.ts";
import { hasHan } from "#workers/local-ai/sentences.ts";
import { call, failure, say } from "#workers/local-ai/steps.ts";
import { everythingTold, toldWhen, type Quote } from "#workers/local-ai/told.ts";
import { resolveFollowUp } from "#workers/local-ai/thread.ts";

function planRemember(
  intent: Extract<Intent, { kind: "remember" }>,
  evidence: Evidence,
  tools: ReadonlySet<string>,
  words: Phrases,
): EngineOutput {
  const written = evidence.results.find((result) => result.name === "memory_write");
  if (written !== undefined) {
    const problem = failure(written);
    const handle = written.result?.handle;
    if (problem !== null) return say(words.failed(problem));
    return say(typeof handle === "string" ? words.remembered(handle) : words.noted);
  }
  if (intent.text === "") return say(words.nothingToRemember);
  if (!tools.has("memory_write")) return say(words.noted);
  return call("memory_write", { text: intent.text, kind: intent.memory });
}

function planQuestion(
  intent: Extract<Intent, { kind: "question" }>,
  evidence: Evidence,
  tools: ReadonlySet<string>,
  language: Language,
): EngineOutput {
  const words = phrases(language);
  const told = toldWhen(intent.text, evidence, language);
  if (told !== null) return say(cite(told.text, [told.handle], language));
  const resolved = resolveFollowUp(intent.text, evidence.thread);
  const wishes = standingWishes(intent.text, evidence);
  if (wishes.length > 0) return say(listQuotes(wishes, language));
  const answer = answerQuestion(resolved.text, evidence);
  const searched = evidence.results.some((result) => result.name === "memory_search");
  if (!answer.supported && resolved.followsUp && !searched && tools.has("memory_search")) {
    return call("memory_search", { query: resolved.text });
  }
  const standing = answer.supported ? null : answerFromStanding(resolved.text, evidence);
  if (standing !== null) return say(standing);
  return say(!answer.supported && intent.advice ? words.needsModel : answer.text);
}

const asksForWishes =
  /^\W*(?:how (?:should|do|must) you (?:answer|reply|respond|talk|speak|write)(?: to)?(?: me| my questions)?|what (?:are|were) my (?:standing )?(?:instructions?|preferences?|rules|wishes)(?: for you)?|what (?:instructions?|rules|preferences?) (?:did|have) i (?:give|given|told?|tell)(?: to)?(?: you)?|what do i (?:usually |generally )?prefer|(?:list|show(?: me)?|tell me) my (?:standing )?(?:instructions?|preferences?|rules))\W*$|^(?:我有(?:什么|哪些)(?:偏好|要求|规则|指示)|我的(?:偏好|要求|规则|指示)(?:是什么|有哪些)|你(?:应该|该|要)(?:怎么|怎样|如何)回答我)[吗呢?？。]*$/i;

const asksForLikes = /\bprefer(?:ences?)?\b|偏好/i;
const likes = /\b(?:prefer\w*|favou?r\w*|likes?|loves?|enjoys?|hates?|dislikes?)\b|喜欢|偏好|爱|讨厌/i;

/** "How should you answer me?": the standing instructions and preferences that are pinned. */
function standingWishes(text: string, evidence: Evidence): Quote[] {
  if (!asksForWishes.test(text)) return [];
  const wishes = evidence.pinned.filter((page) => page.kind === "instruction");
  const liked = asksForLikes.test(text) ? wishes.filter((page) => likes.test(page.text)) : [];
  return (liked.length > 0 ? liked : wishes).map((page) => ({ text: page.text, page }));
}

/** What the call's own pages do not answer, pinned pages may, and after them the blocks. */
function answerFromStanding(text: string, evidence: Evidence): string | null {
  const shown = new Set(evidence.pages.map((page) => page.handle));
  const pinned = evidence.pinned.filter((page) => !shown.has(page.handle));
  for (const pages of [pinned, evidence.blocks]) {
    const answer = pages.length === 0 ? null : answerQuestion(text, { ...evidence, pages });
    if (answer?.supported === true) return answer.text;
  }
  return null;
}

function planEverything(evidence: Evidence, tools: ReadonlySet<string>, language: Language): EngineOutput {
  const quotes = everythingTold(evidence);
  const searched = evidence.results.some((result) => result.name === "memory_search");
  if (quotes.length > 0) return say(listQuotes(quotes, language));
  // Any page of the user's own fits a question about them.
  if (!searched && tools.has("memory_search"))
    return call("memory_search", { query: language === "zh" ? "我" : "I my me" });
  return say(phrases(language).unknown);
}

export function plan(evidence: Evidence, tools: ReadonlySet<string>): EngineOutput {
  const language: Language = hasHan(evidence.instruction) ? "zh" : "en";
  const words = phrases(language);
  const intent = readIntent(evidence.instruction);
  switch (intent.kind) {
    case "remember":
      return planRemember(intent, evidence, tools, words);
    case "forget":
      return planForget(intent, evidence, tools, words);
    case "question":
      return planQuestion(intent, evidence, tools, language);
    case "everything":
      return planEverything(evidence, tools, language);
    case "about":
      return say(describe(intent.text, evidence, language));
    case "arithmetic":
      return say(`${intent.answer}${words.stop}`);
    case "generate":
      return say(words.needsModel);
    case "statement":
      return say(words.noted);
    case "greeting":
      return say(words.greeting);
    case "thanks":
      return say(words.thanks);
    case "farewell":
      return say(words.farewell);
    case "well-being":
      return say(words.wellBeing);
    case "capabilities":
      return say(words.capabilities);
  }
}
