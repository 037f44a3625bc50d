/**
 * Tool marks: calls, results and tools as text, in the form that Hermes and Qwen models are trained on and others follow when told.
 *
 *     <tool_call>
 *     {"name": "memory_read", "arguments": {"handle": "p3f"}}
 *     </tool_call>
 *
 * Results stand in `<tool_response>`, the tools in `<tools>`. What stands in them is quoted.
 */
import { z } from "zod";
import type { SystemCall, ToolDefinition } from "#shared/calls.ts";
import { parseJson } from "#shared/parse-json.ts";
import { callJson } from "#kernel/infer/families/family.ts";
import { quote, unquote } from "#kernel/infer/families/quote.ts";

export function writeToolCalls(content: string, calls: readonly SystemCall[]): string {
  const written = calls.map((call) => `<tool_call>\n${quote(callJson(call, "arguments"))}\n</tool_call>`);
  return [...(content === "" && calls.length > 0 ? [] : [quote(content)]), ...written].join("\n");
}

/** What `writeToolCalls` wrote. A mark that holds no call is left in the text. */
export function readToolCalls(text: string): { content: string; calls: Omit<SystemCall, "id">[] } {
  const calls: Omit<SystemCall, "id">[] = [];
  const content = text.replaceAll(/\n?<tool_call>\n([^]*?)\n<\/tool_call>/g, (whole, json: string) => {
    const call = readCall(unquote(json));
    if (call === null) return whole;
    calls.push(call);
    return "";
  });
  return { content: unquote(content), calls };
}

const callSchema = z.object({ name: z.string(), arguments: z.unknown() });

/** A call as JSON, whatever its name; null when it is none. */
function readCall(json: string): Omit<SystemCall, "id"> | null {
  return callSchema.safeParse(parseJson(json)).data ?? null;
}

export function writeToolResult(content: string): string {
  return `<tool_response>\n${quote(content)}\n</tool_response>`;
}

/** What a model is told of its tools, when nothing but text can tell it. */
export function describeTools(tools: readonly ToolDefinition[]): string {
  const lines = tools.map((tool) => quote(JSON.stringify(tool)));
  return `# Tools

You can call functions. Their signatures stand in <tools></tools>:
<tools>
${lines.join("\n")}
</tools>

To call one, write its name and its arguments as JSON in <tool_call></tool_call>, once for each call, and nothing behind it:
<tool_call>
{"name": <function name>, "arguments": <object of arguments>}
</tool_call>
The results come back in <tool_response></tool_response>.`;
}
