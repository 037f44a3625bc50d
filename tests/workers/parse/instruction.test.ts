/** Parser: commands, options, quoting, Chinese, escapes, paths, suggestions; and that it never throws. */
import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { SYSCALLS } from "#shared/calls.ts";
import { parseInstruction } from "#workers/parse/instruction.ts";

function syscallOf(text: string): { name: string; arguments: Record<string, unknown> } {
  const instruction = parseInstruction(text);
  if (instruction.kind !== "command" || instruction.call.kind !== "syscall") throw new Error(`no system call: ${text}`);
  return { name: instruction.call.name, arguments: instruction.call.arguments };
}

function outputOf(text: string): string {
  const instruction = parseInstruction(text);
  if (instruction.kind !== "command" || instruction.call.kind !== "text") throw new Error(`no text: ${text}`);
  return instruction.call.output;
}

describe("commands", () => {
  test.each([
    ['/remember I don\'t like "cilantro"', { text: 'I don\'t like "cilantro"' }],
    ["/remember 'one thing'", { text: "one thing" }],
    ["/remember “curly  quotes”", { text: "curly  quotes" }],
    ["/remember two  spaces stay", { text: "two  spaces stay" }],
    ['/remember --kind note --at "8 May 2023" tea at five', { text: "tea at five", kind: "note", at: "8 May 2023" }],
    ["/remember tea at five --tag=drinks --tag home", { text: "tea at five", tags: ["drinks", "home"] }],
    ["/remember use --force with care", { text: "use --force with care" }],
    ["/remember -- --kind is an option", { text: "--kind is an option" }],
    ["/remember —kind note a phone's dash", { text: "a phone's dash", kind: "note" }],
    ["/REMEMBER loud", { text: "loud" }],
    ["  ／remember full width", { text: "full width" }],
    ["/记住 我喜欢茶", { text: "我喜欢茶" }],
    ["/记住我喜欢茶", { text: "我喜欢茶" }],
    ["／记住：我喜欢茶", { text: "我喜欢茶" }],
    ["/记住 「我喜欢茶」", { text: "我喜欢茶" }],
    ["/remember first\nsecond", { text: "first\nsecond" }],
  ])("%s is a memory_write", (text, expected) => {
    expect(syscallOf(text)).toEqual({ name: "memory_write", arguments: expected });
  });

  test("recall, read, forget and ps", () => {
    expect(syscallOf("/recall green tea --limit 5 --kind fact").arguments).toEqual({
      query: "green tea",
      limit: 5,
      kind: "fact",
    });
    expect(syscallOf("/回忆绿茶")).toEqual({ name: "memory_search", arguments: { query: "绿茶" } });
    expect(syscallOf("/read p3f")).toEqual({ name: "memory_read", arguments: { handle: "p3f" } });
    expect(syscallOf("/forget [p3f]")).toEqual({ name: "memory_forget", arguments: { handle: "p3f" } });
    expect(syscallOf("/忘记 p3f").name).toBe("memory_forget");
    expect(syscallOf("/ps")).toEqual({ name: "process_list", arguments: {} });
    expect(syscallOf("/进程").name).toBe("process_list");
  });

  test.each([
    ["/block", { name: "block_read", arguments: {} }],
    ["/记忆块", { name: "block_read", arguments: {} }],
    ["/block notes", { name: "block_read", arguments: { label: "notes" } }],
    [
      "/block create notes Likes  short answers.",
      { name: "block_edit", arguments: { verb: "create", label: "notes", text: "Likes  short answers." } },
    ],
    ["/block create notes", { name: "block_edit", arguments: { verb: "create", label: "notes", text: "" } }],
    [
      '/block replace notes --old "short answers" long ones',
      { name: "block_edit", arguments: { verb: "replace", label: "notes", old: "short answers", text: "long ones" } },
    ],
    [
      "/block insert notes --line 0 First.\nSecond.",
      { name: "block_edit", arguments: { verb: "insert", label: "notes", line: 0, text: "First.\nSecond." } },
    ],
    ["/block delete notes", { name: "block_edit", arguments: { verb: "delete", label: "notes" } }],
    ["/block rename notes style", { name: "block_edit", arguments: { verb: "rename", label: "notes", to: "style" } }],
    [
      "/记忆块 新建 偏好 喜欢喝茶",
      { name: "block_edit", arguments: { verb: "create", label: "偏好", text: "喜欢喝茶" } },
    ],
    ["/pin p3f", { name: "memory_pin", arguments: { handle: "p3f", pinned: true } }],
    ["/取消置顶 [p3f]", { name: "memory_pin", arguments: { handle: "p3f", pinned: false } }],
  ])("%s", (text, expected) => {
    expect(syscallOf(text)).toEqual(expected);
  });

  test("a block command that is none shows how it is written", () => {
    for (const line of ["/block delete", "/block notes two words", '/block --old "x"']) {
      expect(outputOf(line)).toContain("/block [label] | create");
    }
    expect(outputOf("/记忆块 删除")).toContain("新建");
  });

  test("what a command lacks is told in its language", () => {
    expect(outputOf("/forget my old address")).toContain("/recall");
    expect(outputOf("/忘记 旧地址")).toContain("/回忆");
    expect(outputOf("/remember")).toContain("/remember <text>");
    expect(outputOf("/recall tea --limit 0")).toContain("--limit");
    expect(outputOf("/recall tea --limit")).toContain("needs a value");
    expect(outputOf("/remember x --kind turn")).toContain("fact, note, instruction");
    expect(outputOf("/help")).toContain("/recall");
    expect(outputOf("/help /recall")).toMatch(/^\/recall/);
    expect(outputOf("/帮助")).toContain("/记住");
  });

  test("an unknown command suggests the nearest one", () => {
    expect(outputOf("/rember tea")).toContain("/remember?");
    expect(outputOf("/hlep")).toContain("/help?");
    expect(outputOf("/xyzzyplugh now")).not.toContain("Did you mean");
    expect(outputOf("/记起 茶")).toContain("/记住");
  });

  test.each([
    "/usr/bin is a folder",
    "/etc is where settings live",
    "/home/me/notes.txt",
    "/",
    "/ remember",
    "/1 is one",
    "/remember, please",
    "what does /help do?",
    "",
  ])("%j is natural language", (text) => {
    expect(parseInstruction(text)).toEqual({ kind: "language", text });
  });

  test("two slashes escape", () => {
    expect(parseInstruction("//remember is a command")).toEqual({ kind: "language", text: "/remember is a command" });
  });
});

describe("properties", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "/",
      "／",
      "remember",
      "记住",
      " ",
      "--kind",
      "--limit",
      "=",
      "'",
      '"',
      "「",
      "」",
      "\\",
      "p3f",
      "--",
    ),
  );

  test("never throws and always keeps what was written", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        const instruction = parseInstruction(text);
        if (instruction.kind === "command") expect(instruction.text).toBe(text);
        else expect(text.endsWith(instruction.text) || text === instruction.text).toBe(true);
        if (instruction.kind === "command" && instruction.call.kind === "syscall") {
          expect(Object.hasOwn(SYSCALLS, instruction.call.name)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a remembered plain text is that text", () => {
    const plain = fc.string({ minLength: 1 }).filter((text) => /^[a-z][a-z ]*$/.test(text));
    fc.assert(
      fc.property(plain, (text) => {
        expect(syscallOf(`/remember ${text}`).arguments).toEqual({ text: text.trim() });
      }),
    );
  });
});

test("tells how a document is imported", () => {
  for (const line of ["/import", "/导入 说明书"]) {
    const instruction = parseInstruction(line);
    expect(instruction).toMatchObject({ kind: "command", command: "import" });
    expect(JSON.stringify(instruction)).toContain("/v1/memory/documents?name=");
  }
});
