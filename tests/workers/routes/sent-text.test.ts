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

test("only the step that begins again is told again", () => {
  const text = new SentText();
  text.begin();
  expect(text.add("Let me look. ")).toBe("Let me look. ");
  text.begin();
  expect(text.add("Tea at ")).toBe("Tea at ");
  text.restart();
  expect([text.add("Tea "), text.add("at five.")]).toEqual(["", "five."]);
});

test("a step that was taken back and made a new one of is not said twice", () => {
  const text = new SentText();
  text.begin();
  text.add("Tea at ");
  text.restart();
  text.begin();
  expect([text.add("Tea at "), text.add("five.")]).toEqual(["", "five."]);
});

test("of several tellings the last one counts", () => {
  const text = new SentText();
  text.add("Tea at ");
  text.restart();
  expect(text.add("Coffee at ")).toBe("\n\nCoffee at ");
  text.restart();
  expect(text.add("Coffee at noon.")).toBe("noon.");
});

test("the final text is sent when nothing was streamed", () => {
  expect(new SentText().restOf("all")).toBe("all");
});
