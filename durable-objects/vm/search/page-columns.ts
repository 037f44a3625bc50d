/**
 * The pages of a process as numbers, one array a property: what scoring reads of a page besides its words.
 *
 * Use `add(entry)` and `remove(slot)`; a page's place in every array is its slot, which is given again after `remove`. Pages of
 * one session are a chain: `next[slot]` and `previous[slot]`, or NONE; pages that stand alone (facts, notes) are chains of one.
 * What must hold: adding a page at the end of its session and removing any page cost the same whatever else is held; what a
 * page's place in its session decides (`within`, `edge`) is kept right for the pages around a change. Sums are of whole
 * numbers, so they do not depend on the order of changes.
 */
import { grown } from "#kernel/vm/search/block-lists.ts";
import { MOST_SLOTS } from "#kernel/vm/search/postings.ts";
import { packDay } from "#kernel/vm/search/search-dates.ts";
import type { IndexEntry } from "#kernel/vm/search/search-entry.ts";

export const NONE = -1;
/** In `previous`: no page has this slot. */
export const EMPTY = -2;
/** Pages at this distance or nearer lend each other words. */
export const REACH = 4;

/** Numbers of a page in `lengths`. */
export const LENGTHS = 4;

export const QUESTION = 1;
export const TIME = 2;
export const REACTION = 4;
export const USER = 8;
export const ASSISTANT = 16;
export const EDGE = 32;
export const EVIDENCE = 64;

/** What is kept of a page: all of its entry but the terms, and how many terms there are. */
export type HeldEntry = Omit<IndexEntry, "terms"> & { readonly length: number };

/** Kinds that stand alone: what was remembered before and after a fact is not its context, as it is for a turn. */
const STANDALONE_KINDS: ReadonlySet<string> = new Set(["fact", "note", "instruction", "summary"]);

/** Names as small numbers, given again when nobody uses them. */
class Names {
  readonly #ids = new Map<string, number>();
  readonly #uses: number[] = [];
  readonly names: string[] = [];
  readonly #free: number[] = [];

  use(name: string): number {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = this.#free.pop() ?? this.names.length;
      this.names[id] = name;
      this.#uses[id] = 0;
      this.#ids.set(name, id);
    }
    this.#uses[id] = (this.#uses[id] ?? 0) + 1;
    return id;
  }

  release(id: number): void {
    this.#uses[id] = (this.#uses[id] ?? 1) - 1;
    if (this.#uses[id] !== 0) return;
    this.#ids.delete(this.names[id] ?? "");
    this.names[id] = "";
    this.#free.push(id);
  }

  find(name: string): number | undefined {
    return this.#ids.get(name);
  }

  get size(): number {
    return this.#ids.size;
  }

  all(): string[] {
    return [...this.#ids.keys()];
  }
}

export class PageColumns {
  readonly kinds = new Names();
  readonly speakers = new Names();
  readonly #sessions = new Names();
  readonly #slotOfPage = new Map<number, number>();
  readonly #freeSlots: number[] = [];
  readonly #tailOfSession: number[] = [];
  readonly sizeOfSession: number[] = [];
  /** One more than the highest slot ever used, and the room of every array. */
  used = 0;
  capacity = 0;
  /** Sums of `lengths` over all pages. */
  readonly words = [0, 0, 0, 0];

  page = new Float64Array(0);
  order = new Float64Array(0);
  /** UTC milliseconds, NaN when the page has no time, and its day as `packDay` gives it. */
  at = new Float64Array(0);
  day = new Int32Array(0);
  kind = new Uint16Array(0);
  speaker = new Int32Array(0);
  /** NONE for a page that stands alone. */
  session = new Int32Array(0);
  previous = new Int32Array(0);
  next = new Int32Array(0);
  flags = new Uint8Array(0);
  names = new Uint8Array(0);
  /** Share of "you" in hundredths. */
  address = new Uint16Array(0);
  /** LENGTHS numbers a page: words of the page, of the page with its neighbours at 1, at 2 and at 4. */
  lengths = new Uint32Array(0);

  get size(): number {
    return this.#slotOfPage.size;
  }

  get sessions(): number {
    return this.sizeOfSession.length;
  }

  /** An estimate: arrays exactly, 40 bytes for a page's place in the map. */
  get bytes(): number {
    return this.capacity * 68 + this.size * 40 + this.sizeOfSession.length * 100;
  }

  slotOf(page: number): number | undefined {
    return this.#slotOfPage.get(page);
  }

  has(slot: number): boolean {
    return this.previous[slot] !== EMPTY;
  }

  /** Sum of a page's words and its neighbours' divided by the pages, at least 1 when there are none. */
  average(sum: number): number {
    return sum === 0 ? 1 : sum / this.size;
  }

  /** Takes a page in; it must not be held. Answers its slot. */
  add(entry: HeldEntry): number {
    const slot = this.#freeSlots.pop() ?? this.used++;
    if (slot >= this.capacity) this.#grow(slot + 1);
    this.page[slot] = entry.page;
    this.order[slot] = entry.order;
    this.at[slot] = entry.at ?? NaN;
    this.day[slot] = entry.at === null ? 0 : packDay(entry.at);
    this.kind[slot] = this.kinds.use(entry.kind);
    this.speaker[slot] = entry.speaker === null ? NONE : this.speakers.use(entry.speaker);
    this.flags[slot] = flagsOf(entry);
    this.names[slot] = entry.cues.names;
    this.address[slot] = Math.round(entry.cues.address * 100);
    this.lengths[slot * LENGTHS] = entry.length;
    this.#slotOfPage.set(entry.page, slot);
    this.#link(slot, STANDALONE_KINDS.has(entry.kind) ? NONE : this.#sessions.use(entry.session));
    this.#settle(slot, true);
    return slot;
  }

  remove(slot: number): void {
    const [before, after] = [this.previous[slot] ?? NONE, this.next[slot] ?? NONE];
    const session = this.session[slot] ?? NONE;
    this.#addWords(slot, -1);
    this.#slotOfPage.delete(this.page[slot] ?? 0);
    this.kinds.release(this.kind[slot] ?? 0);
    if (this.speaker[slot] !== NONE) this.speakers.release(this.speaker[slot] ?? 0);
    if (before !== NONE) this.next[before] = after;
    if (after !== NONE) this.previous[after] = before;
    if (session !== NONE) {
      if (after === NONE) this.#tailOfSession[session] = before;
      this.sizeOfSession[session] = (this.sizeOfSession[session] ?? 1) - 1;
      this.#sessions.release(session);
    }
    this.#clear(slot);
    this.#freeSlots.push(slot);
    const neighbour = before === NONE ? after : before;
    if (neighbour !== NONE) this.#settle(neighbour, false);
  }

  /** Calls `visit` with the page and those around it in its session that a change of the page can touch. */
  forEachNear(slot: number, visit: (near: number) => void): void {
    let near = slot;
    for (let step = 0; step < REACH && (this.previous[near] ?? NONE) !== NONE; step += 1)
      near = this.previous[near] ?? 0;
    for (let step = 0; step <= 2 * REACH && near !== NONE; step += 1) {
      visit(near);
      near = this.next[near] ?? NONE;
    }
  }

  /** Calls `visit` with every page of the page's session, in order. */
  forEachInSession(slot: number, visit: (near: number) => void): void {
    for (let near = this.headOf(slot); near !== NONE; near = this.next[near] ?? NONE) visit(near);
  }

  /** The first page of the page's session. */
  headOf(slot: number): number {
    let head = slot;
    for (let near = slot; near !== NONE; near = this.previous[near] ?? NONE) head = near;
    return head;
  }

  #link(slot: number, session: number): void {
    this.session[slot] = session;
    this.previous[slot] = NONE;
    this.next[slot] = NONE;
    if (session === NONE) return;
    const size = this.sizeOfSession[session] ?? 0;
    this.sizeOfSession[session] = size + 1;
    let before = size === 0 ? NONE : (this.#tailOfSession[session] ?? NONE);
    let after = NONE;
    while (before !== NONE && this.comparePlaces(before, slot) > 0) {
      after = before;
      before = this.previous[before] ?? NONE;
    }
    this.previous[slot] = before;
    this.next[slot] = after;
    if (before !== NONE) this.next[before] = slot;
    if (after !== NONE) this.previous[after] = slot;
    else this.#tailOfSession[session] = slot;
  }

  /** Below 0 when `one` comes before `other`. */
  comparePlaces(one: number, other: number): number {
    const order = (this.order[one] ?? 0) - (this.order[other] ?? 0);
    return order === 0 ? (this.page[one] ?? 0) - (this.page[other] ?? 0) : order;
  }

  /** Works out anew what depends on a page's place, for the page and those around it. */
  #settle(slot: number, fresh: boolean): void {
    this.forEachNear(slot, (near) => {
      if (near !== slot || !fresh) this.#addWords(near, -1);
      this.#measureWithin(near);
      this.#addWords(near, 1);
      const edge = this.#isNearEnd(near, this.previous) || this.#isNearEnd(near, this.next);
      this.flags[near] = ((this.flags[near] ?? 0) & ~EDGE) | (edge ? EDGE : 0);
    });
  }

  #isNearEnd(slot: number, link: Int32Array): boolean {
    const neighbour = link[slot] ?? NONE;
    return neighbour === NONE || link[neighbour] === NONE;
  }

  #measureWithin(slot: number): void {
    const lengths = this.lengths;
    const base = slot * LENGTHS;
    let sum = lengths[base] ?? 0;
    let [before, after] = [slot, slot];
    for (let distance = 1; distance <= REACH; distance += 1) {
      before = before === NONE ? NONE : (this.previous[before] ?? NONE);
      after = after === NONE ? NONE : (this.next[after] ?? NONE);
      if (before !== NONE) sum += lengths[before * LENGTHS] ?? 0;
      if (after !== NONE) sum += lengths[after * LENGTHS] ?? 0;
      if (distance <= 2) lengths[base + distance] = sum;
    }
    lengths[base + 3] = sum;
  }

  #addWords(slot: number, sign: 1 | -1): void {
    for (let place = 0; place < LENGTHS; place += 1)
      this.words[place] = (this.words[place] ?? 0) + sign * (this.lengths[slot * LENGTHS + place] ?? 0);
  }

  #clear(slot: number): void {
    this.previous[slot] = EMPTY;
    this.next[slot] = NONE;
    for (const column of [this.page, this.order, this.at, this.day, this.flags, this.names, this.address])
      column[slot] = 0;
    this.lengths.fill(0, slot * LENGTHS, (slot + 1) * LENGTHS);
  }

  #grow(slots: number): void {
    if (slots > MOST_SLOTS) throw new Error("page columns: more pages than a posting can name");
    const size = grown(this.capacity, slots);
    this.page = resized(this.page, new Float64Array(size));
    this.order = resized(this.order, new Float64Array(size));
    this.at = resized(this.at, new Float64Array(size));
    this.day = resized(this.day, new Int32Array(size));
    this.kind = resized(this.kind, new Uint16Array(size));
    this.speaker = resized(this.speaker, new Int32Array(size));
    this.session = resized(this.session, new Int32Array(size));
    this.previous = resized(this.previous, new Int32Array(size));
    this.next = resized(this.next, new Int32Array(size));
    this.flags = resized(this.flags, new Uint8Array(size));
    this.names = resized(this.names, new Uint8Array(size));
    this.address = resized(this.address, new Uint16Array(size));
    this.lengths = resized(this.lengths, new Uint32Array(size * LENGTHS));
    this.capacity = size;
  }
}

type Numbers = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

export function resized<Column extends Numbers>(from: Column, into: Column): Column {
  into.set(from);
  return into;
}

function flagsOf({ cues, role }: HeldEntry): number {
  return (
    (cues.question ? QUESTION : 0) |
    (cues.time ? TIME : 0) |
    (cues.reaction ? REACTION : 0) |
    (role === "user" ? USER : 0) |
    (role === "assistant" ? ASSISTANT : 0)
  );
}
