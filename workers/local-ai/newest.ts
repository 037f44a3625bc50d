/**
 * Newest wins: when several pages state the same changing thing ("I live in …"), the latest page decides.
 *
 * Use: `newestFirst(selection)` before a single answer is cut from the best sentence.
 *
 * What must hold: only questions in the present tense are touched, because "where did I live in 2019?" asks for an old fact; a later
 * sentence wins only when it matches as well, or nearly so and says that something changed.
 */
import { userPerson } from "#workers/local-ai/sentences.ts";
import type { ScoredSentence, Selection } from "#workers/local-ai/select.ts";

const presentQuestion = /\b(?:is|are|am|do|does|has|have|what's|where's|who's|currently|now|still|these days)\b/i;
const pastQuestion =
  /\b(?:did|was|were|had|used to|ago|last|before|first|ever|originally|previous\w*|former\w*)\b|以前|之前|曾经|过去|当时/i;
const change =
  /\b(?:now|moved|moving|switched|changed|no longer|not anymore|anymore|instead|new|these days|currently|just (?:started|got|became|signed)|started|became|renamed|sold|quit|left)\b|现在|搬到|搬去|换了|改成|改为|不再|新的|开始/i;
const asGood = 0.85;
const nearlyAsGood = 0.5;
/** Below this the older sentence matches by related words only and may be about something else. */
const exact = 0.7;
/** Only the leading sentences are looked at: further down, a newer page is newer about something else. */
const sentencesRead = 10;

function decides(candidate: ScoredSentence, top: ScoredSentence): boolean {
  const [at, topAt] = [candidate.sentence.page.at, top.sentence.page.at];
  if (at === null || topAt === null || at <= topAt) return false;
  if (
    candidate.sentence.asks ||
    candidate.sentence.caption ||
    candidate.fit < Math.min(0.5, top.fit) ||
    candidate.sentence.person !== top.sentence.person
  )
    return false;
  if (
    top.own >= exact &&
    candidate.own >= top.own * asGood &&
    candidate.sentence.words.length <= top.sentence.words.length * 2
  )
    return true;
  return candidate.own >= top.own * nearlyAsGood && change.test(candidate.sentence.text);
}

const formerQuestion =
  /\b(?:before|previously|formerly|used to|in the past|earlier)\W*$|\bused to\b|以前|之前|原来|过去/i;
const former = /\b(?:used to|previously|formerly|before)\b|以前|原来|曾经/i;

/** "Where did I live before?": what is told as over, or else what was told before the newest. */
function formerFirst(selection: Selection): Selection {
  const [first] = selection.sentences;
  if (first === undefined || first.sentence.person !== userPerson) return selection;
  const equal = selection.sentences
    .slice(0, sentencesRead)
    .filter((scored) => scored.own >= first.own * asGood && scored.fit >= 0 && !scored.sentence.asks)
    .sort((left, right) => (right.sentence.page.at ?? 0) - (left.sentence.page.at ?? 0));
  const over = ({ sentence }: ScoredSentence): boolean => (sentence.page.supersededBy ?? null) !== null;
  const top = equal.find((scored) => former.test(scored.sentence.text)) ?? equal.find(over) ?? equal[1];
  // Only what holds now was told: it answers nothing about before.
  if (top === undefined) return { ...selection, sentences: [] };
  return {
    ...selection,
    sentences: [{ ...top, score: first.score + 1 }, ...selection.sentences.filter((scored) => scored !== top)],
  };
}

export function asksFormer(text: string): boolean {
  return formerQuestion.test(text);
}

export function asksPast(text: string): boolean {
  return pastQuestion.test(text);
}

export function newestFirst(selection: Selection): Selection {
  const { question, sentences } = selection;
  const [first] = sentences;
  if (/^(?:where|what|who)$/.test(question.type) && formerQuestion.test(question.text)) return formerFirst(selection);
  const changing =
    question.language === "zh"
      ? !pastQuestion.test(question.text)
      : presentQuestion.test(question.text) && !pastQuestion.test(question.text);
  // "Who is Ann?": what was said of her last replaces nothing of what was said before.
  if (
    question.type === "who" &&
    (question.language === "zh" ? /是谁[?？]?$/.test(question.text) : question.terms.every((term) => term.name))
  )
    return selection;
  if (first === undefined || !changing || question.list || question.type === "when") return selection;
  let top = first;
  for (const scored of sentences.slice(1, sentencesRead)) if (decides(scored, top)) top = scored;
  if (top === first) return selection;
  // What the newer sentence replaces is left out, so that no answer is cut from it.
  return {
    ...selection,
    sentences: [
      { ...top, score: first.score + 1 },
      ...sentences.filter((scored) => scored !== top && scored.own < top.own),
    ],
  };
}
