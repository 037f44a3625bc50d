/**
 * Fact sentences: what of a turn stands for itself: "My sister Ana lives in Porto." out of a turn of five sentences.
 *
 * Use `factSentences(text)`: sentences, verbatim and in order, in which the person says how something is, was or is to be. Left out is
 * whatever needs its neighbours to be understood (he, it, there), asks, wonders, or only says how they feel just now. A turn
 * that is one sentence already stands for itself, so it gives none. Pure; English and Chinese.
 */
import { isQuestion } from "#shared/text/questions.ts";
import { isStopWord, tokenize } from "#shared/text/words.ts";
import { COMMON_WORDS } from "#kernel/vm/search/common-words.ts";
import { keyItems, midSentenceNames } from "#kernel/vm/summary/key-items.ts";
import { splitSentences } from "#kernel/vm/summary/summary-sentences.ts";

/** A place in the order of a turn's sentences, and the sentence. */
export interface FactSentence {
  readonly ordinal: number;
  readonly text: string;
}

const LONGEST = 240;
const FEWEST_WORDS = 4;
/** Sentences of one turn that are looked at; a turn of more is a document. */
const SENTENCES = 60;
const FACTS_PER_TURN = 8;

/** Who or what is spoken of: the person, somebody or something of theirs, or a name. */
const LEAD =
  "(?:(?:[Aa]nd|[Bb]ut|[Ss]o|[Aa]lso|[Oo]h|[Ww]ell|[Yy]es|[Yy]eah|[Bb]tw|BTW|FYI|[Bb]y the way|[Tt]hese days|[Nn]ow|[Cc]urrently|[Ll]ately),? )*";
const SUBJECT = `${LEAD}(?:I|We|My|Our|my|our|we|(?!I\\b)\\p{Lu}[\\p{L}'’-]+(?: \\p{Lu}[\\p{L}'’-]+){0,2}(?:['’]s)?)`;
const STATES = new RegExp(
  `^${SUBJECT}(?: [\\p{L}'’-]+){0,5}?(?: (?:am|is|are|was|were|live|lives|lived|work|works|worked|study|studies|studied|have|has|had|own|owns|owned|like|likes|love|loves|prefer|prefers|hate|hates|dislike|dislikes|play|plays|played|speak|speaks|teach|teaches|taught|run|runs|ran|drive|drives|moved|married|graduated|started|adopted|bought|sold|joined|became|turned|turns|died|grew|retired|quit|left|finished|met|visited|went|signed|won|lost|broke|booked|paid|cost|costs|changed|switched|use|uses|take|takes|need|needs|plan|plans|can['’]t|don['’]t|doesn['’]t|didn['’]t|won['’]t)|['’](?:m|s|re|ve))\\b`,
  "u",
);
const CHINESE_STATES =
  /^(?:我|我们|咱们|我(?:的|家|们)?[\p{Script=Han}]{1,6}|[\p{Script=Han}]{2,4})(?:现在|以前|今年|去年|已经|一直|平时|每[天周年月])?(?:的[\p{Script=Han}]{1,8}(?:是|叫|在)|是|叫|姓|住在?|在[\p{Script=Han}\w]{1,10}(?:工作|上班|上学|读书)|喜欢|不喜欢|讨厌|爱|最爱|有|没有|养|养了|对[\p{Script=Han}]{1,6}过敏|出生|毕业|搬到|搬去|结婚|买了|来自|会说|不吃|不喝|学|教|开|打算|计划|需要)/u;

const NEEDS_NEIGHBOURS =
  /\b(?:it|its|this|that|these|those|them|their|they|he|she|him|his|hers|her|there|here|one|ones|both|so do|same|other)\b|[他她它]|这[个些样里]|那[个些样里]/i;
const UNCERTAIN =
  /\b(?:if|would|could|might|maybe|perhaps|probably|wish|hope|hoping|hopefully|think|guess|wonder|imagine|suppose|let['’]?s|should|please|almost|kidding|example|hypothetical\w*|pretend)\b|如果|要是|可能|也许|大概|希望|觉得|想想|好像|假如|请|吧[。！]?$/i;
const FEELING =
  /^(?:\W*\w+[,!] )?(?:I|We)(?:['’]m| am|['’]re| are|['’]ve been| feel| felt)(?: (?:so|really|very|just|too|super|pretty|quite|all|also|still|both|always))* (?:glad|happy|sorry|sure|excited|proud|grateful|thankful|thrilled|blessed|impressed|curious|looking|fine|good|great|okay|ok|doing|here|ready|busy|tired|inspired|amazed|honored|touched|going|trying|thinking|feeling|stoked|pumped|psyched|relieved|lucky|fortunate|interested|open|stuck|having|working on|not sure|wondering|confused)\b/i;

function isTelling(sentence: string): boolean {
  const words = [...new Set(tokenize(sentence))].filter((word) => !isStopWord(word) && !COMMON_WORDS.has(word));
  return words.length >= 2 || (words.length >= 1 && keyItems(sentence).length > 0);
}

/** The person's own, or a name that is known as one: "Seattle is colourful" and "Having pets is fun" are nobody's facts. */
function isAboutSomebody(sentence: string, names: ReadonlySet<string>): boolean {
  const first = /^\p{L}+/u.exec(sentence)?.[0] ?? "";
  const own = new RegExp(`^${LEAD}(?:I|We|My|Our|my|our|we)\\b`, "u").test(sentence);
  return own || names.has(first) || /\b(?:is|was|are|were) (?:my|our)\b/.test(sentence);
}

function isFact(sentence: string, names: ReadonlySet<string>): boolean {
  if (sentence.length > LONGEST || isQuestion(sentence) || /[?？]|[:：]$/.test(sentence)) return false;
  if (NEEDS_NEIGHBOURS.test(sentence) || UNCERTAIN.test(sentence) || FEELING.test(sentence)) return false;
  const chinese = /\p{Script=Han}/u.test(sentence);
  if (!chinese && sentence.split(" ").length < FEWEST_WORDS) return false;
  if (!chinese && !isAboutSomebody(sentence, names)) return false;
  return (chinese ? CHINESE_STATES : STATES).test(sentence) && isTelling(sentence);
}

export function factSentences(text: string): FactSentence[] {
  const sentences = splitSentences(text.replaceAll(/\[image: [^\]]*\]/g, ""));
  if (sentences.length < 2 || sentences.length > SENTENCES) return [];
  const names = midSentenceNames(sentences);
  return sentences
    .map((sentence, ordinal) => ({ ordinal, text: sentence }))
    .filter((sentence) => isFact(sentence.text, names))
    .slice(0, FACTS_PER_TURN);
}
