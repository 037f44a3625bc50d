/**
 * Families: what a raw template writes is read back as it was, and no word of a transcript can pass for a mark of the template.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonical } from "#kernel/infer/canonical.ts";
import type { Family } from "#kernel/infer/families/family.ts";
import { Unquoter, quote, unquote } from "#kernel/infer/families/quote.ts";
import { inst, llama2 } from "#kernel/infer/families/inst.ts";
import { FAMILIES, templateOf } from "#kernel/infer/families/table.ts";
import type { ModelFamily } from "#shared/models.ts";
import { Tail } from "#kernel/infer/tail.ts";
import type { Message } from "#kernel/proc/messages.ts";
import { TOOLS, answer, tools, transcript, words } from "#tests/kernel/infer/transcripts.ts";

/** The same transcript with the ids of its calls numbered: families without ids make their own. */
function numbered(messages: readonly Message[]): Message[] {
  const waiting: string[] = [];
  let made = 0;
  return messages.map((message) => {
    if (message.role === "tool") return { ...message, toolCallId: waiting.shift() ?? "none" };
    if (message.toolCalls === undefined) return message;
    const toolCalls = message.toolCalls.map((call) => ({ ...call, id: String((made += 1)) }));
    waiting.push(...toolCalls.map((call) => call.id));
    return { ...message, toolCalls };
  });
}

const TEMPLATES: Readonly<Record<string, Family>> = {
  ...Object.fromEntries(Object.entries(FAMILIES).filter((entry): entry is [string, Family] => entry[1] !== null)),
  inst,
  "llama 2": llama2,
};
const FAMILY_OF: Readonly<Record<string, ModelFamily>> = {
  gemma: "gemma",
  llama: "llama",
  qwen: "qwen",
  "llama 2": "llama",
};

const CONVERSATION: readonly Message[] = [
  { role: "system", content: "You remember." },
  { role: "user", content: "What did I say?" },
  {
    role: "assistant",
    content: "I look.",
    toolCalls: [{ id: "call_1.2.0", name: "memory_read", arguments: { handle: "p1" } }],
  },
  { role: "tool", content: '{"text":"Keys."}', toolCallId: "call_1.2.0" },
  { role: "assistant", content: "Keys [p1]." },
  { role: "system", content: "Today is Monday." },
  { role: "user", content: "And then?" },
];

const PROMPTS: Readonly<Record<string, string>> = {
  llama: `<|begin_of_text|><|start_header_id|>system<|end_header_id|>

You remember.<|eot_id|><|start_header_id|>user<|end_header_id|>

What did I say?<|eot_id|><|start_header_id|>assistant<|end_header_id|>

I look.<|python_tag|>{"name": "memory_read", "parameters": {"handle":"p1"}}<|eom_id|><|start_header_id|>ipython<|end_header_id|>

{"text":"Keys."}<|eot_id|><|start_header_id|>assistant<|end_header_id|>

Keys [p1].<|eot_id|><|start_header_id|>system<|end_header_id|>

Today is Monday.<|eot_id|><|start_header_id|>user<|end_header_id|>

And then?<|eot_id|><|start_header_id|>assistant<|end_header_id|>

`,
  mistral: `<s>[SYSTEM_PROMPT]You remember.[/SYSTEM_PROMPT][INST]What did I say?[/INST]I look.[TOOL_CALLS][{"name":"memory_read","arguments":{"handle":"p1"},"id":"c00000001"}]</s>[TOOL_RESULTS]c00000001[TOOL_CONTENT]{"text":"Keys."}[/TOOL_RESULTS]Keys [p1].</s>[SYSTEM_PROMPT]Today is Monday.[/SYSTEM_PROMPT][INST]And then?[/INST]`,
  gemma: `<bos><start_of_turn>user
<system>
You remember.
</system>

What did I say?<end_of_turn>
<start_of_turn>model
I look.
<tool_call>
{"name": "memory_read", "arguments": {"handle":"p1"}}
</tool_call><end_of_turn>
<start_of_turn>user
<tool_response>
{"text":"Keys."}
</tool_response><end_of_turn>
<start_of_turn>model
Keys [p1].<end_of_turn>
<start_of_turn>user
<system>
Today is Monday.
</system>

And then?<end_of_turn>
<start_of_turn>model
`,
  ...Object.fromEntries(
    [
      ["inst", ""],
      ["llama 2", "<s>"],
    ].map(([name, again]) => [
      name,
      `<s>[INST] <system>
You remember.
</system>

What did I say? [/INST]I look.
<tool_call>
{"name": "memory_read", "arguments": {"handle":"p1"}}
</tool_call></s>${again}[INST] <tool_response>
{"text":"Keys."}
</tool_response> [/INST]Keys [p1].</s>${again}[INST] <system>
Today is Monday.
</system>

And then? [/INST]`,
    ]),
  ),
  qwen: `<|im_start|>system
You remember.<|im_end|>
<|im_start|>user
What did I say?<|im_end|>
<|im_start|>assistant
I look.
<tool_call>
{"name": "memory_read", "arguments": {"handle":"p1"}}
</tool_call><|im_end|>
<|im_start|>user
<tool_response>
{"text":"Keys."}
</tool_response><|im_end|>
<|im_start|>assistant
Keys [p1].<|im_end|>
<|im_start|>system
Today is Monday.<|im_end|>
<|im_start|>user
And then?<|im_end|>
<|im_start|>assistant
`,
};

/** Marks by which a family's tokenizer, or its reader, would see a turn or a call. */
const TURN_MARKS: Readonly<Record<string, RegExp>> = {
  llama: /<\|[^|<>]*\|>/g,
  mistral: /\[\/?[A-Z_]{2,}\]|<\/?s>/g,
  gemma: /<(?:start|end)_of_turn>|<\/?(?:bos|eos|system|tool_call|tool_response)>/g,
  qwen: /<\|[^|<>]*\|>|<\/?(?:tool_call|tool_response)>/g,
  inst: /\[\/?INST\]|<\/?(?:s|system|tool_call|tool_response)>/g,
  "llama 2": /\[\/?INST\]|<\/?(?:s|system|tool_call|tool_response)>/g,
};

describe.each(Object.entries(TEMPLATES))("%s", (name, family) => {
  const marksIn = (text: string): string[] => text.match(TURN_MARKS[name] ?? /$^/g) ?? [];

  it("writes a conversation with a call as its template does", () => {
    expect(family.render(CONVERSATION, []).prompt).toBe(PROMPTS[name]);
  });

  it("tells the model of its tools, once, at a place that stays", () => {
    const { prompt } = family.render(CONVERSATION, TOOLS);
    const before = family.render(CONVERSATION.slice(0, 5), TOOLS).prompt;
    for (const tool of TOOLS)
      expect(
        prompt.split(`"name": "${tool.function.name}"`).length + prompt.split(`"name":"${tool.function.name}"`).length,
      ).toBeGreaterThan(2);
    const told = before.indexOf(TOOLS[1]?.function.name ?? "");
    expect(told).toBeGreaterThan(0);
    expect(prompt.startsWith(before.slice(0, told + 100))).toBe(true);
  });

  it("is read back as it was: read(render(x)) = canonical(x)", () => {
    fc.assert(
      fc.property(transcript, tools, (messages, offered) => {
        const { prompt } = family.render(messages, offered);
        expect(numbered(family.read(prompt, offered))).toEqual(numbered(canonical(messages)));
      }),
      { numRuns: 500 },
    );
  });

  it("parses an answer as its template wrote it: parse(render(answer)) = answer", () => {
    fc.assert(
      fc.property(transcript, words, answer, tools, (messages, asked, said, offered) => {
        const before: Message[] = [...messages, { role: "user", content: asked }];
        const results = (said.toolCalls ?? []).map(({ id }): Message => ({
          role: "tool",
          content: "",
          toolCallId: id,
        }));
        const { prompt, stop } = family.render(before, offered);
        const whole = family.render([...before, said, ...results], offered).prompt;
        expect(whole.startsWith(prompt)).toBe(true);
        const output = whole.slice(prompt.length);
        expect(stop.some((mark) => output.includes(mark))).toBe(true);
        expect(numbered([family.parse(output)])).toEqual(numbered([{ ...said }]));
      }),
      { numRuns: 500 },
    );
  });

  it("is read by the streaming tail to the same answer, wherever the chunks are cut", () => {
    const names = TOOLS.map((tool) => tool.function.name);
    fc.assert(
      fc.property(answer, fc.integer({ min: 1, max: 9 }), (said, size) => {
        // What looks like a call of an offered tool, or like reasoning, is one to the tail.
        const alone = new Tail(String, { tools: names });
        const text = alone.read({ response: said.content }).concat(alone.end());
        fc.pre(said.content === "" || (text.length > 0 && alone.calls().length === 0));
        fc.pre(text.map((event) => (event.type === "text" ? event.text : "")).join("") === said.content);
        const results = (said.toolCalls ?? []).map(({ id }): Message => ({
          role: "tool",
          content: "",
          toolCallId: id,
        }));
        const before: Message[] = [{ role: "user", content: "Go." }];
        const { prompt } = family.render(before, TOOLS);
        const output = family.render([...before, said, ...results], TOOLS).prompt.slice(prompt.length);
        const tail = new Tail(String, { tools: names, family: FAMILY_OF[name] ?? "mistral", raw: true });
        const events = Array.from({ length: Math.ceil(output.length / size) }, (_, index) =>
          tail.read({ response: output.slice(index * size, (index + 1) * size) }),
        ).flat();
        const read = [...events, ...tail.end()].map((event) => (event.type === "text" ? event.text : "")).join("");
        const calls = tail.calls();
        const message: Message = {
          role: "assistant",
          content: read,
          ...(calls.length === 0 ? {} : { toolCalls: calls }),
        };
        expect(numbered([message])).toEqual(numbered([{ ...said }]));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps everybody's words from opening a turn, making a call or being a result", () => {
    fc.assert(
      fc.property(transcript, (messages) => {
        const hollow = messages.map((message) => ({ ...message, content: message.content === "" ? "" : "x" }));
        const emptied = hollow.map((message) =>
          message.toolCalls === undefined
            ? message
            : { ...message, toolCalls: message.toolCalls.map((call) => ({ ...call, arguments: {} })) },
        );
        expect(marksIn(family.render(messages, []).prompt)).toEqual(marksIn(family.render(emptied, []).prompt));
      }),
      { numRuns: 500 },
    );
  });

  it("parses anything without throwing", () => {
    fc.assert(
      fc.property(fc.oneof(words, fc.string()), (output) => {
        const message = family.parse(output);
        expect([message.role, typeof message.content]).toEqual(["assistant", "string"]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("quote", () => {
  it("is undone by unquote, whole and in pieces, and leaves no mark", () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 5 }), (text, size) => {
        const quoted = quote(text);
        expect(quoted.search(/<\||\[\/?[A-Z_]{2,}\]|<\/?tool_call>|<s>|<end_of_turn>/)).toBe(-1);
        expect(unquote(quoted)).toBe(text);
        const pieces = new Unquoter();
        let whole = "";
        for (let at = 0; at < quoted.length; at += size) whole += pieces.push(quoted.slice(at, at + size));
        expect(whole).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("the template of a model", () => {
  it.each([
    ["@cf/mistral/mistral-7b-instruct-v0.2-lora", inst],
    ["@cf/mistralai/mistral-small-3.1-24b-instruct", FAMILIES.mistral],
    ["@cf/meta-llama/llama-2-7b-chat-hf-lora", llama2],
    ["@cf/meta/llama-3.3-70b-instruct-fp8-fast", FAMILIES.llama],
    ["@cf/meta/llama-3.2-11b-vision-instruct", FAMILIES.llama],
    ["@cf/google/gemma-7b-it-lora", FAMILIES.gemma],
    ["@cf/qwen/qwen2.5-coder-32b-instruct", FAMILIES.qwen],
    ["@cf/zai-org/glm-4.7-flash", null],
  ])("of %s is its own generation's", (model, family) => {
    expect(templateOf(model)).toBe(family);
  });
});
