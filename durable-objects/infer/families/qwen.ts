/**
 * Qwen: ChatML with Hermes-style calls, as in the chat template of Qwen2.5 and Qwen3 (`tokenizer_config.json` of their model cards).
 *
 *     <|im_start|>system⏎ … # Tools … <|im_end|>⏎
 *     <|im_start|>user⏎ … <|im_end|>⏎
 *     <|im_start|>assistant⏎ … ⏎<tool_call>⏎{…}⏎</tool_call><|im_end|>⏎
 *     <|im_start|>user⏎<tool_response>⏎ … ⏎</tool_response><|im_end|>⏎
 *
 * The tools stand behind the first system message. Results of one answer share one turn.
 */
import { canonical } from "#kernel/infer/canonical.ts";
import { groupResults, numberCalls, splitSystem, upTo, type Family, type Turn } from "#kernel/infer/families/family.ts";
import { quote, unquote } from "#kernel/infer/families/quote.ts";
import { describeTools, readToolCalls, writeToolCalls, writeToolResult } from "#kernel/infer/families/tool-marks.ts";
import type { Message } from "#kernel/proc/messages.ts";

const STOP = ["<|im_end|>", "<|endoftext|>"] as const;

function turn(role: string, body: string): string {
  return `<|im_start|>${role}\n${body}<|im_end|>\n`;
}

function bodyOf({ role, content, toolCalls = [] }: Message): string {
  if (role === "tool") return writeToolResult(content);
  return role === "assistant" ? writeToolCalls(content, toolCalls) : quote(content);
}

function describe(tools: Parameters<Family["render"]>[1]): string {
  return tools.length === 0 ? "" : describeTools(tools);
}

const RESULT = /<tool_response>\n([^]*?)\n<\/tool_response>/g;

function readTurn(role: string, body: string): Turn[] {
  if (role === "assistant") return [{ role, ...readToolCalls(body) }];
  const results = role === "user" ? [...body.matchAll(RESULT)] : [];
  if (results.length > 0) return results.map(([, content = ""]) => ({ role: "tool", content: unquote(content) }));
  return [{ role: role === "system" ? "system" : "user", content: unquote(body) }];
}

export const qwen: Family = {
  render(messages, tools) {
    const told = describe(tools);
    const { system, rest } = splitSystem(canonical(messages));
    const opening = [...(system === null ? [] : [quote(system)]), ...(told === "" ? [] : [told])];
    let prompt = opening.length === 0 ? "" : turn("system", opening.join("\n\n"));
    for (const group of groupResults(rest)) {
      const role = group[0]?.role === "tool" ? "user" : (group[0]?.role ?? "user");
      prompt += turn(role, group.map(bodyOf).join("\n"));
    }
    return { prompt: `${prompt}<|im_start|>assistant\n`, stop: STOP };
  },
  parse(output) {
    const [message] = numberCalls(readTurn("assistant", upTo(output, STOP)));
    return message ?? { role: "assistant", content: "" };
  },
  read(prompt, tools) {
    const told = describe(tools);
    const turns = [...prompt.matchAll(/<\|im_start\|>(\w+)\n([^]*?)<\|im_end\|>\n/g)];
    return numberCalls(
      turns.flatMap(([, role = "", body = ""], index) => {
        if (index > 0 || told === "") return readTurn(role, body);
        return body === told ? [] : readTurn(role, body.slice(0, -told.length - 2));
      }),
    );
  },
};
