/** A newcomer's first minutes in Chinese: told in plain words, asked in plain words, mapped by the real index. */
import { describe, expect, it } from "vitest";
import { chinese } from "#tests/workers/local-ai/newcomer-chinese-dialogues.ts";
import { play } from "#tests/workers/local-ai/session.ts";

describe("a newcomer's first minutes in Chinese", () => {
  it.each(
    chinese.map((dialogue) => [`${dialogue.told.map(String).join(" / ")} → ${dialogue.question}`, dialogue] as const),
  )("%s", (_title, dialogue) => {
    const { answer, cited, refused } = play(dialogue);
    expect(answer).toMatch(dialogue.answer);
    if (dialogue.not !== undefined) expect(answer).not.toMatch(dialogue.not);
    expect(cited).toEqual(expect.arrayContaining([...(dialogue.cites ?? [])]));
    expect(refused).toEqual([]);
  });
});
