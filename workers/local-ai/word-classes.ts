/**
 * Rough English word classes from closed lists and endings: enough to know where a phrase begins and ends, without a parser.
 *
 * Use: `wordClasses(sentence)` gives one class for each word of the sentence.
 *
 * What must hold: total and deterministic; an unknown word is a `noun`, the class that answers are mostly made of.
 */
import { lemma } from "#shared/text/lemmas.ts";
import type { Word } from "#workers/local-ai/sentences.ts";

export type WordClass =
  | "determiner"
  | "possessive"
  | "preposition"
  | "to"
  | "conjunction"
  | "pronoun"
  | "auxiliary"
  | "adverb"
  | "number"
  | "proper"
  | "verb"
  | "gerund"
  | "interjection"
  | "noun";

const closed = new Map<string, WordClass>();
for (const [kind, words] of [
  ["determiner", "a an the this that these those some any each every another no"],
  ["possessive", "my your his her our their its"],
  [
    "preposition",
    "of in on at for with by from about into onto over under through during around near like as after before since until between against without within towards toward across along behind beyond off out up down inside outside than per",
  ],
  ["to", "to"],
  [
    "conjunction",
    "and or but so because cause 'cause if when while which who whom where why how that's although though unless plus",
  ],
  [
    "pronoun",
    "i me you he him she it we us they them myself yourself itself mine yours ours theirs i'm i've i'd i'll you're you've you'll he's she's it's we're we've we'll they're they've who's what's there's there here someone something everyone everything anyone anything what",
  ],
  [
    "auxiliary",
    "am is are was were be been being do does did have has had having will would can could should may might must don't didn't doesn't won't can't couldn't isn't aren't wasn't weren't haven't hasn't gonna wanna let's",
  ],
  [
    "adverb",
    "not very really so just too also even still always never ever often usually sometimes recently lately actually definitely totally super pretty quite already again soon now then finally especially probably maybe truly only almost absolutely yet ago well",
  ],
  [
    "interjection",
    "hey hi hello wow yeah yep yes no thanks thank cool awesome sure ok okay oh haha lol aw congrats please sorry bye great nice",
  ],
  [
    "number",
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen twenty thirty forty fifty hundred thousand million once twice both several couple few dozen",
  ],
  [
    "verb",
    "love like enjoy go get make take see want need know think feel hope try keep help give find work play use come look start plan",
  ],
] as const) {
  for (const word of words.split(" ")) if (!closed.has(word)) closed.set(word, kind);
}

function classOf(word: Word, first: boolean): WordClass {
  const known = closed.get(word.lower);
  if (known !== undefined) return known;
  if (/^\d/.test(word.lower)) return "number";
  if (!first && /^\p{Lu}/u.test(word.text)) return "proper";
  if (word.lower.length > 4 && word.lower.endsWith("ing")) return "gerund";
  if (word.lower.length > 4 && word.lower.endsWith("ed")) return "verb";
  if (/(?:ly)$/.test(word.lower) && word.lower.length > 4) return "adverb";
  const head = lemma(word.lower);
  return head !== word.lower && !word.lower.endsWith("s") && !/(?:ren|men|ople|eet)$/.test(word.lower)
    ? "verb"
    : "noun";
}

export function wordClasses(words: readonly Word[]): WordClass[] {
  return words.map((word, index) => classOf(word, index === 0));
}
