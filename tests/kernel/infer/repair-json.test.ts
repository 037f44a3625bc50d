/**
 * Repair JSON: what models break is mended, what is JSON is read exactly, and what was cut off is said to be.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { repairJson } from "#kernel/infer/text-calls/repair-json.ts";

const value = { name: "x", list: [1, "two", { three: null }], yes: true, text: 'said "hi", then: {left}' };
const whole = JSON.stringify(value);

const MENDED: readonly (readonly [string, string, unknown])[] = [
  ["trailing commas", '{"a": [1, 2, ], "b": 3, }', { a: [1, 2], b: 3 }],
  ["doubled commas", '{"a": [1,, 2],, "b": 3}', { a: [1, 2], b: 3 }],
  ["missing commas", '{"a": 1 "b": "x" "c": [1]\n"d": {}}', { a: 1, b: "x", c: [1], d: {} }],
  ["single quotes", "{'a': 'it''s', 'b': 'don't'}", { a: "it''s", b: "don't" }],
  ["smart quotes", "{“a”: “b”, „c“: ‘d’}", { a: "b", c: "d" }],
  ["keys without quotes", "{a: 1, b_c: 'x', d-e: [f]}", { a: 1, b_c: "x", "d-e": ["f"] }],
  ["quotes inside of strings", '{"a": "she said "hi" to him"}', { a: 'she said "hi" to him' }],
  ["raw line ends", '{"a": "one\ntwo"}', { a: "one\ntwo" }],
  ["Python's words", "{'a': True, 'b': False, 'c': None, 'd': (1, 2)}", { a: true, b: false, c: null, d: [1, 2] }],
  ["comments", '{"a": 1, // one\n# two\n"b": /* three */ 2}', { a: 1, b: 2 }],
  ["missing closers", '{"a": [1, {"b": "c"', { a: [1, { b: "c" }] }],
  ["wrong closers", '{"a": [1, 2}', { a: [1, 2] }],
  ["a fence", '```json\n{"a": 1,}\n```', { a: 1 }],
  ["words behind it", '{"a": 1} is what you want.', { a: 1 }],
  ["unknown escapes", String.raw`{"a": "\d \u00e9 \u12 \'", }`, { a: "d é u12 '" }],
  ["numbers of other kinds", "{a: +1, b: .5, c: 1., d: -2e3}", { a: 1, b: 0.5, c: 1, d: -2000 }],
];

describe("repair JSON", () => {
  it.each(MENDED)("mends %s", (_, text, expected) => {
    expect(repairJson(text)).toMatchObject({ value: expected, cut: false });
  });

  it("reads what is JSON exactly", () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: "binary" }), (text) => {
        expect(repairJson(text)).toEqual({ value: JSON.parse(text), cut: false, end: text.length });
      }),
    );
  });

  it("reads JSON the same with a comma too many in it: the loose way agrees with the exact one", () => {
    const anyJson = fc.dictionary(fc.string(), fc.jsonValue({ stringUnit: "binary" }), {
      minKeys: 1,
    });
    fc.assert(
      fc.property(anyJson, (made) => {
        const exact: unknown = JSON.parse(JSON.stringify(made));
        expect(repairJson(`{,${JSON.stringify(made).slice(1)}`)?.value).toEqual(exact);
      }),
      { numRuns: 500 },
    );
  });

  it("says that a value was cut off in the middle of a word, wherever that is", () => {
    for (const part of ['{"a": "b', '{"a": "b\\', '{"a"', '{"a":', '{"a": 1', '{"a": [tru', '{"a": "b", "c'])
      expect(repairJson(part)).toMatchObject({ cut: true });
    for (let end = 1; end < whole.length; end += 1) {
      const repaired = repairJson(whole.slice(0, end));
      if (repaired?.cut === false) expect(value).toMatchObject(prefixOf(repaired.value));
    }
  });

  it("finds no value in prose, and in nothing", () => {
    for (const text of ["", "  ", "Hello there", "(see above)", "}", ",", "```\n", "/* never"])
      expect(repairJson(text)).toBeNull();
  });

  it("gives no prototype away, and refuses endless nesting", () => {
    const repaired = repairJson('{"__proto__": {"x": 1}, constructor: 2,}')?.value;
    expect(Object.getPrototypeOf(repaired)).toBe(Object.prototype);
    expect(Object.keys(repaired as object)).toEqual(["__proto__", "constructor"]);
    expect(repairJson("[".repeat(100_000))).toBeNull();
  });

  it("never throws, in linear time", () => {
    const soup = fc.string({ unit: fc.constantFrom(...Array.from("{}[](),:;=\"'`“”\\/*# \nau1.-")) });
    fc.assert(
      fc.property(fc.oneof(soup, fc.string()), (text) => {
        const repaired = repairJson(text);
        if (repaired !== null) expect(repaired.end).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 2_000 },
    );
    for (const unit of [
      '"',
      '{"a":"b"',
      "{a ",
      "[1 ",
      '["a" "',
      "/*",
      "//",
      "# ",
      " ",
      '\\"',
      "{'a':'b' ",
      '["',
      "a b ",
    ]) {
      repairJson(`{"x": ${unit.repeat(200_000 / unit.length)}`);
      repairJson(`{"x": "${unit.repeat(200_000 / unit.length)}`);
    }
  });
});

/** What a shorter text can tell of a list: its first items. */
function prefixOf(repaired: unknown): object {
  const { list, ...rest } = repaired as { list?: readonly unknown[] };
  return list === undefined ? rest : { ...rest, list: Object.assign([...value.list], list.slice(0, 2)) };
}
