/**
 * Standing topics: what says the same, what takes the older's place, and what can both be followed.
 */
import { describe, expect, it } from "vitest";
import { admitStanding, type KnownStanding } from "#kernel/vm/pinned/standing-pins.ts";
import { relate } from "#kernel/vm/pinned/standing-topics.ts";

describe("two that contradict each other", () => {
  it.each([
    ["Always answer in German.", "Always answer in French."],
    ["Please reply in English from now on.", "以后请用中文回答我。"],
    ["以后请用英文回答。", "请用中文回答。"],
    ["Call me Sam.", "Please call me Samantha."],
    ["Use imperial units.", "Always use metric units."],
    ["Keep your answers short.", "Always give detailed answers."],
    ["Always use a formal tone.", "Use an informal tone in your answers."],
    [
      "Always format dates in DD/MM/YYYY when I ask about deadlines.",
      "Always format dates in MM/DD/YYYY when I ask about deadlines.",
    ],
    ["Never include emojis.", "Always include emojis."],
    ["I prefer planes over trains.", "I prefer trains over planes."],
    ["I don't like spicy food anymore.", "I like spicy food."],
    ["I prefer coffee in the morning.", "I prefer tea in the morning."],
    ["My favourite colour is blue.", "My favourite colour is green."],
    ["比起茶，我更喜欢咖啡。", "比起咖啡，我更喜欢茶。"],
    ["我最喜欢的颜色是蓝色。", "我最喜欢的颜色是绿色。"],
  ])("%s / %s", (newer, older) => {
    expect(relate(newer, older)).toBe("contradicts");
    expect(relate(older, newer)).toBe("contradicts");
  });
});

it("takes a plain preference for the newer one when it names what was liked less, or says that it is new", () => {
  expect(relate("I prefer coffee", "I prefer tea over coffee")).toBe("contradicts");
  expect(relate("I prefer tea now", "I prefer coffee.")).toBe("contradicts");
  expect(relate("我现在更喜欢咖啡", "我更喜欢茶")).toBe("contradicts");
  expect(relate("我现在喜欢咖啡", "我喜欢喝茶")).toBe("other");
});

describe("two that say the same", () => {
  it.each([
    ["Always cite your sources.", "Please always cite your sources"],
    ["From now on, answer in French.", "Always answer in French."],
    ["I prefer simple, minimal dependencies", "I prefer simple and minimal dependencies"],
    ["以后请用中文回答。", "请用中文回答我。"],
    ["My favorite colour is green.", "My favourite colour is green"],
  ])("%s / %s", (newer, older) => {
    expect(relate(newer, older)).toBe("same");
  });
});

describe("two that can both be followed", () => {
  it.each([
    [
      "Always include version numbers when I ask about libraries.",
      "Always include licences when I ask about libraries.",
    ],
    ["Always answer in French when I ask about wine.", "Always answer in German when I ask about beer."],
    ["Always answer in French.", "Always cite your sources."],
    ["I prefer window seats.", "I prefer small hotels."],
    ["I prefer small hotels now.", "I prefer window seats."],
    ["I prefer tea.", "I prefer coffee."],
    ["I prefer trains", "I prefer tea over coffee"],
    ["I like jazz.", "I like hiking."],
    ["My favourite colour is green.", "My favourite food is ramen."],
    ["I'm allergic to shellfish.", "I don't eat pork."],
    ["我喜欢喝绿茶", "我喜欢爬山"],
    ["Never round up.", "Always show the formula."],
  ])("%s / %s", (newer, older) => {
    expect(relate(newer, older)).toBe("other");
  });
});

describe("admission", () => {
  const known = (id: number, text: string, more: Partial<KnownStanding> = {}): KnownStanding => ({
    id,
    text,
    at: id,
    wanted: true,
    holds: true,
    ...more,
  });

  it("pins what is new, in the place of what it contradicts", () => {
    const there = [known(1, "Always answer in French."), known(2, "Never use tables.")];
    expect(admitStanding("Always answer in German.", 9, there)).toEqual({ kind: "new", replaces: [1] });
    expect(admitStanding("Always add the price.", 9, there)).toEqual({ kind: "new", replaces: [] });
    expect(admitStanding("Never use tables!", 9, there)).toEqual({ kind: "known", id: 2 });
  });

  it("goes by the dates, not by the order of arrival", () => {
    const there = [known(50, "Always answer in French.")];
    expect(admitStanding("Always answer in German.", 9, there)).toEqual({ kind: "past", replacedBy: 50 });
  });

  it("does not bring back what a person took out, and may say again what was replaced", () => {
    const out = [known(1, "Always answer in French.", { wanted: false })];
    expect(admitStanding("Please always answer in French.", 9, out)).toEqual({ kind: "known", id: 1 });
    const replaced = [known(1, "Always answer in French.", { holds: false }), known(2, "Always answer in German.")];
    expect(admitStanding("Always answer in French.", 9, replaced)).toEqual({ kind: "new", replaces: [2] });
  });
});
