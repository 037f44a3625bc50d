/**
 * Head: what leaves for a provider is always a valid transcript, whatever is stored.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "#kernel/proc/messages.ts";
import { head, type ProviderMessage } from "#kernel/infer/head.ts";

const call = (id: string) => ({ id, name: "memory_read", arguments: { handle: "p1" } });

/** Every call is answered right behind its message, once; no result stands elsewhere; no two texts of one side touch. */
function expectValid(sent: readonly ProviderMessage[]): void {
  for (let index = 0; index < sent.length; index += 1) {
    const message = sent[index];
    if (message === undefined) continue;
    expect(message.role).not.toBe("tool");
    const ids = message.tool_calls?.map((one) => one.id) ?? [];
    for (const id of ids) {
      index += 1;
      expect(sent[index]).toMatchObject({ role: "tool", tool_call_id: id });
    }
    const next = sent[index + 1];
    if (message.role === "user") expect(next?.role).not.toBe("user");
  }
}

describe("head", () => {
  it("keeps calls with their results, in the shape providers take", () => {
    const sent = head([
      { role: "user", content: "Read p1." },
      { role: "assistant", content: "", toolCalls: [call("a"), call("b")] },
      { role: "tool", content: "one", toolCallId: "a" },
      { role: "tool", content: "two", toolCallId: "b" },
    ]);
    expect(sent).toEqual([
      { role: "user", content: "Read p1." },
      {
        role: "assistant",
        content: "",
        tool_calls: ["a", "b"].map((id) => ({
          id,
          type: "function",
          function: { name: "memory_read", arguments: '{"handle":"p1"}' },
        })),
      },
      { role: "tool", content: "one", tool_call_id: "a" },
      { role: "tool", content: "two", tool_call_id: "b" },
    ]);
  });

  it("tells calls of different turns apart that have the same id", () => {
    const turn = (content: string): Message[] => [
      { role: "user", content: "Again." },
      { role: "assistant", content: "", toolCalls: [call("c.1.0")] },
      { role: "tool", content, toolCallId: "c.1.0" },
    ];
    const sent = head([
      ...turn("first"),
      { role: "assistant", content: "", toolCalls: [call("c.1.0")] },
      ...turn("second"),
    ]);
    expectValid(sent);
    expect(sent.filter((message) => message.role === "tool").map((message) => message.content)).toEqual([
      "first",
      "second",
    ]);
  });

  it("drops a result that comes before its call, and one that comes too late", () => {
    const sent = head([
      { role: "tool", content: "early", toolCallId: "a" },
      { role: "assistant", content: "", toolCalls: [call("a")] },
      { role: "user", content: "Between." },
      { role: "tool", content: "late", toolCallId: "a" },
    ]);
    expect(sent).toEqual([{ role: "user", content: "Between." }]);
  });

  it("never lets an orphan out, whatever it is given", () => {
    const id = fc.constantFrom("a", "b", "c");
    const message: fc.Arbitrary<Message> = fc.oneof(
      fc.record({
        role: fc.constantFrom("user" as const, "assistant" as const, "system" as const),
        content: fc.string(),
      }),
      fc.record({
        role: fc.constant("assistant" as const),
        content: fc.constantFrom("", "Let me see."),
        toolCalls: fc.array(id.map(call), { maxLength: 3 }),
      }),
      fc.record({ role: fc.constant("tool" as const), content: fc.string(), toolCallId: id }),
      fc.record({ role: fc.constant("tool" as const), content: fc.string() }),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
        expectValid(head(messages));
      }),
      { numRuns: 500 },
    );
  });

  it("loses no word of a person, nor of an answer", () => {
    const words = fc.record({
      role: fc.constantFrom("user" as const, "assistant" as const),
      content: fc.string({ minLength: 1 }),
    });
    fc.assert(
      fc.property(fc.array(words), (messages) => {
        expect(
          head(messages)
            .map((message) => message.content)
            .join("\n\n"),
        ).toBe(messages.map((message) => message.content).join("\n\n"));
      }),
    );
  });
});
