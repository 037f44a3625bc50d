/**
 * Admit: a conversation that a request brings along continues its thread, conflicts with it, or stays apart from it.
 */
import { describe, expect, it } from "vitest";
import type { Caller, ExecuteRequest } from "#shared/abi.ts";
import type { Message } from "#kernel/proc/messages.ts";
import { installSeam, play, rows, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, objectOf, request } from "#tests/kernel/process-client.ts";

installSeam();

type Sent = NonNullable<ExecuteRequest["conversation"]>["messages"];

/** Answers every instruction with "Heard: …" and notes the conversation that it was shown. */
function hears(caller: Caller): readonly Message[][] {
  const shown: Message[][] = [];
  useModel(caller, (inference) => {
    shown.push(inference.messages.filter((message) => message.role === "user" || message.role === "assistant"));
    return play([text(`Heard: ${inference.messages.findLast((message) => message.role === "user")?.content ?? ""}`)]);
  });
  return shown;
}

const append = (messages: Sent): Pick<ExecuteRequest, "conversation"> => ({
  conversation: { mode: "append", messages },
});
const replace = (messages: Sent): Pick<ExecuteRequest, "conversation"> => ({
  conversation: { mode: "replace", messages },
});
/** What was said, without the line of handle and date that a message which is a page ends with in a prompt. */
const said = (messages: readonly Message[] | undefined): string[] =>
  (messages ?? []).map((message) => message.content.replace(/\n<p[0-9a-z]+ \d{4}-\d\d-\d\d>$/, ""));

describe("a conversation that is appended", () => {
  it("adds to the thread only what the thread does not know yet", async () => {
    const caller = callerOf("append");
    const shown = hears(caller);
    await ask(caller, "one");
    await ask(
      caller,
      "three",
      append([
        { role: "user", content: "one" },
        { role: "assistant", content: "Heard: one" },
        { role: "user", content: "two" },
        { role: "assistant", content: "Elsewhere: two" },
      ]),
    );
    expect(said(shown.at(-1))).toEqual(["one", "Heard: one", "two", "Elsewhere: two", "three"]);
    expect(await rows(caller, "SELECT content FROM messages ORDER BY id")).toHaveLength(6);
    await ask(caller, "four", append([{ role: "system", content: "Be brief." }]));
    expect(said(shown.at(-1)).at(-2)).toBe("Heard: three");
  });

  it.each([
    ["another text", [{ role: "user", content: "uno" }]],
    ["another role", [{ role: "assistant", content: "one" }]],
    ["too few messages", [{ role: "user", content: "one" }]],
  ] as const)("that diverges by %s is a conflict and changes nothing", async (name, messages) => {
    const caller = callerOf(`diverges-${name.replaceAll(" ", "-")}`);
    hears(caller);
    await ask(caller, "one");
    const before = await rows(caller, "SELECT * FROM messages");
    const answer = await objectOf(caller).execute(request(caller, "two", append([...messages])));
    expect(answer).toMatchObject({ ok: false, error: { code: "conflict" } });
    expect(await rows(caller, "SELECT * FROM messages")).toEqual(before);
    expect(await rows(caller, "SELECT 1 FROM runs")).toHaveLength(1);
  });
});

describe("earlier messages that are appended", () => {
  it("are remembered as pages like any other turn", async () => {
    const caller = callerOf("append-pages");
    hears(caller);
    const messages: Message[] = [
      { role: "user", content: "The spare key is under the pot." },
      { role: "assistant", content: "Noted." },
    ];
    await ask(caller, "Thanks.", { conversation: { mode: "append", messages: messages as never } });
    expect(await rows(caller, "SELECT kind, text FROM pages ORDER BY number")).toMatchObject([
      { kind: "turn", text: "The spare key is under the pot." },
      { kind: "assistant", text: "Noted." },
      { kind: "turn", text: "Thanks." },
      { kind: "assistant" },
    ]);
    expect(await rows(caller, "SELECT page FROM messages ORDER BY id LIMIT 2")).toEqual([{ page: 1 }, { page: 2 }]);
  });
});

describe("a conversation that replaces the thread's", () => {
  it("is all the model sees, and leaves no thread and no message behind", async () => {
    const caller = callerOf("replace");
    const shown = hears(caller);
    await ask(caller, "one");
    const before = await rows(caller, "SELECT * FROM messages");
    const run = await ask(
      caller,
      "and now?",
      replace([
        { role: "user", content: "Apart." },
        { role: "assistant", content: "Yes." },
      ]),
    );
    expect(run.status).toBe("done");
    expect(said(shown.at(-1))).toEqual(["Apart.", "Yes.", "and now?"]);
    expect(await rows(caller, "SELECT * FROM messages")).toEqual(before);
    expect(await objectOf(caller).threads(caller, 10)).toMatchObject({ value: { items: [{ thread: "main" }] } });
  });

  it("needs no place in the thread's queue and runs beside it", async () => {
    const caller = callerOf("replace-beside");
    hears(caller);
    const runs = await Promise.all([
      ask(caller, "in the thread"),
      ask(caller, "apart", replace([])),
      ask(caller, "apart too", replace([])),
    ]);
    expect(runs.map((run) => run.status)).toEqual(["done", "done", "done"]);
    expect(new Set(runs.map((run) => run.thread)).size).toBe(3);
  });

  it("leaves nothing of what it brought along once it ended", async () => {
    const caller = callerOf("replace-leaves");
    hears(caller);
    await ask(caller, "and now?", replace([{ role: "user", content: "My number is 4711." }]));
    expect(JSON.stringify(await rows(caller, "SELECT * FROM runs"))).not.toContain("4711");
  });
});
