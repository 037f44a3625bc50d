/** Sent text: a telling that starts again is not sent twice. */
import { expect, test } from "vitest";
import { SentText } from "#workers/routes/sent-text.ts";

test("the same words again are silent until they go on", () => {
  const text = new SentText();
  expect(text.add("Tea at ")).toBe("Tea at ");
  text.restart();
  expect([text.add("Tea"), text.add(" at five"), text.add(".")]).toEqual(["", "five", "."]);
});

test("other words follow on their own line", () => {
  const text = new SentText();
  text.add("Tea at ");
  text.restart();
  expect([text.add("Te"), text.add("n"), text.add("!")]).toEqual(["", "\n\nTen", "!"]);
});

test("the final text is sent when nothing was streamed", () => {
  expect(new SentText().restOf("all")).toBe("all");
});
