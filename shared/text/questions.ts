/**
 * Questions: whether a text asks rather than tells, in English or Chinese.
 *
 * Used to keep questions from counting as evidence: "When did Ann move?" says nothing about Ann's move. A text of several
 * sentences counts as a question only when none of them tells anything.
 */
const OPENERS =
  /^(who|whom|whose|what|when|where|why|which|how|is|are|was|were|am|do|does|did|can|could|will|would|should|shall|has|have|had|may|might|tell me|remind me|show me|list|and (her|his|their|my|your|the|what|who|when|where|how)\b)/i;
const CHINESE = /(吗|呢|么|什么|谁|哪|几|多少|怎么|怎样|为何|为什么|是否|是不是|有没有|何时|何地)/u;
const END = /[?？]\s*["'”’」』)）]*\s*$/u;

function isAsking(sentence: string): boolean {
  const text = sentence.trim();
  if (END.test(text)) return true;
  return /\p{Script=Han}/u.test(text)
    ? CHINESE.test(text) && !/[。！!.]$/u.test(text)
    : OPENERS.test(text) && !/[.!]$/u.test(text);
}

/** True when every sentence of the text asks. */
export function isQuestion(text: string): boolean {
  const sentences = text.split(/(?<=[.!?。！？])\s*|\n+/u).filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
  return sentences.length > 0 && sentences.every(isAsking);
}
