/**
 * Inst: the template of the models that know `[INST]` and nothing else: Mistral 7B Instruct and Mixtral up to v0.2, and Llama 2 Chat.
 *
 *     <s>[INST] … [/INST]… </s>[INST] … [/INST]             Mistral's model cards
 *     <s>[INST] … [/INST]… </s><s>[INST] … [/INST]          Meta's model card: each exchange begins anew
 *
 * Both serve adapters on Workers AI. There are two roles: system messages and results stand in a person's turn, tools and calls are text
 * (`plain.ts`); Llama 2's own mark for a system text is not used, because it can stand in the first turn only.
 */
import type { ToolDefinition } from "#shared/calls.ts";
import { canonical } from "#kernel/infer/canonical.ts";
import { numberCalls, upTo, type Family } from "#kernel/infer/families/family.ts";
import { readToolCalls } from "#kernel/infer/families/tool-marks.ts";
import { plain, readPlain, type PlainOptions } from "#kernel/infer/plain.ts";
import type { Message } from "#kernel/proc/messages.ts";

const STOP = ["</s>"] as const;
const TURN = /\[INST\] ([^]*?) \[\/INST\]|([^]*?)<\/s>(?:<s>)?/y;

function optionsFor(tools: readonly ToolDefinition[]): PlainOptions {
  return { systems: "never", describe: tools };
}

/** `again` stands in front of every exchange but the first. */
function instFamily(again: string): Family {
  return {
    render(messages, tools) {
      const turns = plain(canonical(messages), optionsFor(tools)).map(({ role, content }) =>
        role === "assistant" ? `${content}${STOP[0]}${again}` : `[INST] ${content} [/INST]`,
      );
      return { prompt: `<s>${turns.join("")}`, stop: STOP };
    },
    parse(output) {
      const [message] = numberCalls([{ role: "assistant", ...readToolCalls(upTo(output, STOP)) }]);
      return message ?? { role: "assistant", content: "" };
    },
    read(prompt, tools) {
      const turns: Message[] = [];
      TURN.lastIndex = "<s>".length;
      for (let turn = TURN.exec(prompt); turn !== null; turn = TURN.exec(prompt)) {
        const [, user, answer = ""] = turn;
        turns.push(user === undefined ? { role: "assistant", content: answer } : { role: "user", content: user });
      }
      return numberCalls(readPlain(turns, optionsFor(tools)));
    },
  };
}

export const inst: Family = instFamily("");
export const llama2: Family = instFamily("<s>");
