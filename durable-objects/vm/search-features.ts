/**
 * How a page relates to a question, as numbers: words of its own, words of its neighbours and its session, who spoke, when, and
 * how it is said. The weights that turn them into one score are in `search-weights.ts`.
 *
 * Use `FeatureReader.ask(question)`, then `read(slot, into)` for each page: it writes the features that depend on the question
 * and answers whether the page relates to it at all. `readStatic` writes those that do not; their weighted sum is kept per page.
 * What must hold: every page is read, there is no cut before scoring; form alone (length, a question mark) is no relation; the
 * result does not depend on the order in which pages were added.
 *
 * To add a feature: a name in `FEATURES` (a static one at the end), a line in `read` (or `readStatic`), a weight.
 */
import { dateMatch } from "#kernel/vm/search-dates.ts";
import { LEXICAL, LexicalColumns, MATES, NEAR2, OWN, SPELLING } from "#kernel/vm/lexical-columns.ts";
import {
  ASSISTANT,
  EDGE,
  EMPTY,
  LENGTHS,
  NONE,
  QUESTION,
  REACTION,
  TIME,
  USER,
  type PageColumns,
} from "#kernel/vm/page-columns.ts";
import type { Postings } from "#kernel/vm/postings.ts";
import type { Question } from "#kernel/vm/search-question.ts";

/**
 * Place of every feature in a page's values. The first seven are the places of `lexical-columns.ts`; those from `lengthShort` on do not depend on the question.
 */
const PLACE = {
  own: 0, // BM25 of the page alone
  near1: 1, // with neighbours at distance 1
  near2: 2, // and 2
  window4: 3, // plain sum of four pages either side
  coverage: 4, // share of the question's weight that the page itself holds
  mates: 5, // related words (clusters) in the page and its neighbours
  spelling: 6, // words spelt like an asked one (typing errors, derived words) in the page
  answer: 7, // own score of the page before, when that page asks a question
  speaker: 8, // said by the person named, or by the user when the question is about the asker
  speakerNear1: 9, // speaker × near1
  date: 10, // share of the asked date parts that hold for the page
  when: 11, // the question asks when, the page speaks of a time
  where: 12, // the question asks where or who, the page holds names
  best: 13, // best near2 in the session
  top3: 14, // mean of the session's three best near2
  asked: 15, // the question is about what the assistant said, and the assistant said the page
  lengthShort: 16, // ln(1 + min(words, 60))
  lengthLong: 17, // ln(max(words, 60) / 60)
  question: 18, // the page itself asks
  address: 19, // share of "you"
  reaction: 20, // opens with "Wow", "Thanks"
  edge: 21, // first or last two of its session
  user: 22, // said by the user
} as const;

export type FeatureName = keyof typeof PLACE;
export const FEATURES = Object.keys(PLACE) as readonly FeatureName[];
/** Features before this one depend on the question. */
export const FIRST_STATIC = PLACE.lengthShort;

/** Writes the features that do not depend on the question, at their places. */
export function readStatic(pages: PageColumns, slot: number, into: Float64Array): void {
  const flags = pages.flags[slot] ?? 0;
  const length = pages.lengths[slot * LENGTHS] ?? 0;
  into[PLACE.lengthShort] = Math.log(1 + Math.min(length, 60));
  into[PLACE.lengthLong] = Math.log(Math.max(length, 60) / 60);
  into[PLACE.question] = (flags & QUESTION) === 0 ? 0 : 1;
  into[PLACE.address] = (pages.address[slot] ?? 0) / 100;
  into[PLACE.reaction] = (flags & REACTION) === 0 ? 0 : 1;
  into[PLACE.edge] = (flags & EDGE) === 0 ? 0 : 1;
  into[PLACE.user] = (flags & USER) === 0 ? 0 : 1;
}

export class FeatureReader {
  readonly #pages: PageColumns;
  readonly #lexical: LexicalColumns;
  #question: Question | null = null;
  /** The named speaker's number; NONE when nobody is named, or nobody of that name is held. */
  #speaker = NONE;
  #asksUser = false;
  /** The session's three best near2, by session. */
  #first = new Float64Array(0);
  #second = new Float64Array(0);
  #third = new Float64Array(0);

  constructor(pages: PageColumns, postings: Postings) {
    this.#pages = pages;
    this.#lexical = new LexicalColumns(pages, postings);
  }

  get bytes(): number {
    return this.#lexical.bytes + this.#first.length * 24;
  }

  ask(question: Question): void {
    this.#question = question;
    this.#speaker = question.speaker === null ? NONE : (this.#pages.speakers.find(question.speaker) ?? NONE);
    this.#asksUser = question.speaker === null && question.firstPerson;
    this.#lexical.measure(question.terms);
    this.#measureSessions();
  }

  /** The session's best page and its crowd: with a negative weight on the second, a session with one good page beats an even one. */
  #measureSessions(): void {
    const { sessions, used, session } = this.#pages;
    if (this.#first.length < sessions) {
      const size = 2 * sessions;
      this.#first = new Float64Array(size);
      this.#second = new Float64Array(size);
      this.#third = new Float64Array(size);
    }
    const [first, second, third] = [this.#first, this.#second, this.#third];
    for (const column of [first, second, third]) column.fill(0);
    const { values, share } = this.#lexical;
    for (let slot = 0; slot < used; slot += 1) {
      const value = (values[slot * LEXICAL + NEAR2] ?? 0) * share;
      const id = session[slot] ?? NONE;
      if (value === 0 || id === NONE || value <= (third[id] ?? 0)) continue;
      if (value > (first[id] ?? 0)) {
        third[id] = second[id] ?? 0;
        second[id] = first[id] ?? 0;
        first[id] = value;
      } else if (value > (second[id] ?? 0)) {
        third[id] = second[id] ?? 0;
        second[id] = value;
      } else third[id] = value;
    }
  }

  /**
   * Writes the features of a page that depend on the question; answers whether the page relates to the question. Those of an
   * unrelated page are written only when asked for.
   */
  read(slot: number, into: Float64Array, unrelatedToo = false): boolean {
    const pages = this.#pages;
    const question = this.#question;
    const lexical = this.#lexical;
    if (question === null || pages.previous[slot] === EMPTY) return false;
    const flags = pages.flags[slot] ?? 0;
    const base = slot * LEXICAL;
    const words = lexical.values;
    const spoken = this.#isSpokenByAsked(slot, flags);
    const date = this.#dateOf(question, slot);
    const worded = (words[base + NEAR2] ?? 0) > 0 || (words[base + MATES] ?? 0) > 0 || (words[base + SPELLING] ?? 0) > 0;
    const related = worded || date > 0 || spoken;
    if (!related && !unrelatedToo) return false;
    for (let place = 0; place <= SPELLING; place += 1) into[place] = (words[base + place] ?? 0) * lexical.share;
    into[PLACE.answer] = this.#answers(slot);
    into[PLACE.speaker] = spoken ? 1 : 0;
    into[PLACE.speakerNear1] = spoken ? (into[PLACE.near1] ?? 0) : 0;
    into[PLACE.date] = date;
    into[PLACE.when] = (flags & TIME) !== 0 && (question.asksWhen || question.date !== null) ? 1 : 0;
    into[PLACE.where] = question.asksWhere ? (pages.names[slot] ?? 0) / 3 : 0;
    into[PLACE.asked] = question.addressesAssistant && (flags & ASSISTANT) !== 0 ? 1 : 0;
    this.#readSession(slot, into);
    return related;
  }

  #readSession(slot: number, into: Float64Array): void {
    const id = this.#pages.session[slot] ?? NONE;
    if (id === NONE) {
      into[PLACE.best] = into[PLACE.near2] ?? 0;
      into[PLACE.top3] = into[PLACE.near2] ?? 0;
      return;
    }
    const sum = (this.#first[id] ?? 0) + (this.#second[id] ?? 0) + (this.#third[id] ?? 0);
    into[PLACE.best] = this.#first[id] ?? 0;
    into[PLACE.top3] = sum / Math.min(3, this.#pages.sizeOfSession[id] ?? 1);
  }

  #isSpokenByAsked(slot: number, flags: number): boolean {
    if (this.#speaker !== NONE) return this.#pages.speaker[slot] === this.#speaker;
    return this.#asksUser && (flags & USER) !== 0;
  }

  #dateOf(question: Question, slot: number): number {
    const at = this.#pages.at[slot] ?? NaN;
    if (question.date === null || Number.isNaN(at)) return 0;
    return dateMatch(question.date, at, this.#pages.day[slot] ?? 0);
  }

  #answers(slot: number): number {
    const before = this.#pages.previous[slot] ?? NONE;
    if (before === NONE || ((this.#pages.flags[before] ?? 0) & QUESTION) === 0) return 0;
    return (this.#lexical.values[before * LEXICAL + OWN] ?? 0) * this.#lexical.share;
  }
}
