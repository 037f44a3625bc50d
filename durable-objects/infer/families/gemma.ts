/**
 * Gemma: the template of Gemma 2 and 3, as Google's page on its formatting and the model cards describe it.
 *
 *     <bos><start_of_turn>user⏎ … <end_of_turn>⏎<start_of_turn>model⏎ … <end_of_turn>⏎
 *
 * There are two roles and no marks for tools: system messages and results stand in a person's turn, tools and calls are text (`plain.ts`).
 */
import { canonical } from "#kernel/infer/canonical.ts";
import { numberCalls, upTo, type Family } from "#kernel/infer/families/family.ts";
import { readToolCalls } from "#kernel/infer/families/tool-marks.ts";
import { plain, readPlain, type PlainOptions } from "#kernel/infer/plain.ts";
import type { ToolDefinition } from "#shared/calls.ts";

const STOP = ["<end_of_turn>", "<eos>"] as const;

function optionsFor(tools: readonly ToolDefinition[]): PlainOptions {
  return { systems: "never", describe: tools };
}

export const gemma: Family = {
  render(messages, tools) {
    const turns = plain(canonical(messages), optionsFor(tools)).map(
      ({ role, content }) => `<start_of_turn>${role === "assistant" ? "model" : "user"}\n${content}${STOP[0]}\n`,
    );
    return { prompt: `<bos>${turns.join("")}<start_of_turn>model\n`, stop: STOP };
  },
  parse(output) {
    const [message] = numberCalls([{ role: "assistant", ...readToolCalls(upTo(output, STOP)) }]);
    return message ?? { role: "assistant", content: "" };
  },
  read(prompt, tools) {
    const turns = [...prompt.matchAll(/<start_of_turn>(user|model)\n([^]*?)<end_of_turn>\n/g)];
    return numberCalls(
      readPlain(
        turns.map(([, role, content = ""]) => ({ role: role === "model" ? "assistant" : "user", content })),
        optionsFor(tools),
      ),
    );
  },
};
