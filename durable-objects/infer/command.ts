/**
 * Command: the inference of an instruction that needs no model: its one system call first, then the call's result as text.
 *
 * The texts are what a person at a prompt reads; the results themselves are in the run's `syscalls`.
 */
import type { CommandCall } from "#shared/abi.ts";
import type { Inference } from "#kernel/infer/inference.ts";
import type { LiveRun } from "#kernel/proc/live-run.ts";

export function interpretCommand(run: LiveRun, call: CommandCall, say: (text: string) => void): Inference {
  run.step += 1;
  const results = run.messages.filter((message) => message.role === "tool");
  if (call.kind === "syscall" && results.length === 0) {
    return { text: "", calls: [{ id: "command", name: call.name, arguments: call.arguments }] };
  }
  const chinese = /\p{Script=Han}/u.test(run.instruction.text);
  const text = call.kind === "text" ? call.output : renderResult(call.name, results[0]?.content ?? "null", chinese);
  say(text);
  return { text, calls: [] };
}

interface Item {
  readonly handle?: string;
  readonly at?: string | null;
  readonly speaker?: string | null;
  readonly text?: string;
  readonly process?: string;
  readonly state?: string;
  readonly threads?: number;
  readonly pages?: number;
  readonly liveRuns?: number;
}

interface CommandResult {
  readonly error?: { readonly detail: string };
  readonly items?: readonly Item[];
  readonly page?: Item;
  readonly handle?: string;
  readonly forgotten?: string;
}

/** The result of a command's call as text. */
export function renderResult(name: string, json: string, chinese: boolean): string {
  const result = JSON.parse(json) as CommandResult;
  if (result.error !== undefined) return result.error.detail;
  switch (name) {
    case "memory_write":
      return chinese ? `已记住 [${result.handle ?? ""}]。` : `Remembered [${result.handle ?? ""}].`;
    case "memory_forget":
      return chinese ? `已忘记 ${result.forgotten ?? ""}。` : `Forgotten: ${result.forgotten ?? ""}.`;
    case "memory_read":
      return result.page === undefined ? json : renderItem(result.page);
    case "memory_search":
      return renderList(result.items ?? [], chinese ? "没有找到。" : "Nothing found.");
    case "process_list":
      return (result.items ?? []).map(renderProcess).join("\n");
    default:
      return json;
  }
}

function renderList(items: readonly Item[], none: string): string {
  return items.length === 0 ? none : items.map(renderItem).join("\n");
}

function renderItem(item: Item): string {
  const text = (item.text ?? "").replaceAll(/\s+/g, " ");
  const said = [item.at ?? "", item.speaker ?? ""].filter((part) => part !== "").join(", ");
  return `${text}${said === "" ? "" : ` (${said})`} [${item.handle ?? ""}]`;
}

function renderProcess(item: Item): string {
  return `${item.process ?? ""}  ${item.state ?? ""}  threads ${item.threads ?? 0}  pages ${item.pages ?? 0}  live runs ${item.liveRuns ?? 0}`;
}
