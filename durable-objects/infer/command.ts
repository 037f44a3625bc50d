/**
 * Command: the inference of an instruction that needs no model: its one system call first, then the call's result as text.
 *
 * The texts are what a person at a prompt reads; the results themselves are in the run's `syscalls`.
 */
import type { BlockView, CommandCall } from "#shared/abi.ts";
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
  readonly pinned?: boolean;
  readonly block?: string;
  readonly deleted?: boolean;
  readonly value?: string;
  readonly characters?: number;
  readonly limit?: number;
  readonly blocks?: readonly BlockView[];
  readonly checked?: number;
  readonly counts?: Readonly<Record<string, number>>;
  readonly repaired?: number;
  readonly pages?: number;
  readonly facts?: number;
  readonly duplicates?: number;
  readonly stale?: number;
  readonly left?: number;
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
    case "memory_pin":
      return renderPin(result, chinese);
    case "block_edit":
      return renderBlockEdit(result, chinese);
    case "block_read":
      return (
        (result.blocks ?? []).map(renderBlock).join("\n\n") || (chinese ? "还没有记忆块。" : "There are no blocks.")
      );
    case "memory_check":
      return renderCheck(result, chinese);
    case "process_sleep":
      return renderSleep(result, chinese);
    case "process_list":
      return (result.items ?? []).map(renderProcess).join("\n");
    default:
      return json;
  }
}

function renderCheck({ checked = 0, counts = {}, repaired = 0 }: CommandResult, chinese: boolean): string {
  const found = Object.entries(counts).map(([kind, times]) => `${kind}: ${times}`);
  const tail = repaired === 0 ? "" : chinese ? `\n已修复 ${repaired} 处。` : `\nRepaired: ${repaired}.`;
  if (found.length === 0)
    return chinese ? `检查了 ${checked} 处，没有问题。` : `Checked ${checked}; everything agrees.`;
  return `${chinese ? `检查了 ${checked} 处：` : `Checked ${checked}:`}\n${found.join("\n")}${tail}`;
}

function renderPin({ handle = "", pinned }: CommandResult, chinese: boolean): string {
  if (pinned === true) return chinese ? `已置顶 [${handle}]。` : `Pinned [${handle}].`;
  return chinese ? `已取消置顶 [${handle}]。` : `No longer pinned: [${handle}].`;
}

function renderBlockEdit(result: CommandResult, chinese: boolean): string {
  const { block = "", deleted, value = "", characters = 0, limit = 0 } = result;
  if (deleted === true) return chinese ? `已删除记忆块 ${block}。` : `Block ${block} deleted.`;
  return `${block} (${characters}/${limit}):\n${value}`;
}

function renderBlock(block: BlockView): string {
  const remarks = [
    block.readOnly ? "read-only" : "",
    block.sharedBy === null ? "" : `shared by ${block.sharedBy.process}`,
    block.outOfReach ? "last known value" : "",
  ].filter((remark) => remark !== "");
  const about = [`${block.characters}/${block.limit}`, ...remarks].join(", ");
  return `${block.label} (${about})${block.description === "" ? "" : `: ${block.description}`}\n${block.value}`;
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

function renderSleep(
  { pages, facts = 0, duplicates = 0, stale = 0, left = 0 }: CommandResult,
  chinese: boolean,
): string {
  return chinese
    ? `看了${pages}页：新事实${facts}条，重复${duplicates}条，过时${stale}条；还剩${left}页。`
    : `Looked at ${pages} pages: ${facts} new facts, ${duplicates} duplicates, ${stale} stale; ${left} pages left.`;
}
