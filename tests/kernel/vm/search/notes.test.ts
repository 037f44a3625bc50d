/** Notes: a page is found by the kind of thing it names. All sentences are invented. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FORMAT } from "#kernel/vm/search/index-segment.ts";
import { kindsAsked, kindsChecksum, kindsIn } from "#kernel/vm/search/kinds.ts";
import { indexedTerms, noteTermsAsked } from "#kernel/vm/search/notes.ts";
import { indexEntry, SearchIndex } from "#kernel/vm/search/search-index.ts";
import { analyze } from "#shared/text/words.ts";

function indexOf(texts: readonly string[]): SearchIndex {
  const index = new SearchIndex();
  for (const [page, text] of texts.entries())
    index.add(indexEntry({ page, session: `s${page}`, speaker: null, role: "user", kind: "turn", at: null, text }));
  return index;
}

function found(index: SearchIndex, text: string): number[] {
  return index.search({ text, limit: 10 }).map((hit) => hit.page);
}

describe("kinds", () => {
  it("reads kinds of one word and of several, in any form", () => {
    expect(kindsIn(analyze("Two turtles live in the bath."))).toContain("animal");
    expect(kindsIn(analyze("I flew to San Francisco."))).toContain("city");
    expect(kindsIn(analyze("Francisco paints."))).not.toContain("city");
    expect(kindsIn(analyze("The invoice is unpaid."))).toEqual([]);
  });

  it("takes the members of a narrower kind into the wider one", () => {
    const kinds = kindsIn(analyze("She practises judo."));
    for (const kind of ["martial", "sport", "exercise", "hobby"]) expect(kinds).toContain(kind);
  });

  it("reads what a question asks by", () => {
    expect(kindsAsked(analyze("Which pets does he keep?"))).toContain("animal");
    expect(kindsAsked(analyze("What instruments does she play?"))).toContain("instrument");
    expect(kindsAsked(analyze("How much is the fish?"))).toEqual([]);
  });
});

describe("stored segments", () => {
  it("are of a format that belongs to this table of kinds: raise FORMAT when it changes", () => {
    expect({ format: FORMAT, checksum: kindsChecksum() }).toEqual({ format: 2, checksum: 2135968975 });
  });
});

describe("notes in the index", () => {
  const TEXTS = [
    "Our new tortoise sleeps under the stove.",
    "The rent goes up in spring.",
    "I practise the oboe before breakfast.",
    "He drove to Lisbon with a broken mirror.",
  ];

  it("finds a page by the kind of what it names", () => {
    const index = indexOf(TEXTS);
    expect(found(index, "Which pets do we have?")[0]).toBe(0);
    expect(found(index, "What instruments are practised here?")[0]).toBe(2);
    expect(found(index, "Which countries or cities did he see?")[0]).toBe(3);
  });

  it("forgets a note with its page", () => {
    const index = indexOf(TEXTS);
    index.remove(0, analyze(TEXTS[0] ?? ""));
    expect(found(index, "Which pets are there?")).toEqual([]);
    index.remove(2);
    expect(found(index, "instruments")).toEqual([]);
  });

  it("no text can hold a note, and notes do not change a page's own words", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const terms = analyze(text);
        const notes = new Set(noteTermsAsked(analyze("pets cities instruments games desserts")));
        expect(terms.some((term) => notes.has(term))).toBe(false);
        expect(indexedTerms(terms).slice(0, terms.length)).toEqual(terms);
      }),
    );
  });
});
