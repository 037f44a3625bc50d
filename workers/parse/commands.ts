/**
 * Commands: what a person can type after a slash, in English and Chinese, and what each becomes.
 *
 * A command is one system call, or a text that answers at once. Text is in the language of the name that was typed. Values
 * are only shaped here; the kernel validates every argument again. Pure, never throws.
 */
import type { CommandCall } from "#shared/abi.ts";
import type { SyscallName } from "#shared/calls.ts";
import { parsePageHandle } from "#shared/ids.ts";
import { SEARCH_RESULTS_MOST } from "#shared/limits.ts";
import { editDistance } from "#workers/parse/distance.ts";
import { blockCall } from "#workers/parse/block-command.ts";
import { commandLine, type CommandLine } from "#workers/parse/options.ts";

export type Language = "en" | "zh";

type Words = Readonly<Record<Language, string>>;

export interface Command {
  readonly name: string;
  readonly chinese: string;
  /** True when a Chinese name may be followed by its text without a space: "/记住我喜欢茶". */
  readonly glued: boolean;
  readonly usage: Words;
  readonly summary: Words;
  readonly options: readonly string[];
  readonly call: (line: CommandLine, language: Language) => CommandCall;
}

const NOTE_KINDS: readonly string[] = ["fact", "note", "instruction"];

export const COMMANDS: readonly Command[] = [
  {
    name: "remember",
    chinese: "记住",
    glued: true,
    usage: {
      en: '/remember <text> [--kind fact|note|instruction] [--at "8 May 2023"] [--tag word]',
      zh: "/记住 <内容> [--kind fact|note|instruction] [--at 2023年5月8日] [--tag 标签]",
    },
    summary: { en: "Store something for all later conversations.", zh: "记住一件事，以后的对话都能用到。" },
    options: ["kind", "at", "tag"],
    call: remember,
  },
  {
    name: "recall",
    chinese: "回忆",
    glued: true,
    usage: { en: "/recall <query> [--limit 5] [--kind fact]", zh: "/回忆 <关键词> [--limit 5] [--kind fact]" },
    summary: { en: "Search the memory; shows pages with their handles.", zh: "搜索记忆，列出页面和它们的编号。" },
    options: ["limit", "kind"],
    call: recall,
  },
  {
    name: "read",
    chinese: "读取",
    glued: false,
    usage: { en: "/read <handle>", zh: "/读取 <编号>" },
    summary: { en: "Show one page in full.", zh: "显示一页的全文。" },
    options: [],
    call: (line, language) => withHandle("memory_read", line, language),
  },
  {
    name: "forget",
    chinese: "忘记",
    glued: true,
    usage: { en: "/forget <handle>", zh: "/忘记 <编号>" },
    summary: { en: "Delete one page for good.", zh: "彻底删除一页。" },
    options: [],
    call: (line, language) => withHandle("memory_forget", line, language),
  },
  {
    name: "block",
    chinese: "记忆块",
    glued: false,
    usage: {
      en: '/block [label] | create <label> <text> | replace <label> --old "words" <text> | insert <label> [--line 0] <text> | delete <label> | rename <label> <new>',
      zh: '/记忆块 [标签] | 新建 <标签> <内容> | 替换 <标签> --old "原文" <内容> | 插入 <标签> [--line 0] <内容> | 删除 <标签> | 改名 <标签> <新标签>',
    },
    summary: {
      en: "Show or change the short texts that stand in every prompt.",
      zh: "查看或修改每次提问都会带上的短文本。",
    },
    options: ["old", "line"],
    call: block,
  },
  {
    name: "pin",
    chinese: "置顶",
    glued: false,
    usage: { en: "/pin <handle>", zh: "/置顶 <编号>" },
    summary: { en: "Put a page into every prompt.", zh: "让一页出现在每次提问里。" },
    options: [],
    call: (line, language) => withHandle("memory_pin", line, language, { pinned: true }),
  },
  {
    name: "unpin",
    chinese: "取消置顶",
    glued: false,
    usage: { en: "/unpin <handle>", zh: "/取消置顶 <编号>" },
    summary: {
      en: "Take a page out of every prompt; it stays in memory.",
      zh: "不再让一页出现在每次提问里；它仍在记忆中。",
    },
    options: [],
    call: (line, language) => withHandle("memory_pin", line, language, { pinned: false }),
  },
  {
    name: "ps",
    chinese: "进程",
    glued: false,
    usage: { en: "/ps", zh: "/进程" },
    summary: { en: "List your processes.", zh: "列出你的进程。" },
    options: [],
    call: () => syscall("process_list", {}),
  },
  {
    name: "fsck",
    chinese: "自检",
    glued: false,
    usage: { en: "/fsck [repair]", zh: "/自检 [修复]" },
    summary: {
      en: "Check whether the stores of your memory agree; repair them.",
      zh: "检查记忆的各处存储是否一致，并可修复。",
    },
    options: [],
    call: fsck,
  },
  {
    name: "import",
    chinese: "导入",
    glued: false,
    usage: { en: "/import", zh: "/导入" },
    summary: { en: "Tell how a document becomes part of the memory.", zh: "说明怎样把文档放进记忆。" },
    options: [],
    call: howToImport,
  },
  {
    name: "sleep",
    chinese: "整理",
    glued: false,
    usage: { en: "/sleep", zh: "/整理" },
    summary: { en: "Consolidate the memory for a moment.", zh: "整理一下记忆。" },
    options: [],
    call: () => syscall("process_sleep", {}),
  },
  {
    name: "help",
    chinese: "帮助",
    glued: false,
    usage: { en: "/help [command]", zh: "/帮助 [命令]" },
    summary: { en: "Show the commands.", zh: "显示所有命令。" },
    options: [],
    call: help,
  },
];

/** What the rest of a line means for a command. */
export function callCommand(command: Command, rest: string, language: Language): CommandCall {
  const line = commandLine(rest, command.options);
  if (line.unfinished === null) return command.call(line, language);
  const missing: Words = { en: `--${line.unfinished} needs a value.`, zh: `--${line.unfinished} 后面要有一个值。` };
  return text(`${missing[language]} ${usage(command, language)}`);
}

export function findCommand(name: string): Command | undefined {
  const wanted = name.toLowerCase();
  return COMMANDS.find((command) => command.name === wanted || command.chinese === name);
}

/** Answer to a name that is no command: the nearest one that is. */
export function unknownCommand(name: string, language: Language): CommandCall {
  const shown = Array.from(name).slice(0, 32).join("");
  const near = nearest(shown, language);
  const known: Words = { en: `There is no command /${shown}.`, zh: `没有命令 /${shown}。` };
  const suggestion: Words = {
    en: near === null ? "" : ` Did you mean /${near}?`,
    zh: near === null ? "" : `你是不是想用 /${near}？`,
  };
  const more: Words = {
    en: " /help lists all commands; start with // to send a slash as text.",
    zh: "/帮助 会列出所有命令；想发送以斜杠开头的文字，请以 // 开头。",
  };
  return text(known[language] + suggestion[language] + more[language]);
}

function nearest(name: string, language: Language): string | null {
  const names = COMMANDS.map((command) => (language === "zh" ? command.chinese : command.name));
  const ranked = names
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate) }))
    .toSorted((left, right) => left.distance - right.distance);
  const [best] = ranked;
  // More edits than half of the word would suggest anything for anything.
  return best !== undefined && best.distance <= Math.ceil(Array.from(name).length / 2) ? best.candidate : null;
}

function remember(line: CommandLine, language: Language): CommandCall {
  const kind = line.options.get("kind")?.at(-1);
  const at = line.options.get("at")?.at(-1);
  const tags = line.options.get("tag");
  if (kind !== undefined && !NOTE_KINDS.includes(kind)) return wrongValue("kind", NOTE_KINDS.join(", "), language);
  if (line.text === "") return missing("remember", language);
  return syscall("memory_write", {
    text: line.text,
    ...(kind === undefined ? {} : { kind }),
    ...(at === undefined ? {} : { at }),
    ...(tags === undefined ? {} : { tags }),
  });
}

function recall(line: CommandLine, language: Language): CommandCall {
  const kind = line.options.get("kind")?.at(-1);
  const given = line.options.get("limit")?.at(-1);
  const limit = given === undefined ? undefined : /^[0-9]{1,4}$/.test(given) ? Number(given) : 0;
  if (limit !== undefined && (limit < 1 || limit > SEARCH_RESULTS_MOST)) {
    return wrongValue("limit", `1–${SEARCH_RESULTS_MOST}`, language);
  }
  if (line.text === "") return missing("recall", language);
  return syscall("memory_search", {
    query: line.text,
    ...(limit === undefined ? {} : { limit }),
    ...(kind === undefined ? {} : { kind }),
  });
}

function fsck(line: CommandLine, language: Language): CommandCall {
  if (line.text === "") return syscall("memory_check", {});
  if (/^(?:repair|修复)$/i.test(line.text)) return syscall("memory_check", { repair: true });
  return missing("fsck", language);
}

/** A document does not fit into an instruction; it is sent to a route of its own. */
function howToImport(_line: CommandLine, language: Language): CommandCall {
  const how: Words = {
    en: "Send the file (Markdown, plain text, HTML or PDF) over HTTP, with your key:",
    zh: "请带上你的密钥，用 HTTP 发送文件（Markdown、纯文本、HTML 或 PDF）：",
  };
  const example =
    'curl -X POST "$ORIGIN/v1/memory/documents?name=notes.md" -H "authorization: Bearer $KEY" -H "content-type: text/markdown" --data-binary @notes.md';
  return text(`${how[language]}\n${example}`);
}

function block(line: CommandLine, language: Language): CommandCall {
  const call = blockCall(line);
  return call === null ? missing("block", language) : syscall(call.name, call.arguments);
}

function withHandle(
  name: "memory_read" | "memory_forget" | "memory_pin",
  line: CommandLine,
  language: Language,
  more: Record<string, unknown> = {},
): CommandCall {
  const handle = parsePageHandle(line.text.replace(/^\[(.*)\]$/su, "$1"));
  if (handle !== null) return syscall(name, { handle, ...more });
  const how: Words = {
    en: "Give the handle of one page, such as p3f. To find it, search with /recall and a few words of the page: every result starts with its handle.",
    zh: "请给出一页的编号，例如 p3f。用 /回忆 加上页面里的几个词来搜索，每条结果开头就是编号。",
  };
  return text(how[language]);
}

function help(line: CommandLine, language: Language): CommandCall {
  const name = line.text.replace(/^[/／]/u, "");
  if (name === "") {
    const first: Words = {
      en: "Write what you want in your own words, or use a command:",
      zh: "用自己的话写你想要什么，或者使用命令：",
    };
    return text([first[language], ...COMMANDS.map((command) => usage(command, language))].join("\n"));
  }
  const command = findCommand(name);
  return command === undefined ? unknownCommand(name, language) : text(usage(command, language));
}

function usage(command: Command, language: Language): string {
  return `${command.usage[language]} — ${command.summary[language]}`;
}

function missing(name: string, language: Language): CommandCall {
  const command = findCommand(name);
  return text(command === undefined ? name : usage(command, language));
}

function wrongValue(option: string, values: string, language: Language): CommandCall {
  const what: Words = { en: `--${option} must be one of ${values}.`, zh: `--${option} 只能是 ${values}。` };
  return text(what[language]);
}

function syscall(name: SyscallName, values: Record<string, unknown>): CommandCall {
  return { kind: "syscall", name, arguments: values };
}

function text(output: string): CommandCall {
  return { kind: "text", output };
}
