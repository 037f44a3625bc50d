/**
 * Structured: what counts as an answer that meets a schema, what is repaired, and what is not guessed.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JSON_DEPTH, REPLY_SCHEMA_CHARACTERS, REPLY_STARTS } from "#shared/limits.ts";
import { readReplySchema, readStructured } from "#kernel/verify/structured.ts";

const schema = {
  type: "object",
  properties: {
    name: { type: "string" },
    items: { type: "array", items: { type: "object", properties: { price: { type: "number" } }, required: ["price"] } },
  },
  required: ["name", "items"],
  additionalProperties: false,
};
const wanted = { name: "tea", items: [{ price: 2 }] };
const json = JSON.stringify(wanted);

describe("an answer that is nearly JSON", () => {
  it.each([
    ["as it is", json, false],
    ["with space around it", `\n  ${json}\n`, false],
    ["in a fence", `\`\`\`json\n${json}\n\`\`\``, true],
    ["in a fence with prose around it", `Here you are:\n\`\`\`\n${json}\n\`\`\`\nAnything else?`, true],
    ["behind prose", `Sure! The answer is ${json}`, true],
    ["before prose", `${json} I hope this helps [p3].`, true],
    ["with trailing commas", `{"name": "tea", "items": [{"price": 2,},],}`, true],
    ["with single quotes", `{'name': 'tea', 'items': [{'price': 2}]}`, true],
    ["without its closers", `{"name": "tea", "items": [{"price": 2}`, true],
    ["said twice alike", `${json}\n\nSo the final answer is:\n${json}`, true],
  ])("%s is taken", (_, text, repaired) => {
    expect(readStructured(schema, text)).toEqual({ ok: true, json, repaired });
  });

  it.each([
    ["prose", "Tea costs two.", "The answer is not JSON."],
    ["nothing", "", "The answer is not JSON."],
    ["a wrong type", `{"name": "tea", "items": [{"price": "two"}]}`, /^items\.0\.price: /],
    ["a missing field", `Well: {"name": "tea"}`, /^items: /],
    [
      "two values that both would do",
      `${json} or ${JSON.stringify({ name: "coffee", items: [] })}`,
      /several JSON values/,
    ],
    ["a list that broke off", `{"name": "tea", "items": [{"price": 2}, `, /./],
    ["half a word", `{"name": "tea", "items": [], "na`, /./],
  ])("but %s is told what is wrong", (_, text, problem) => {
    const answer = readStructured(schema, text);
    expect(answer.ok).toBe(false);
    if (!answer.ok) expect(answer.problem).toMatch(problem);
  });

  it("is looked for at REPLY_STARTS places", () => {
    const behind = (places: number): boolean => readStructured(schema, `${"{-} ".repeat(places)}${json}`).ok;
    expect([behind(REPLY_STARTS - 1), behind(REPLY_STARTS)]).toEqual([true, false]);
  });

  it("is read without a throw, and never taken unless it meets the schema, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("{", "}", "[", "]", '"name"', '"items"', ":", ",", "2", "'", "x ", "\n", "```", json)),
        (pieces) => {
          const answer = readStructured(schema, pieces.join(""));
          if (answer.ok)
            expect(readStructured(schema, answer.json)).toEqual({ ok: true, json: answer.json, repaired: false });
        },
      ),
    );
  });

  it("may be nested JSON_DEPTH levels deep, also for a schema that refers to itself", () => {
    const nested = { $ref: "#/$defs/list", $defs: { list: { type: "array", items: { $ref: "#/$defs/list" } } } };
    const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
    expect(readStructured(nested, deep(JSON_DEPTH + 1)).ok).toBe(true);
    expect(readStructured(nested, deep(JSON_DEPTH + 2))).toMatchObject({ ok: false });
    expect(readStructured(nested, deep(100_000))).toMatchObject({ ok: false });
  });
});

describe("a schema", () => {
  it("may have REPLY_SCHEMA_CHARACTERS and must be one that can be checked", () => {
    const sized = (characters: number): Record<string, unknown> => {
      const empty = { type: "string", description: "" };
      return { ...empty, description: "x".repeat(characters - JSON.stringify(empty).length) };
    };
    expect(readReplySchema(sized(REPLY_SCHEMA_CHARACTERS))).not.toBeNull();
    expect(readReplySchema(sized(REPLY_SCHEMA_CHARACTERS + 1))).toBeNull();
    expect(readReplySchema({ type: "nonsense" })).toBeNull();
  });
});
