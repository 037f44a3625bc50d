/**
 * Mistral: the instruct template of its seventh tokenizer, as in mistral-common and the chat template of Mistral Small 3.1.
 *
 *     <s>[SYSTEM_PROMPT] … [/SYSTEM_PROMPT][AVAILABLE_TOOLS][{…}][/AVAILABLE_TOOLS][INST] … [/INST] … </s>
 *     [TOOL_CALLS][{"name": …, "arguments": …, "id": "c00000001"}]</s>[TOOL_RESULTS]c00000001[TOOL_CONTENT] … [/TOOL_RESULTS]
 *
 * The vendor's template puts the tools in front of the last `[INST]`; here they stand behind the first system message, where they stay from call to
 * call, so that a prefix cache can keep them. Ids of calls are nine letters and digits, which is all these models are shown; ours are
 * numbered anew.
 */
import { z } from "zod";
import type { ToolDefinition } from "#shared/calls.ts";
import { parseJson } from "#shared/parse-json.ts";
import { canonical } from "#kernel/infer/canonical.ts";
import { callId, numberCalls, splitSystem, upTo, type Family, type Turn } from "#kernel/infer/families/family.ts";
import { quote, unquote } from "#kernel/infer/families/quote.ts";
import type { Message } from "#kernel/proc/messages.ts";

const STOP = ["</s>"] as const;
const CALLS = "[TOOL_CALLS]";

/** Calls and results number themselves in the order they stand in. */
function writer(): (message: Message) => string {
  let made = 0;
  let answered = 0;
  return ({ role, content, toolCalls = [] }) => {
    if (role === "system") return `[SYSTEM_PROMPT]${quote(content)}[/SYSTEM_PROMPT]`;
    if (role === "user") return `[INST]${quote(content)}[/INST]`;
    if (role === "tool") {
      answered += 1;
      return `[TOOL_RESULTS]${callId(answered)}[TOOL_CONTENT]${quote(content)}[/TOOL_RESULTS]`;
    }
    const calls = toolCalls.map((call) => {
      made += 1;
      return { name: call.name, arguments: call.arguments, id: callId(made) };
    });
    return `${quote(content)}${calls.length === 0 ? "" : CALLS + quote(JSON.stringify(calls))}${STOP[0]}`;
  };
}

function describe(tools: readonly ToolDefinition[]): string {
  return tools.length === 0 ? "" : `[AVAILABLE_TOOLS]${quote(JSON.stringify(tools))}[/AVAILABLE_TOOLS]`;
}

const callsSchema = z.array(z.object({ name: z.string(), arguments: z.unknown() }));

function readAnswer(body: string): Turn {
  const at = body.indexOf(CALLS);
  const calls = at < 0 ? undefined : callsSchema.safeParse(parseJson(unquote(body.slice(at + CALLS.length)))).data;
  return calls === undefined
    ? { role: "assistant", content: unquote(body) }
    : { role: "assistant", content: unquote(body.slice(0, at)), calls };
}

const PARTS =
  /\[SYSTEM_PROMPT\]([^]*?)\[\/SYSTEM_PROMPT\]|\[INST\]([^]*?)\[\/INST\]|\[TOOL_RESULTS\]\w*\[TOOL_CONTENT\]([^]*?)\[\/TOOL_RESULTS\]|([^]*?)<\/s>/y;

export const mistral: Family = {
  render(messages, tools) {
    const { system, rest } = splitSystem(canonical(messages));
    const write = writer();
    const first = system === null ? "" : write({ role: "system", content: system });
    return { prompt: `<s>${first}${describe(tools)}${rest.map(write).join("")}`, stop: STOP };
  },
  parse(output) {
    const [message] = numberCalls([readAnswer(upTo(output, STOP))]);
    return message ?? { role: "assistant", content: "" };
  },
  read(prompt, tools) {
    const turns: Turn[] = [];
    const text = prompt.replace("<s>", "").replace(describe(tools), () => "");
    PARTS.lastIndex = 0;
    for (let part = PARTS.exec(text); part !== null; part = PARTS.exec(text)) {
      const [, system, user, result, answer] = part;
      if (system !== undefined) turns.push({ role: "system", content: unquote(system) });
      else if (user !== undefined) turns.push({ role: "user", content: unquote(user) });
      else if (result !== undefined) turns.push({ role: "tool", content: unquote(result) });
      else turns.push(readAnswer(answer ?? ""));
    }
    return numberCalls(turns);
  },
};
