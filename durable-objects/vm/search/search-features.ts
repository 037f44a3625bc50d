/**
 * How a page relates to a question, as numbers: words of its own, words of its neighbours and its session, who spoke, when, and
 * how it is said. The weights that turn them into one score are in `search-weights.ts`.
 *
 * Use `FeatureReader.ask(question, weights)`, then for each page `isRelated(slot)` and `weigh(slot)`, the weighted sum of the
 * features that depend on the question; `read(slot, into)` writes them down one by one. `readStatic` writes those that do not;
 * their weighted sum is kept per page.
 * What must hold: no page is passed over but by a bound that its score cannot exceed (`weighWordless`, `unsettledMost`,
 * `latentMost`); form alone (length, a question mark) is no relation; the result does not depend on the order in which pages
 * were added.
 *
 * To add a feature: a name in `PLACE` (a static one at the end), a line in `weigh` and in the bounds (or in `readStatic`), a
 * weight. One that needs all pages at once, such as a cosine of vectors, is an array by slot that `ask` fills and `weigh` reads.
 */
import { FEATURES, LEXICAL_PLACES, PLACE } from "#kernel/vm/search/feature-names.ts";
import { dateMatch, type DateHint } from "#kernel/vm/search/search-dates.ts";
import { LEXICAL, LexicalColumns } from "#kernel/vm/search/lexical-columns.ts";
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
} from "#kernel/vm/search/page-columns.ts";
import type { PageVectors } from "#kernel/vm/search/latent-pages.ts";
import type { Postings } from "#kernel/vm/search/postings.ts";
import type { Question } from "#kernel/vm/search/search-question.ts";
import type { Weights } from "#kernel/vm/search/search-weights.ts";

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
  readonly #vectors: PageVectors;
  readonly #weights = new Float64Array(FEATURES.length);
  /** Where `read` wants the values; null while pages are only weighed. */
  #into: Float64Array | null = null;
  #date: DateHint | null = null;
  #asksDate = false;
  #asksTime = false;
  #asksWhere = false;
  #asksAssistant = false;
  /** The named speaker's number; NONE when nobody is named, or nobody of that name is held. */
  #speaker = NONE;
  #asksUser = false;
  #asksKind = false;
  #asksLatent = false;
  /** The day last compared with the question's date, and what came of it: pages beside each other are often of one day. */
  #day = -1;
  #dayMatch = 0;
  /** The session's three best near2, by session. */
  #first = new Float64Array(0);
  #second = new Float64Array(0);
  #third = new Float64Array(0);
  /** What `#weighSession` answers, by session. */
  #ofSession = new Float64Array(0);
  /** What a page gets at the most for its flags, and for what `weighWordless` does not read. */
  readonly #ofFlags = new Float64Array(256);

  constructor(pages: PageColumns, postings: Postings, vectors: PageVectors) {
    this.#pages = pages;
    this.#vectors = vectors;
    this.#lexical = new LexicalColumns(pages, postings);
  }

  get bytes(): number {
    return this.#lexical.bytes + this.#first.length * 32;
  }

  ask(question: Question, weights: Weights): void {
    FEATURES.forEach((name, place) => (this.#weights[place] = weights[name] ?? 0));
    this.#date = question.date;
    this.#day = -1;
    this.#asksDate = question.date !== null;
    this.#asksTime = question.asksWhen || this.#asksDate;
    this.#asksWhere = question.asksWhere;
    this.#asksAssistant = question.addressesAssistant;
    this.#speaker = question.speaker === null ? NONE : (this.#pages.speakers.find(question.speaker) ?? NONE);
    this.#asksUser = question.speaker === null && question.firstPerson;
    this.#lexical.measure(question.terms);
    this.#asksKind = this.#lexical.kinds.length > 0;
    this.#asksLatent = this.#vectors.ask(question.terms) && this.#isKnown();
    this.#measureSessions();
    this.#weighFlags();
  }

  /**
   * Whether the latent space knows at least half of the question's weight, words that no page holds aside. It knows no word of
   * a single page: what is asked by an order number is that number, not what the words beside it are near to.
   */
  #isKnown(): boolean {
    let [known, all] = [0, 0];
    for (const [term, weight] of this.#lexical.weights) {
      if (!this.#lexical.holds(term)) continue;
      all += weight;
      if (this.#vectors.knows(term)) known += weight;
    }
    return known >= all / 2;
  }

  /** The session's best page and its crowd: with a negative weight on the second, a session with one good page beats an even one. */
  #measureSessions(): void {
    const { sessions } = this.#pages;
    if (this.#first.length < sessions) {
      const size = 2 * sessions;
      this.#first = new Float64Array(size);
      this.#second = new Float64Array(size);
      this.#third = new Float64Array(size);
      this.#ofSession = new Float64Array(size);
    }
    const [first, second, third] = [this.#first, this.#second, this.#third];
    for (const column of [first, second, third]) column.fill(0);
    const { slots, count } = this.#lexical.touched;
    for (let index = 0; index < count; index += 1) this.#rankInSession(slots[index] ?? 0);
    for (let id = 0; id < sessions; id += 1) this.#ofSession[id] = this.#weighSession(id);
  }

  #rankInSession(slot: number): void {
    const [first, second, third] = [this.#first, this.#second, this.#third];
    const value = (this.#lexical.values[slot * LEXICAL + PLACE.near2] ?? 0) * this.#lexical.share;
    const id = this.#pages.session[slot] ?? NONE;
    if (value === 0 || id === NONE || value <= (third[id] ?? 0)) return;
    if (value > (first[id] ?? 0)) {
      third[id] = second[id] ?? 0;
      second[id] = first[id] ?? 0;
      first[id] = value;
    } else if (value > (second[id] ?? 0)) {
      third[id] = second[id] ?? 0;
      second[id] = value;
    } else third[id] = value;
  }

  /**
   * What `weigh` can grow by at the most when the page is settled: common words add to every number of words, so a feature with a
   * weight below 0 can only lose by them.
   */
  get unsettledMost(): number {
    const { commonMost } = this.#lexical;
    const most = (place: number, value: number): number => Math.max(0, this.#weights[place] ?? 0) * value;
    return (
      most(PLACE.own, commonMost.own) +
      most(PLACE.near1, commonMost.near1) +
      most(PLACE.near2, commonMost.near2) +
      most(PLACE.window4, commonMost.window4) +
      most(PLACE.coverage, commonMost.coverage) +
      most(PLACE.answer, commonMost.own) +
      most(PLACE.speakerNear1, commonMost.near1) +
      most(PLACE.best, commonMost.near2) +
      most(PLACE.top3, commonMost.near2)
    );
  }

  /** Whether the page's common words are counted. */
  isSettled(slot: number): boolean {
    return this.#lexical.isSettled(slot);
  }

  /** Adds the common words to the page and all of its session. */
  settle(slot: number): void {
    if (this.#lexical.isSettled(slot)) return;
    this.#lexical.settle(slot);
    const id = this.#pages.session[slot] ?? NONE;
    if (id === NONE) return;
    for (const column of [this.#first, this.#second, this.#third]) column[id] = 0;
    this.#pages.forEachInSession(slot, (near) => this.#rankInSession(near));
    this.#ofSession[id] = this.#weighSession(id);
  }

  /** Whether the page shares a word, a related or alike word, the person or the date with the question. */
  isRelated(slot: number): boolean {
    if (this.#pages.previous[slot] === EMPTY) return false;
    const { values } = this.#lexical;
    const base = slot * LEXICAL;
    if (
      (values[base + PLACE.near2] ?? 0) > 0 ||
      (values[base + PLACE.mates] ?? 0) > 0 ||
      (values[base + PLACE.spelling] ?? 0) > 0 ||
      (this.#asksKind && (this.#lexical.kinds[slot] ?? 0) > 0)
    )
      return true;
    return this.#isSpokenByAsked(slot) || this.#dateOf(slot) > 0;
  }

  /** Writes the features of a page that depend on the question, at their places. */
  read(slot: number, into: Float64Array): void {
    this.settle(slot);
    this.#into = into.fill(0);
    this.weigh(slot);
    this.weighLatent(slot);
    this.#into = null;
  }

  /** What `weighLatent` can add to any page at the most. */
  get latentMost(): number {
    return this.#asksLatent ? Math.abs(this.#weights[PLACE.latent] ?? 0) : 0;
  }

  /** The weighted nearness of page and question: the dearest feature, so it is asked for last. */
  weighLatent(slot: number): number {
    return this.#asksLatent ? this.#add(PLACE.latent, this.#vectors.nearness(slot)) : 0;
  }

  /** The weighted sum of the features of a page that depend on the question, but for `weighLatent`. */
  weigh(slot: number): number {
    const pages = this.#pages;
    const { values, share } = this.#lexical;
    const flags = pages.flags[slot] ?? 0;
    const base = slot * LEXICAL;
    let sum = 0;
    const weights = this.#weights;
    if (this.#lexical.touched.is[slot] === 1) {
      for (let place = 0; place < LEXICAL_PLACES; place += 1)
        sum += (weights[place] ?? 0) * (values[base + place] ?? 0);
      sum *= share;
    }
    if (this.#into !== null) this.#readWords(base, this.#into);
    const before = pages.previous[slot] ?? NONE;
    if (before !== NONE && ((pages.flags[before] ?? 0) & QUESTION) !== 0)
      sum += this.#add(PLACE.answer, (values[before * LEXICAL + PLACE.own] ?? 0) * share);
    if (this.#isSpokenByAsked(slot)) {
      sum += this.#add(PLACE.speaker, 1);
      sum += this.#add(PLACE.speakerNear1, (values[base + PLACE.near1] ?? 0) * share);
    }
    if (this.#asksDate) sum += this.#add(PLACE.date, this.#dateOf(slot));
    if (this.#asksTime && (flags & TIME) !== 0) sum += this.#add(PLACE.when, 1);
    if (this.#asksWhere) sum += this.#add(PLACE.where, (pages.names[slot] ?? 0) / 3);
    if (this.#asksKind) sum += this.#add(PLACE.kind, this.#lexical.kinds[slot] ?? 0);
    if (this.#asksAssistant && (flags & ASSISTANT) !== 0) sum += this.#add(PLACE.asked, 1);
    const id = pages.session[slot] ?? NONE;
    if (id !== NONE) return sum + (this.#into === null ? (this.#ofSession[id] ?? 0) : this.#weighSession(id));
    const near2 = (values[base + PLACE.near2] ?? 0) * share;
    return sum + this.#add(PLACE.best, near2) + this.#add(PLACE.top3, near2);
  }

  /** At least what `weigh` answers for a page that no word of the question touches yet, for a fraction of the time. */
  weighWordless(slot: number): number {
    const id = this.#pages.session[slot] ?? NONE;
    const sum = (this.#ofFlags[this.#pages.flags[slot] ?? 0] ?? 0) + (id === NONE ? 0 : (this.#ofSession[id] ?? 0));
    return this.#asksDate ? sum + (this.#weights[PLACE.date] ?? 0) * this.#dateOf(slot) : sum;
  }

  /** Whether a word of the question touches the page. */
  isTouched(slot: number): boolean {
    return this.#lexical.touched.is[slot] === 1;
  }

  #weighFlags(): void {
    const most = (place: number, asked: boolean): number => (asked ? Math.max(0, this.#weights[place] ?? 0) : 0);
    const rest =
      most(PLACE.where, this.#asksWhere) +
      most(PLACE.speaker, this.#speaker !== NONE) +
      most(PLACE.kind, this.#asksKind) * this.#lexical.kindMost;
    for (let flags = 0; flags < this.#ofFlags.length; flags += 1)
      this.#ofFlags[flags] =
        rest +
        ((flags & TIME) === 0 ? 0 : most(PLACE.when, this.#asksTime)) +
        ((flags & ASSISTANT) === 0 ? 0 : most(PLACE.asked, this.#asksAssistant)) +
        ((flags & USER) === 0 ? 0 : most(PLACE.speaker, this.#asksUser));
  }

  #weighSession(id: number): number {
    const first = this.#first[id] ?? 0;
    if (first === 0) return 0;
    const sum = first + (this.#second[id] ?? 0) + (this.#third[id] ?? 0);
    return this.#add(PLACE.best, first) + this.#add(PLACE.top3, sum / Math.min(3, this.#pages.sizeOfSession[id] ?? 1));
  }

  #readWords(base: number, into: Float64Array): void {
    const { values, share } = this.#lexical;
    for (let place = 0; place < LEXICAL_PLACES; place += 1) into[place] = (values[base + place] ?? 0) * share;
  }

  /** What a feature of this value adds to a page's score; written down too when `read` asks. */
  #add(place: number, value: number): number {
    if (this.#into !== null) this.#into[place] = value;
    return (this.#weights[place] ?? 0) * value;
  }

  #isSpokenByAsked(slot: number): boolean {
    if (this.#speaker !== NONE) return this.#pages.speaker[slot] === this.#speaker;
    return this.#asksUser && ((this.#pages.flags[slot] ?? 0) & USER) !== 0;
  }

  #dateOf(slot: number): number {
    const hint = this.#date;
    const at = this.#pages.at[slot] ?? NaN;
    if (hint === null || Number.isNaN(at)) return 0;
    const day = this.#pages.day[slot] ?? 0;
    if (day === this.#day && hint.spans.length === 0) return this.#dayMatch;
    this.#day = day;
    this.#dayMatch = dateMatch(hint, at, day);
    return this.#dayMatch;
  }
}
