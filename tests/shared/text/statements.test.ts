/**
 * Statements: what says the same has one key; whatever changes a fact changes it.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { statementKeys } from "#shared/text/statements.ts";

const DAY = 86_400_000;
const MONDAY = Date.UTC(2024, 4, 6, 9);

function same(one: string, other: string, days = 0): boolean {
  const first = statementKeys(one, { at: MONDAY, dated: false });
  const second = statementKeys(other, { at: MONDAY + days * DAY, dated: false });
  return first.whole === second.whole;
}

describe("what says the same", () => {
  it.each([
    ["I live in Paris.", "i live in paris"],
    ["I'm allergic to nuts.", "I am allergic to nuts!"],
    ["Remember that I don't eat meat.", "I do not eat meat."],
    ["Please remember: the Wi-Fi password is tulip-42.", "The Wi-Fi password is tulip-42"],
    ["On Friday, I meet Ann.", "I meet Ann on Friday."],
    ["The user's favourite colour is teal.", "My favorite color is teal."],
    ["The user lives in Rome.", "I live in Rome."],
    ["I have two cats.", "I have 2 cats."],
    ["The budget is 12,000 euros.", "The budget is 12000 euros."],
    ["I'll call Bob — he can't come.", "I will call Bob, he cannot come."],
    ["我住在上海。", "我住在上海"],
    ["请记住：我的生日是5月8日。", "我的生日是５月８日"],
    ["我妈妈叫王芳！", "我的妈妈叫王芳。"],
  ])("%s = %s", (one, other) => expect(same(one, other, 3)).toBe(true));

  it("holds for a sentence of a longer text", () => {
    const { parts } = statementKeys("I have a dog. Rex is three years old. He bites.", { at: MONDAY, dated: false });
    const of = (text: string): string => statementKeys(text, { at: MONDAY, dated: false }).whole;
    expect(parts).toContain(of("Rex is 3 years old"));
    expect(parts).toContain(of("I have a dog"));
    expect(parts).not.toContain(of("He bites")); // who is he?
  });
});

describe("what does not say the same", () => {
  it.each([
    ["I live in Paris.", "I live in Berlin."],
    ["I live in Paris.", "I lived in Paris."],
    ["I live in Paris.", "You live in Paris."],
    ["I live in Paris.", "I live in Paris?"],
    ["I like tea.", "I don't like tea."],
    ["I like tea.", "I no longer like tea."],
    ["Dogs chase cats.", "Cats chase dogs."],
    ["Ann likes Bob.", "Bob likes Ann."],
    ["My room is 12.", "My room is 21."],
    ["The temperature is -5.", "The temperature is 5."],
    ["It costs $5.", "It costs €5."],
    ["I write C++.", "I write C#."],
    ["The meeting is at 5:30.", "The meeting is at 5.30 pm."],
    ["Ship it 👍", "Ship it 👎"],
    ["我住在上海。", "我不住在上海。"],
    ["我住在上海。", "我住在上海吗？"],
    ["我有三只猫。", "我有两只猫。"],
    ["我的生日是5月8日。", "我的生日是5月9日。"],
    ["我喜欢你。", "你喜欢我。"],
  ])("%s ≠ %s", (one, other) => expect(same(one, other)).toBe(false));

  it("counts the days that a text speaks of", () => {
    expect(same("I ran 5 km today.", "I ran 5 km today.")).toBe(true);
    expect(same("I ran 5 km today.", "I ran 5 km today.", 1)).toBe(false);
    expect(same("I went to the dentist.", "I went to the dentist.", 30)).toBe(false);
    expect(same("昨天我去了医院。", "昨天我去了医院。", 1)).toBe(false);
    expect(same("I was born in 1990.", "I was born in 1990.", 30)).toBe(true);
    const dated = (at: number): string => statementKeys("Checked the boiler.", { at, dated: true }).whole;
    expect(dated(MONDAY)).not.toBe(dated(MONDAY + DAY));
  });
});

describe("a random change", () => {
  const names = ["Ann", "Bob", "Chloé", "Dmitri", "Paris", "Oslo", "王芳", "李雷"];
  const sentences = [
    (name: string, count: number): string =>
      `${name} has ${count} bicycles in the shed behind the house near the river.`,
    (name: string, count: number): string =>
      `My neighbour ${name} pays ${count} euros of rent, and I water the plants.`,
    (name: string, count: number): string => `${name}今年${count}岁，在学校教数学。`,
    (name: string, count: number): string => `我每个月给${name}${count}块钱。`,
  ];
  const said = { at: MONDAY, dated: false };
  const key = (text: string): string => statementKeys(text, said).whole;

  it("of a number, a name or a date is never the same", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...sentences),
        fc.constantFrom(...names),
        fc.constantFrom(...names),
        fc.integer({ min: 0, max: 9_999 }),
        fc.integer({ min: 0, max: 9_999 }),
        fc.integer({ min: 1, max: 28 }),
        fc.integer({ min: 1, max: 28 }),
        (make, name, other, count, number, day, date) => {
          const text = make(name, count);
          expect(key(make(other, count)) === key(text)).toBe(name === other);
          expect(key(make(name, number)) === key(text)).toBe(count === number);
          const onDay = (on: number): string => key(`${text} Since ${on} March 2024.`);
          expect(onDay(day) === onDay(date)).toBe(day === date);
        },
      ),
    );
  });

  it("of a negation is never the same", () => {
    const pairs: readonly (readonly [string, string])[] = [
      ["eats", "does not eat"],
      ["eats", "doesn't eat"],
      ["eats", "never eats"],
      ["eats", "no longer eats"],
      ["吃", "不吃"],
      ["吃", "没吃"],
      ["吃", "不再吃"],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...pairs), fc.constantFrom(...names), fc.lorem(), ([plain, negated], name, rest) => {
        expect(key(`${name} ${plain} fish. ${rest}`)).not.toBe(key(`${name} ${negated} fish. ${rest}`));
      }),
    );
  });

  it("of any one word is never the same, and of case, space and full stops always is", () => {
    const word = fc.stringMatching(/^[b-z]{3,8}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 3, maxLength: 40 }), fc.nat(), word, (said, at, other) => {
        const dropped = new Set(["the", "are", "that", "please"]);
        const changed = said.with(at % said.length, other);
        const [before, after] = [said[at % said.length] ?? "", other];
        if (before === after || dropped.has(before) || dropped.has(after)) return;
        expect(key(changed.join(" "))).not.toBe(key(said.join(" ")));
        expect(key(`  ${said.join("  ").toUpperCase()}.`)).toBe(key(said.join(" ")));
      }),
    );
  });
});
