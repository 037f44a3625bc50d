/**
 * Text calls: calls that models write into their text are found in every form, whatever the chunks; everything else stays text.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CALL_SEARCH_CHARACTERS, CALL_TEXT_CHARACTERS } from "#shared/limits.ts";
import type { WrittenCall } from "#kernel/infer/text-calls/read-calls.ts";
import { TextCalls } from "#kernel/infer/text-calls/text-calls.ts";

const tools = new Set(["memory_read", "memory_search", "memory_search_all", "TOOL_X"]);
const stops = ["<|eot_id|>", "</s>", "<|im_end|>"];

interface Scanned {
  readonly text: string;
  readonly calls: readonly WrittenCall[];
}

function scan(chunks: readonly string[], isQuoted: (text: string) => boolean = () => false): Scanned {
  const calls = new TextCalls({ tools, stops, isQuoted });
  const text = chunks.map((chunk) => calls.push(chunk)).join("") + calls.end();
  return { text, calls: calls.found };
}

const read = (handle: string, id: string | null = null): WrittenCall => ({
  id,
  name: "memory_read",
  arguments: { handle },
});

/** What a model wrote, the text that stays of it, its calls. */
const FORMS: readonly (readonly [string, string, string, readonly WrittenCall[]])[] = [
  ["Hermes", '<tool_call>\n{"name": "memory_read", "arguments": {"handle": "p1"}}\n</tool_call>', "", [read("p1")]],
  [
    "two with text in front",
    'Let me see.\n<tool_call>{"name":"memory_read","arguments":{"handle":"p1"}}</tool_call>\n\n<tool_call>{"name":"memory_read","arguments":{"handle":"p2"}}</tool_call>\n',
    "Let me see.",
    [read("p1"), read("p2")],
  ],
  ["a mark that is not closed", '<tool_call>{"name":"memory_read","arguments":{"handle":"p1"}}', "", [read("p1")]],
  [
    "arguments in a string",
    '<tool_call>{"name":"memory_read","arguments":"{\\"handle\\":\\"p1\\"}"}</tool_call>',
    "",
    [read("p1")],
  ],
  [
    "marks inside of arguments",
    '<tool_call>{"name":"memory_read","arguments":{"handle":"</tool_call>{"}}</tool_call>',
    "",
    [read("</tool_call>{")],
  ],
  ["Llama's custom function", '<function=memory_read>{"handle": "p1"}</function>', "", [read("p1")]],
  [
    "Qwen's coder models",
    "<tool_call>\n<function=memory_search>\n<parameter=query>\nred\nkeys\n</parameter>\n<parameter=limit>\n3\n</parameter>\n</function>\n</tool_call>",
    "",
    [{ id: null, name: "memory_search", arguments: { query: "red\nkeys", limit: 3 } }],
  ],
  ["Llama's tag", '<|python_tag|>{"name": "memory_read", "parameters": {"handle": "p1"}}<|eom_id|>', "", [read("p1")]],
  ["Llama's tag with a method", '<|python_tag|>memory_read.call(handle="p1")', "", [read("p1")]],
  [
    "Llama's list",
    "[memory_read(handle='p1'), memory_search(query=\"a, b)]\", limit=3, deep=None)]",
    "",
    [read("p1"), { id: null, name: "memory_search", arguments: { query: "a, b)]", limit: 3, deep: null } }],
  ],
  [
    "a name that another one continues",
    "[memory_search_all()]",
    "",
    [{ id: null, name: "memory_search_all", arguments: {} }],
  ],
  ["a name that begins like a mark", "[TOOL_X(a=1)]", "", [{ id: null, name: "TOOL_X", arguments: { a: 1 } }]],
  [
    "Mistral's list",
    '[TOOL_CALLS][{"name": "memory_read", "arguments": {"handle": "p1"}, "id": "a1b2c3d4e"}]</s>',
    "",
    [read("p1", "a1b2c3d4e")],
  ],
  [
    "Mistral's newer form",
    '[TOOL_CALLS]memory_read[ARGS]{"handle": "p1"}[TOOL_CALLS]memory_read{"handle": "p2"}',
    "",
    [read("p1"), read("p2")],
  ],
  [
    "a fence",
    'I look.\n```json\n{"name": "memory_read", "arguments": {"handle": "p1"}}\n```\n',
    "I look.",
    [read("p1")],
  ],
  [
    "a fence with a list",
    '```\n[{"name": "memory_read", "parameters": {"handle": "p1"}},\n {"name": "memory_read", "parameters": {"handle": "p2"}}]\n```',
    "",
    [read("p1"), read("p2")],
  ],
  ["Gemma's fence", "```tool_code\nmemory_read(handle='p1')\n```", "", [read("p1")]],
  ["bare JSON", '{"name": "memory_read", "parameters": {"handle": "p1"}}', "", [read("p1")]],
  [
    "bare JSON, twice",
    '{"name": "memory_read", "parameters": {"handle": "p1"}}; {"name": "memory_read", "parameters": {"handle": "p2"}}',
    "",
    [read("p1"), read("p2")],
  ],
  [
    "OpenAI's own form",
    '{"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "memory_read", "arguments": "{\\"handle\\": \\"p1\\"}"}}]}',
    "",
    [read("p1", "c1")],
  ],
  [
    "its type in front",
    '{"type": "function", "function": {"name": "memory_read", "parameters": {"handle": "p1"}}}',
    "",
    [read("p1")],
  ],
  ["its arguments in front", '{"arguments": {"handle": "p1"}, "name": "memory_read"}', "", [read("p1")]],
  [
    "text behind a call",
    '<tool_call>{"name":"memory_read"}</tool_call>\nDone, really.',
    "\nDone, really.",
    [{ id: null, name: "memory_read", arguments: {} }],
  ],
  ["reasoning", '<think>\nMaybe {"name": "memory_read"}.\n</think>\n\nHello.', "Hello.", []],
  ["reasoning that never ends", "<think>\nHm < hm </thin", "", []],
  [
    "reasoning before a call",
    '<think>x</think>\n<tool_call>{"name":"memory_read","arguments":{"handle":"p1"}}</tool_call>',
    "",
    [read("p1")],
  ],
  ["a leaked end of turn", "Hello.<|eot_id|>\n", "Hello.", []],
];

/** Broken as models break it. */
const BROKEN: readonly string[] = [
  '{"name": "memory_read", "arguments": {"handle": "p1",},}',
  "{'name': 'memory_read', 'arguments': {'handle': 'p1'}}",
  '{name: "memory_read", arguments: {handle: "p1"}}',
  '{"name": "memory_read", "arguments": {"handle": "p1"}',
  '{"name": "memory_read", "arguments": {"handle": "p1"',
  "{“name”: “memory_read”, “arguments”: {“handle”: “p1”}}",
  '{"name": "memory_read", // the page\n "arguments": {"handle": "p1"}}',
  '{"name": "memory_read" "arguments": {"handle": "p1"}}',
  '[{"name": "memory_read", "arguments": {"handle": "p1"}}',
];

const UNTOUCHED: readonly string[] = [
  "Plain text with [p3f], a < b, {braces} and `code`.\n\n- one\n- two\n",
  '<tool_call>{"name": "rm_rf", "arguments": {}}</tool_call>',
  '{"name": "Ann", "age": 7}',
  '{"name": "memory_read"}',
  'The form is {"name": "memory_read", "arguments": {}} in one line.',
  '```json\n{"a": 1}\n```\n',
  '```json\n{"name": "memory_read", "arguments": {}}\n```'.replace("```json", "```ts"),
  '```ts\nconst call =\n{"name": "memory_read", "arguments": {}}\n```\nSo.',
  "```\nnpm start\n```",
  "[memory_read](https://example.org)",
  "[memory_read('p1')]",
  "[memory_read(handle=",
  '<tool_call>{"name": "memory_write", "arguments": {"text": "The key is und',
  '<tool_call>{"name": "memory_read", "arguments": {"handle": "p',
  "[TOOL_CALLS] is a mark of Mistral's.",
  "It says <think> and </think>, and <|eot_id|> in the middle.",
  "<function=memory_read",
  "[",
  "\n",
  "  \n\n{",
];

describe("text calls", () => {
  it.each(FORMS)("finds %s", (_, written, text, calls) => {
    expect(scan([written])).toEqual({ text, calls });
  });

  it.each(BROKEN)("finds the call in %s", (written) => {
    expect(scan([`<tool_call>${written}</tool_call>`])).toEqual({ text: "", calls: [read("p1")] });
    expect(scan([written])).toEqual({ text: "", calls: [read("p1")] });
    expect(scan([`\`\`\`json\n${written}\n\`\`\``])).toEqual({ text: "", calls: [read("p1")] });
  });

  it.each(UNTOUCHED)("leaves %j as it is", (written) => {
    expect(scan([written])).toEqual({ text: written, calls: [] });
  });

  it("finds the same wherever the chunks are cut", () => {
    const written = fc.oneof(
      fc.constantFrom(...FORMS.map(([, form]) => form), ...BROKEN, ...UNTOUCHED),
      fc.string({ unit: fc.constantFrom(...Array.from("<>[]{}()\"'`:,=/|\\ \nanme_toruly1😀记")) }),
    );
    const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(written, { maxLength: 4 }), cuts, (parts, places) => {
        const whole = parts.join("\n");
        const at = [0, ...places.filter((place) => place < whole.length).toSorted((a, b) => a - b), whole.length];
        const chunks = at.slice(1).map((end, index) => whole.slice(at[index], end));
        const expected = scan([whole]);
        expect(scan(chunks)).toEqual(expected);
        expect(scan(whole.split(""))).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it("lets text through as soon as it can be no call", () => {
    const calls = new TextCalls({ tools });
    const steps: readonly (readonly [string, string])[] = [
      ["See [", "See "],
      ["p", "[p"],
      ["3f]. A <", "3f]. A "],
      ["b>\n", "<b>"],
      ['{"na', ""],
      ['me": "Ann', '\n{"name": "Ann'],
      ['"}\n``', '"}'],
      ["`json\n{", ""],
      ['"b', '\n```json\n{"b'],
    ];
    for (const [chunk, text] of steps) expect(calls.push(chunk)).toBe(text);
    expect(calls.end()).toBe("");
  });

  it("takes a call that only repeats the prompt as a quotation", () => {
    const page = 'Ann wrote: {"name": "memory_read",  "arguments": {"handle": "p1"}} and left.';
    const isQuoted = (text: string): boolean => page.replaceAll(/\s/g, "").includes(text.replaceAll(/\s/g, ""));
    const written = '<tool_call>\n{"name": "memory_read", "arguments": {"handle": "p1"}}\n</tool_call>';
    expect(scan([written], isQuoted)).toEqual({ text: written, calls: [] });
    expect(scan([written.replace("p1", "p2")], isQuoted).calls).toEqual([read("p2")]);
  });

  it("calls nothing when no tool was offered", () => {
    for (const [, written] of FORMS.filter(([, form]) => !form.includes("think>") && !form.includes("<|eot"))) {
      const calls = new TextCalls({ tools: new Set() });
      expect(calls.push(written) + calls.end()).toBe(written);
      expect(calls.found).toEqual([]);
    }
  });
});

describe("however hostile, text calls", () => {
  const long = 200_000;
  const repeated = (unit: string): string => unit.repeat(Math.ceil(long / unit.length));
  const HOSTILE = [
    "[[[[",
    '{"a":',
    '{"arguments":',
    '\n{"arguments":',
    "<tool_call>",
    '<tool_call>{"',
    '<tool_call>{"name":"',
    "<function=memory_read>",
    "<function=memory_read><parameter=x>",
    "[memory_read(",
    '[memory_read(a="',
    "[TOOL_CALLS]",
    "[TOOL_CALLS][{",
    "```\n",
    "```json\n{",
    "\n",
    " \n\t",
    "<think>",
    '"',
    '\\"',
    "'{",
    "<|eot_id|>",
    '{"name":"memory_read","arguments":{}}; ',
    '<tool_call>{"name":"memory_read","arguments":{"a":["',
    '{"arguments":"\\',
    '{"arguments": "a" "b',
    '{"arguments": /*',
  ];

  it.each(HOSTILE)("read %j over and over in linear time, and lose nothing of it", (unit) => {
    const whole = repeated(unit);
    const { text, calls } = scan([whole]);
    if (calls.length === 0 && !unit.includes("think") && !unit.includes("eot")) expect(text).toBe(whole);
    const chunks = whole.match(/[^]{1,7}/g) ?? [];
    expect(scan(chunks)).toEqual({ text, calls });
  });

  it("hold at most what the limit allows", () => {
    const calls = new TextCalls({ tools });
    const start = '<tool_call>{"name":"memory_read","arguments":{"handle":"';
    expect(calls.push(start + "x".repeat(CALL_TEXT_CHARACTERS - start.length))).toBe("");
    expect(calls.push("x")).toHaveLength(CALL_TEXT_CHARACTERS + 1);
  });

  it("stop looking when too much was held in vain", () => {
    const calls = new TextCalls({ tools });
    const vain = `\n{"arguments":"${"x".repeat(CALL_TEXT_CHARACTERS)}`;
    for (let held = 0; held <= CALL_SEARCH_CHARACTERS + CALL_TEXT_CHARACTERS; held += CALL_TEXT_CHARACTERS)
      calls.push(vain);
    const call = '\n{"name": "memory_read", "arguments": {}}';
    expect(calls.push(call).endsWith(call)).toBe(true);
    expect(calls.end()).toBe("");
    expect(calls.found).toEqual([]);
  });
});
