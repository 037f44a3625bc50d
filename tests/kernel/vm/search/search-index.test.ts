/** The search index: what it finds, what it leaves out, and that only the pages held decide. All sentences are invented. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IndexablePage } from "#kernel/vm/search/search-entry.ts";
import { indexEntry, SearchIndex, type SearchQuery } from "#kernel/vm/search/search-index.ts";

const MARCH = Date.UTC(2024, 2, 12, 9);
const MAY = Date.UTC(2024, 4, 20, 9);

function page(number: number, text: string, more: Partial<IndexablePage> = {}): IndexablePage {
  return { page: number, session: "s1", speaker: null, role: "user", kind: "turn", at: null, text, ...more };
}

function indexOf(pages: readonly IndexablePage[]): SearchIndex {
  const index = new SearchIndex();
  for (const one of pages) index.add(indexEntry(one));
  return index;
}

function found(index: SearchIndex, text: string, more: Partial<SearchQuery> = {}): number[] {
  return index.search({ text, limit: 10, ...more }).map((hit) => hit.page);
}

const ALONE = [
  page(1, "My sister keeps three goats behind the mill.", { session: "a" }),
  page(2, "The blue kettle is on the second shelf.", { session: "b" }),
  page(3, "I pay the rent on the fifth of each month.", { session: "c" }),
  page(4, "Our train to Ghent leaves from platform nine.", { session: "d" }),
];

const TALK = [
  page(1, "I planted tulips along the fence.", { speaker: "Rosa", role: null, session: "1", at: MARCH }),
  page(2, "The tulips in my yard froze.", { speaker: "Piet", role: null, session: "1", at: MARCH }),
  page(3, "Let us talk about the ferry.", { speaker: "Rosa", role: null, session: "2", at: MAY }),
  page(4, "It sails at noon, they told me.", { speaker: "Piet", role: null, session: "2", at: MAY }),
];

describe("what is found", () => {
  it("finds a page by its own words, in other forms too", () => {
    const index = indexOf(ALONE);
    expect(found(index, "Where is the kettle?")[0]).toBe(2);
    expect(found(index, "Which goat does my sister have?")[0]).toBe(1);
    expect(found(index, "paying rents")[0]).toBe(3);
  });

  it("returns only pages that share something with the query", () => {
    const index = indexOf(ALONE);
    expect(found(index, "kettle")).toEqual([2]);
    expect(found(index, "submarine")).toEqual([]);
    for (const hit of index.search({ text: "the kettle of my sister", limit: 10 }))
      expect(hit.score).toBeGreaterThan(0);
  });

  it("finds a word that is misspelt or asked by a related word", () => {
    const index = indexOf(ALONE);
    expect(found(index, "plattform")[0]).toBe(4);
    expect(found(index, "brother or sibling")[0]).toBe(1);
  });

  it("prefers the page of the person named", () => {
    const index = indexOf(TALK);
    expect(found(index, "What about Rosa's tulips?")[0]).toBe(1);
    expect(found(index, "What about Piet's tulips?")[0]).toBe(2);
  });

  it("reaches a page through its neighbours in the same session only", () => {
    const hits = found(indexOf(TALK), "ferry");
    expect(hits[0]).toBe(3);
    expect(hits).toContain(4);
    expect(hits).not.toContain(2);
  });

  it("does not take facts beside each other for context", () => {
    const facts = ALONE.map((one) => ({ ...one, session: "memory", kind: "fact", role: null }));
    expect(found(indexOf(facts), "kettle")).toEqual([2]);
  });

  it("keeps the order of the list and the limit", () => {
    const index = indexOf(TALK);
    const hits = index.search({ text: "tulips ferry noon", limit: 3 });
    expect(hits).toHaveLength(3);
    expect(hits.map((hit) => hit.score)).toEqual(hits.map((hit) => hit.score).sort((one, other) => other - one));
    expect(index.search({ text: "tulips", limit: 0 })).toEqual([]);
  });
});

describe("dates", () => {
  const diary = [
    page(1, "We walked to the lighthouse.", { session: "1", at: MARCH }),
    page(2, "We walked to the harbour.", { session: "2", at: MAY }),
    page(3, "We walked to the castle.", { session: "3", at: Date.UTC(2023, 4, 4) }),
  ];
  const now = Date.UTC(2025, 1, 10);

  it("matches a month and a year", () => {
    expect(found(indexOf(diary), "Where did we walk in March 2024?")[0]).toBe(1);
    expect(found(indexOf(diary), "Where did we walk in May 2023?")[0]).toBe(3);
  });

  it("resolves relative expressions against now", () => {
    expect(found(indexOf(diary), "Where did we walk last May?", { now })[0]).toBe(2);
    expect(found(indexOf(diary), "Where did we walk yesterday?", { now: MARCH + 86_400_000 })[0]).toBe(1);
    expect(found(indexOf(diary), "Where did we walk two months ago?", { now: Date.UTC(2024, 6, 1) })[0]).toBe(2);
  });

  it("finds a dated page that shares no word with the question", () => {
    expect(found(indexOf(diary), "Anything in March 2024?")).toContain(1);
  });

  it("filters by from and to, and then leaves out pages without a time", () => {
    const index = indexOf([...diary, page(4, "We walked nowhere.", { session: "4" })]);
    expect(found(index, "walk", { from: MAY })).toEqual([2]);
    expect(new Set(found(index, "walk", { to: MARCH }))).toEqual(new Set([1, 3]));
    expect(found(index, "walk")).toContain(4);
  });
});

describe("filters", () => {
  it("keeps to the kinds and pages asked for", () => {
    const index = indexOf([page(1, "blue kettle"), page(2, "blue kettle", { kind: "note" }), page(3, "blue kettle")]);
    expect(found(index, "kettle", { kinds: ["note"] })).toEqual([2]);
    expect(found(index, "kettle", { filter: (number) => number === 3 })).toEqual([3]);
    expect(found(index, "kettle", { kinds: [] })).toEqual([]);
  });
});

describe("Chinese", () => {
  const pages = [
    page(1, "我去年五月在京都看了樱花。", { session: "1", at: MAY }),
    page(2, "我妹妹养了一只橘色的猫。", { session: "2", at: MARCH }),
    page(3, "冰箱里的牛奶快喝完了。", { session: "3", at: MARCH }),
  ];

  it("finds pages by pairs of characters, without the question's particles", () => {
    const index = indexOf(pages);
    expect(found(index, "我什么时候去的京都？")[0]).toBe(1);
    expect(found(index, "妹妹的猫是什么颜色的呢")[0]).toBe(2);
    expect(found(index, "牛奶呢？")).toEqual([3]);
  });

  it("finds a single character inside words", () => {
    expect(found(indexOf(pages), "猫吗")).toEqual([2]);
  });

  it("resolves Chinese dates", () => {
    const now = Date.UTC(2025, 1, 10);
    expect(found(indexOf(pages), "去年五月发生了什么？", { now })[0]).toBe(1);
    expect(found(indexOf(pages), "2024年3月有什么事")).toEqual(expect.arrayContaining([2, 3]));
    expect(found(indexOf(pages), "昨天说了什么", { now: MAY + 86_400_000 })[0]).toBe(1);
  });

  it("prefers the person named", () => {
    const talk = [
      page(1, "我买了一辆自行车。", { speaker: "小梅", role: null }),
      page(2, "我也买了一辆自行车。", { speaker: "阿强", role: null }),
    ];
    expect(found(indexOf(talk), "阿强买了什么自行车？")[0]).toBe(2);
  });
});

describe("what decides", () => {
  const word = fc.constantFrom("kettle", "goat", "ferry", "tulip", "rent", "京都", "paint", "painted", "May", "you?");
  const anyPage = fc.record({
    text: fc.array(word, { maxLength: 12 }).map((words) => words.join(" ")),
    session: fc.constantFrom("1", "2", "3"),
    speaker: fc.constantFrom("Rosa", "Piet", null),
    role: fc.constantFrom("user" as const, "assistant" as const, null),
    kind: fc.constantFrom("turn", "fact"),
    at: fc.constantFrom(null, MARCH, MAY),
  });
  const anyPages = fc
    .array(anyPage, { minLength: 1, maxLength: 15 })
    .map((rows) => rows.map((row, number): IndexablePage => ({ page: number + 1, ...row })));
  const question = fc.array(word, { maxLength: 5 }).map((words) => `What about Rosa's ${words.join(" ")} in May 2024?`);

  it("is the same after a page came and went", () => {
    fc.assert(
      fc.property(anyPages, anyPage, question, (pages, extra, text) => {
        const index = indexOf(pages);
        const before = index.search({ text, limit: 50 });
        index.add(indexEntry({ page: 999, order: 1.5, ...extra }));
        index.remove(999);
        expect(index.search({ text, limit: 50 })).toEqual(before);
        expect(index.size).toBe(pages.length);
      }),
    );
  });

  it("is the same in whatever order pages came", () => {
    fc.assert(
      fc.property(anyPages, fc.infiniteStream(fc.nat()), question, (pages, keys, text) => {
        const shuffled = pages
          .map((one) => ({ one, key: keys.next().value }))
          .sort((one, other) => Number(one.key) - Number(other.key))
          .map(({ one }) => one);
        const query = { text, limit: 50 };
        expect(indexOf(shuffled).search(query)).toEqual(indexOf(pages).search(query));
      }),
    );
  });

  it("is the newest text of a page that is added again", () => {
    fc.assert(
      fc.property(anyPages, anyPage, question, (pages, again, text) => {
        const index = indexOf(pages);
        index.add(indexEntry({ page: 1, ...again }));
        const fresh = indexOf([{ page: 1, ...again }, ...pages.slice(1)]);
        expect(index.search({ text, limit: 50 })).toEqual(fresh.search({ text, limit: 50 }));
      }),
    );
  });

  it("survives storage: an entry is plain JSON", () => {
    const index = new SearchIndex();
    for (const one of TALK) index.add(JSON.parse(JSON.stringify(indexEntry(one))));
    expect(index.search({ text: "tulips", limit: 5 })).toEqual(indexOf(TALK).search({ text: "tulips", limit: 5 }));
  });

  it("takes any string as a query and as a page", () => {
    const index = indexOf(TALK);
    for (const text of ["", '"', "NEAR(a b)", "a* OR -b", "🙂", "\ud800", "((((", "%_\\"]) {
      expect(() => index.search({ text, limit: 5 })).not.toThrow();
    }
    expect(found(index, "")).toEqual([]);
    expect(found(index, "🙂 ?")).toEqual([]);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 100 }), fc.string({ unit: "binary" }), (text, query) => {
        const odd = indexOf([...TALK, page(9, text)]);
        odd.search({ text: query, limit: 5, now: MAY });
        odd.remove(9);
        return odd.size === TALK.length && !odd.has(9);
      }),
    );
  });

  it("forgets a removed page wholly", () => {
    const index = indexOf(ALONE);
    index.remove(2);
    index.remove(2);
    expect(index.has(2)).toBe(false);
    expect(found(index, "kettle")).toEqual([]);
    expect(found(index, "ketle")).toEqual([]);
  });
});
