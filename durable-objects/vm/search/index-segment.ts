/**
 * Index segment: many pages as the search index holds them, in one run of bytes: numbers page by page, then every term with the
 * pages that hold it.
 *
 * Use `encodeSegment(pages)` and `loadSegment(bytes, index)`, which adds the pages to an index and answers how many there were.
 * What must hold: an index loaded from segments ranks exactly as one built from the entries. A segment holds the words of its
 * pages and is as private as they are.
 *
 * To add to what is kept of a page: write and read it here (`writeTerms` and `readTerms` take a further text as they take the
 * first) and raise FORMAT. Segments of another format are not read but built anew from the entries.
 */
import { ByteReader, ByteWriter } from "#kernel/vm/search/byte-codec.ts";
import { indexedTerms } from "#kernel/vm/search/notes.ts";
import { countTerms, type Postings } from "#kernel/vm/search/postings.ts";
import type { IndexEntry, PageRole } from "#kernel/vm/search/search-entry.ts";
import type { SearchIndex } from "#kernel/vm/search/search-index.ts";

/** Raised with `IndexEntry`, and with the kinds of `kinds.ts`, whose notes a segment holds. */
export const FORMAT = 2;

export interface SegmentPage {
  readonly entry: IndexEntry;
  readonly evidence: boolean;
}

const QUESTION = 1;
const TIME = 2;
const REACTION = 4;
const EVIDENCE = 8;
const DATED = 16;
/** `order` is the page's number, as it is unless a caller chose another. */
const IN_ORDER = 32;
const ROLES: readonly (PageRole | null)[] = [null, "user", "assistant", "tool", "system"];

/** Names in the order they are first used. */
class NameTable {
  readonly #ids = new Map<string, number>();

  idOf(name: string): number {
    const id = this.#ids.get(name) ?? this.#ids.size;
    this.#ids.set(name, id);
    return id;
  }

  get names(): string[] {
    return [...this.#ids.keys()];
  }
}

/** `pages` in the order of their numbers. */
export function encodeSegment(pages: readonly SegmentPage[]): Uint8Array {
  const names = new NameTable();
  const rows = new ByteWriter();
  let before = 0;
  for (const { entry, evidence } of pages) {
    const { cues } = entry;
    rows.number(entry.page - before);
    before = entry.page;
    rows.number(
      (cues.question ? QUESTION : 0) |
        (cues.time ? TIME : 0) |
        (cues.reaction ? REACTION : 0) |
        (evidence ? EVIDENCE : 0) |
        (entry.at === null ? 0 : DATED) |
        (entry.order === entry.page ? IN_ORDER : 0),
    );
    rows.number(cues.names);
    rows.number(Math.round(cues.address * 100));
    rows.number(ROLES.indexOf(entry.role));
    rows.number(names.idOf(entry.kind));
    rows.number(names.idOf(entry.session));
    rows.number(entry.speaker === null ? 0 : names.idOf(entry.speaker) + 1);
    rows.number(entry.terms.length);
    if (entry.at !== null) rows.float(entry.at);
    if (entry.order !== entry.page) rows.float(entry.order);
  }
  const writer = new ByteWriter();
  writer.number(FORMAT);
  writer.number(names.names.length);
  for (const name of names.names) writer.text(name);
  writer.number(pages.length);
  writer.append(rows);
  writeTerms(
    writer,
    pages.map(({ entry }) => indexedTerms(entry.terms)),
  );
  return writer.bytes();
}

/** One text of each page, as each term with the pages that hold it: distance to the page before, doubled, and 1 more when a count above 1 follows. */
function writeTerms(writer: ByteWriter, texts: readonly (readonly string[])[]): void {
  const holders = new Map<string, number[]>();
  texts.forEach((terms, row) => {
    for (const [term, count] of countTerms(terms)) {
      const list = holders.get(term);
      if (list === undefined) holders.set(term, [row, count]);
      else list.push(row, count);
    }
  });
  writer.number(holders.size);
  for (const [term, list] of holders) {
    writer.text(term);
    writer.number(list.length / 2);
    for (let index = 0; index < list.length; index += 2) {
      const distance = (list[index] ?? 0) - (list[index - 2] ?? 0);
      const count = list[index + 1] ?? 1;
      writer.number(distance * 2 + (count > 1 ? 1 : 0));
      if (count > 1) writer.number(count);
    }
  }
}

/** Throws when the bytes are no segment of this format; the index is then of no use any more. */
export function loadSegment(bytes: Uint8Array, index: SearchIndex): number {
  const reader = new ByteReader(bytes);
  if (reader.number() !== FORMAT) throw new RangeError("index segment: another format");
  const names = Array.from({ length: reader.number() }, () => reader.text());
  const slots = new Uint32Array(reader.number());
  let before = 0;
  for (let row = 0; row < slots.length; row += 1) {
    before += reader.number();
    slots[row] = readPage(reader, names, before, index);
  }
  readTerms(reader, slots, index.postings);
  if (!reader.done) throw new RangeError("index segment: more bytes than were written");
  return slots.length;
}

function readTerms(reader: ByteReader, slots: Uint32Array, postings: Postings): void {
  for (let terms = reader.number(); terms > 0; terms -= 1) {
    const id = postings.idOf(reader.text());
    let row = 0;
    for (let holders = reader.number(); holders > 0; holders -= 1) {
      const step = reader.number();
      row += step >>> 1;
      postings.addCount(id, slots[row] ?? 0, step % 2 === 1 ? reader.number() : 1);
    }
  }
}

function readPage(reader: ByteReader, names: readonly string[], page: number, index: SearchIndex): number {
  const flags = reader.number();
  const cues = {
    question: (flags & QUESTION) !== 0,
    time: (flags & TIME) !== 0,
    reaction: (flags & REACTION) !== 0,
    names: reader.number(),
    address: reader.number() / 100,
  };
  const role = ROLES[reader.number()] ?? null;
  const kind = names[reader.number()] ?? "";
  const session = names[reader.number()] ?? "";
  const speaker = names[reader.number() - 1] ?? null;
  const length = reader.number();
  const at = (flags & DATED) === 0 ? null : reader.float();
  const order = (flags & IN_ORDER) === 0 ? reader.float() : page;
  const slot = index.addHeld({ page, order, session, speaker, role, kind, at, cues, length });
  index.setEvidence(page, (flags & EVIDENCE) !== 0);
  return slot;
}
