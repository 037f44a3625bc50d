/**
 * Llama: the template of Llama 3.1 and later, as Meta's prompt format pages and the model cards describe it.
 *
 *     <|begin_of_text|><|start_header_id|>system<|end_header_id|>⏎⏎ … <|eot_id|>
 *     <|start_header_id|>user<|end_header_id|>⏎⏎ … <|eot_id|>
 *     <|start_header_id|>assistant<|end_header_id|>⏎⏎ … <|python_tag|>{"name": …, "parameters": …}<|eom_id|>
 *     <|start_header_id|>ipython<|end_header_id|>⏎⏎ … <|eot_id|>
 *
 * The tools stand in front of the first system message. Meta's template allows one call in a message; where there are several, each
 * has its own `<|python_tag|>`. An answer that calls ends with `<|eom_id|>`, because a result is expected. These models also write calls
 * without the tag, as JSON or as Python: `tail.ts` reads those, because it knows which tools were offered.
 */
import { z } from "zod";
import type { ToolDefinition } from "#shared/calls.ts";
import { parseJson } from "#shared/parse-json.ts";
import { canonical } from "#kernel/infer/canonical.ts";
import { callJson, numberCalls, splitSystem, upTo, type Family, type Turn } from "#kernel/infer/families/family.ts";
import { quote, unquote } from "#kernel/infer/families/quote.ts";
import type { Message } from "#kernel/proc/messages.ts";

const STOP = ["<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"] as const;
const TAG = "<|python_tag|>";

function header(role: string): string {
  return `<|start_header_id|>${role}<|end_header_id|>\n\n`;
}

function write({ role, content, toolCalls = [] }: Message): string {
  const calls = toolCalls.map((call) => `${TAG}${quote(callJson(call, "parameters"))}`).join("");
  return `${header(role === "tool" ? "ipython" : role)}${quote(content)}${calls}${calls === "" ? STOP[0] : STOP[1]}`;
}

function describe(tools: readonly ToolDefinition[]): string {
  if (tools.length === 0) return "";
  const list = tools.map((tool) => JSON.stringify(tool.function, null, 4)).join("\n\n");
  return quote(`Environment: ipython

You can call the functions below. To call one, answer with nothing but JSON, in the form
{"name": <function name>, "parameters": <object of argument names and their values>}.

${list}`);
}

const callSchema = z.object({ name: z.string(), parameters: z.unknown() });

function readAnswer(body: string): Turn {
  const [content = "", ...written] = body.split(TAG);
  const calls = written.flatMap((json) => {
    const call = callSchema.safeParse(parseJson(unquote(json))).data;
    return call === undefined ? [] : [{ name: call.name, arguments: call.parameters }];
  });
  // A tag that holds no call of ours is left in the text.
  return calls.length < written.length
    ? { role: "assistant", content: unquote(body) }
    : { role: "assistant", content: unquote(content), calls };
}

function readTurn(role: string, body: string): Turn {
  if (role === "assistant") return readAnswer(body);
  return { role: role === "ipython" ? "tool" : role === "system" ? "system" : "user", content: unquote(body) };
}

export const llama: Family = {
  render(messages, tools) {
    const told = describe(tools);
    const { system, rest } = splitSystem(canonical(messages));
    const opening = [...(told === "" ? [] : [told]), ...(system === null ? [] : [quote(system)])];
    const first = opening.length === 0 ? "" : `${header("system")}${opening.join("\n\n")}${STOP[0]}`;
    return {
      prompt: `<|begin_of_text|>${first}${rest.map(write).join("")}${header("assistant")}`,
      stop: STOP,
    };
  },
  parse(output) {
    const [message] = numberCalls([readAnswer(upTo(output, STOP))]);
    return message ?? { role: "assistant", content: "" };
  },
  read(prompt, tools) {
    const told = describe(tools);
    const turns = [
      ...prompt.matchAll(
        /<\|start_header_id\|>(\w+)<\|end_header_id\|>\n\n([^]*?)<\|(?:eot_id|eom_id|end_of_text)\|>/g,
      ),
    ];
    return numberCalls(
      turns.flatMap(([, role = "", body = ""], index) => {
        if (index > 0 || told === "") return [readTurn(role, body)];
        return body === told ? [] : [readTurn(role, body.slice(told.length + 2))];
      }),
    );
  },
};
