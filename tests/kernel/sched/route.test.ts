/** Route: a model by needs, the same one every time, and never one that surely cannot. */
import {
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  integer,
  option,
  property,
  record,
  shuffledSubarray,
} from "fast-check";
import { expect, test } from "vitest";
import { mostItCanCost } from "#shared/cost.ts";
import { unknownCard, type ModelCard } from "#shared/models.ts";
import { route, type Choice, type Health, type ModelHealth, type Needs, type Preferred } from "#kernel/sched/route.ts";

const NOW = 1_800_000_000_000;
const DEFAULT = "@cf/default";

const NONE: Needs = {
  contextTokens: 10_000,
  answerTokens: 1_000,
  tools: false,
  lora: null,
  json: false,
  language: null,
  ceiling: null,
  latency: null,
  extractive: true,
};

function card(id: string, facts: Partial<ModelCard> = {}): ModelCard {
  const known = { contextWindow: 131_072, tools: true, lora: false, json: true };
  return { ...unknownCard(id), ...known, price: { input: 1, cached: 1, output: 1 }, ...facts };
}

function sick(models: Readonly<Record<string, Partial<ModelHealth>>>): Health {
  const well = { brokenUntil: 0, throttledUntil: 0, excluded: false };
  return { now: NOW, models: new Map(Object.entries(models).map(([id, health]) => [id, { ...well, ...health }])) };
}

const WELL = sick({});
const PREFERRED: Preferred = { asked: null, standard: DEFAULT, allowed: null, fallback: true };

function chosen(
  cards: readonly ModelCard[],
  needs: Partial<Needs> = {},
  health = WELL,
  preferred: Partial<Preferred> = {},
): Choice {
  const result = route(cards, { ...NONE, ...needs }, health, { ...PREFERRED, ...preferred });
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.detail}`);
  return result.value;
}

function refusal(
  cards: readonly ModelCard[],
  needs: Partial<Needs>,
  health = WELL,
  preferred: Partial<Preferred> = {},
): string {
  const result = route(cards, { ...NONE, ...needs }, health, { ...PREFERRED, ...preferred });
  return result.ok ? `chose ${result.value.card.id}` : `${result.error.code}: ${result.error.detail}`;
}

test("the default serves what it can, however cheap another is", () => {
  const cheap = card("@cf/cheap", { price: { input: 0, cached: 0, output: 0 }, latency: "fast" });
  const choice = chosen([cheap, card(DEFAULT)], { tools: true });
  expect(choice).toMatchObject({ card: { id: DEFAULT }, reason: "default", waitMs: 0 });
  expect(choice.others).toEqual([{ id: "@cf/cheap", why: "ranks after it" }]);
});

test("what was asked for serves, however it compares", () => {
  const dear = card("@cf/dear", { price: { input: 90, cached: 90, output: 90 }, latency: "slow", languages: ["en"] });
  const choice = chosen([card(DEFAULT), dear], { language: "ko" }, WELL, { asked: "@cf/dear" });
  expect(choice).toMatchObject({ card: { id: "@cf/dear" }, reason: "asked for" });
});

test("what was asked for and cannot serve is an error that says what is missing", () => {
  const small = card("@cf/small", { contextWindow: 8_192, tools: false });
  expect(refusal([card(DEFAULT), small], { tools: true }, WELL, { asked: "@cf/small" })).toBe(
    "invalid_request: The model @cf/small cannot serve this: it has a window of 8,192 tokens, 10,000 are needed, and takes no tools.",
  );
});

test("a prompt beyond the default's window goes to the cheapest that takes it", () => {
  const cards = [
    card(DEFAULT, { contextWindow: 24_000 }),
    card("@cf/dear", { price: { input: 5, cached: 5, output: 5 } }),
    card("@cf/cheap", { price: { input: 2, cached: 2, output: 2 } }),
    card("@cf/middle", { price: { input: 3, cached: 3, output: 3 } }),
    card("@cf/tiny", { contextWindow: 4_096, price: { input: 0, cached: 0, output: 0 } }),
  ];
  const choice = chosen(cards, { contextTokens: 41_200 });
  expect(choice.card.id).toBe("@cf/cheap");
  expect(choice.reason).toBe(
    "@cf/default has a window of 24,000 tokens, 41,200 are needed; cheapest of 3 that can serve",
  );
  expect(choice.others.map(({ id }) => id)).toEqual(["@cf/middle", "@cf/dear", "@cf/tiny", DEFAULT]);
});

test("what nobody told is tried after what is sure", () => {
  const cards = [
    card(DEFAULT, { tools: false }),
    card("@cf/maybe", { tools: null }),
    card("@cf/sure", { latency: "slow" }),
  ];
  expect(chosen(cards, { tools: true, latency: "fast" }).card.id).toBe("@cf/sure");
  expect(chosen(cards.slice(0, 2), { tools: true })).toMatchObject({
    card: { id: "@cf/maybe" },
    reason: "@cf/default takes no tools; the only other that can serve",
  });
});

test("a default that is on no list may serve anything", () => {
  expect(chosen([], { tools: true, json: true })).toMatchObject({ card: { id: DEFAULT }, reason: "default" });
});

test("a ceiling counts the dearest case, and an unknown price may be within it", () => {
  const cards = [
    card(DEFAULT, { price: { input: 100, cached: 1, output: 100 } }),
    card("@cf/unpriced", { price: null }),
  ];
  expect(chosen(cards, { ceiling: 999_999 })).toMatchObject({
    card: { id: "@cf/unpriced" },
    reason: "@cf/default costs up to $1.00 a call, the ceiling is $0.999999; the only other that can serve",
  });
  expect(chosen(cards, { ceiling: 1_000_000 }).card.id).toBe(DEFAULT);
});

test("an adapter goes to its base, or to its family", () => {
  const cards = [
    card(DEFAULT),
    card("@cf/mistral/m-lora", { lora: true, family: "mistral" }),
    card("@cf/google/g-lora", { lora: true, family: "gemma" }),
  ];
  expect(chosen(cards, { lora: "gemma" }).card.id).toBe("@cf/google/g-lora");
  expect(chosen(cards, { lora: "@cf/mistral/m-lora" }).card.id).toBe("@cf/mistral/m-lora");
  expect(refusal(cards, { lora: "llama" })).toBe(
    "invalid_request: No model can serve this: the default one, @cf/default, takes no adapters, and is not what the adapter was made for (llama).",
  );
});

test("a language decides between models but leaves nobody without one", () => {
  const english = card(DEFAULT, { languages: ["en", "de"] });
  expect(chosen([english, card("@cf/zh", { languages: ["zh-Hans", "en"] })], { language: "zh" })).toMatchObject({
    card: { id: "@cf/zh" },
    reason: "@cf/default is not known for the language; the only other that can serve",
  });
  expect(chosen([english], { language: "zh" }).reason).toBe("default");
  expect(chosen([english, card("@cf/any")], { language: "de-AT" }).card.id).toBe(DEFAULT);
});

test("an engine that only quotes serves where quoting will do", () => {
  const cards = [card("@cf/writer", { price: null })];
  const quoting = card(DEFAULT, { extractive: true });
  expect(chosen([quoting, ...cards]).card.id).toBe(DEFAULT);
  expect(chosen([quoting, ...cards], { extractive: false }).card.id).toBe("@cf/writer");
});

test("a model that rests is replaced, or waited for where no other may stand in", () => {
  const cards = [card(DEFAULT), card("@cf/other")];
  const resting = sick({ [DEFAULT]: { brokenUntil: NOW + 12_000 } });
  expect(chosen(cards, {}, resting)).toMatchObject({
    card: { id: "@cf/other" },
    reason: "@cf/default rests for 12 s; the only other that can serve",
  });
  const asked = { asked: DEFAULT, fallback: false };
  expect(chosen(cards, {}, resting, asked)).toMatchObject({
    card: { id: DEFAULT },
    reason: "asked for; it rests for 12 s and no other may stand in",
    waitMs: 12_000,
  });
  const all = sick({ [DEFAULT]: { throttledUntil: NOW + 5_000 }, "@cf/other": { brokenUntil: NOW + 1_000 } });
  expect(chosen(cards, {}, all)).toMatchObject({ card: { id: DEFAULT }, waitMs: 5_000 });
});

test("a model that this run is done with does not come back", () => {
  const cards = [card(DEFAULT), card("@cf/other")];
  const failed = sick({ [DEFAULT]: { excluded: true } });
  expect(chosen(cards, {}, failed, { asked: DEFAULT })).toMatchObject({
    card: { id: "@cf/other" },
    reason: "@cf/default failed in this run; the only other that can serve",
  });
  const alone = "model_unavailable: The model @cf/default failed, and no other may stand in.";
  expect(refusal(cards, {}, failed, { fallback: false })).toBe(alone);
  expect(refusal(cards, {}, failed, { allowed: [DEFAULT] })).toBe(alone);
});

test("a model that failed is said to have failed, whatever it lacks besides", () => {
  const cards = [card(DEFAULT, { tools: false }), card("@cf/bare", { tools: false }), card("@cf/other")];
  const failed = sick({ [DEFAULT]: { excluded: true }, "@cf/bare": { excluded: true } });
  expect(chosen(cards, { tools: true }, failed)).toMatchObject({
    reason: "@cf/default failed in this run; the only other that can serve",
    others: [
      { id: "@cf/bare", why: "failed in this run" },
      { id: DEFAULT, why: "failed in this run" },
    ],
  });
});

test("a model past its end serves after the others", () => {
  const ended = card("@cf/a", { endsAt: "2026-05-30" });
  expect(chosen([card(DEFAULT, { tools: false }), ended, card("@cf/b")], { tools: true }).card.id).toBe("@cf/b");
});

test("soon enough is enough: beyond it the price decides", () => {
  const cards = [
    card(DEFAULT, { tools: false }),
    card("@cf/fast", { latency: "fast", price: { input: 9, cached: 9, output: 9 } }),
    card("@cf/standard"),
    card("@cf/slow", { latency: "slow", price: { input: 0, cached: 0, output: 0 } }),
  ];
  const pick = (latency: Needs["latency"]): string => chosen(cards, { tools: true, latency }).card.id;
  expect([pick("fast"), pick("standard"), pick("slow"), pick(null)]).toEqual([
    "@cf/fast",
    "@cf/standard",
    "@cf/slow",
    "@cf/slow",
  ]);
});

const fact = option(boolean(), { nil: null });
const factsOfCard = record({
  contextWindow: option(constantFrom(4_096, 24_000, 131_072), { nil: null }),
  tools: fact,
  lora: fact,
  json: fact,
  extractive: boolean(),
  languages: option(shuffledSubarray(["en", "zh", "ko"]), { nil: null }),
  latency: constantFrom("fast" as const, "standard" as const, "slow" as const),
  endsAt: constantFrom(null, "2020-01-01", "2090-01-01"),
  price: option(
    integer({ min: 0, max: 50 }).map((amount) => ({ input: amount, cached: amount, output: amount })),
    { nil: null },
  ),
  family: constantFrom("llama" as const, "qwen" as const),
});
const NAMES = ["@cf/a", "@cf/b", "ollama/c", DEFAULT, "openai/e"];
const scene = record({
  cards: array(factsOfCard, { minLength: 1, maxLength: 5 }).map((facts) =>
    facts.map((known, index): ModelCard => ({ ...unknownCard(NAMES[index] ?? "x"), ...known })),
  ),
  needs: record({
    contextTokens: constantFrom(2_000, 20_000, 90_000),
    answerTokens: constant(1_000),
    tools: boolean(),
    json: boolean(),
    lora: constantFrom(null, "llama", "qwen"),
    language: constantFrom(null, "zh", "en"),
    ceiling: constantFrom(null, 0, 100_000),
    latency: constantFrom(null, "fast" as const, "standard" as const),
    extractive: boolean(),
  }),
  health: array(
    record({
      brokenUntil: constantFrom(0, NOW - 1, NOW + 5_000),
      throttledUntil: constantFrom(0, NOW + 900),
      excluded: boolean(),
    }),
    { minLength: 5, maxLength: 5 },
  ).map((all): Health => ({ now: NOW, models: new Map(all.map((one, index) => [NAMES[index] ?? "x", one])) })),
  preferred: record({
    asked: constantFrom(null, ...NAMES),
    allowed: option(shuffledSubarray(NAMES), { nil: null }),
    fallback: boolean(),
  }).map((some): Preferred => ({ standard: DEFAULT, ...some })),
});

/** The needs written once more, as plainly as can be. */
function surelyLacks(known: ModelCard, needs: Needs): boolean {
  const cost = mostItCanCost(known, needs.contextTokens - needs.answerTokens, needs.answerTokens).microdollars;
  return (
    (known.contextWindow !== null && known.contextWindow < needs.contextTokens) ||
    (needs.tools && known.tools === false) ||
    (needs.json && known.json === false) ||
    (needs.lora !== null && (known.lora === false || known.family !== needs.lora)) ||
    (needs.ceiling !== null && known.price !== null && cost > needs.ceiling) ||
    (known.extractive && !needs.extractive)
  );
}

test("in any scene: able, allowed, not given up, the same in any order, and what was asked for is respected", () => {
  assert(
    property(scene, ({ cards, needs, health, preferred }) => {
      const result = route(cards, needs, health, preferred);
      expect(route(cards.toReversed(), needs, health, preferred)).toEqual(result);
      const known = (id: string): ModelCard => cards.find((one) => one.id === id) ?? unknownCard(id);
      const able = (id: string): boolean => !surelyLacks(known(id), needs) && health.models.get(id)?.excluded !== true;
      const first = preferred.asked ?? preferred.standard;
      const allowed = preferred.allowed ?? cards.map(({ id }) => id);
      if (!result.ok) {
        // It refuses only when nobody that it may choose can serve.
        const others =
          preferred.asked === null ? surelyLacks(known(first), needs) || preferred.fallback : preferred.fallback;
        const mayChoose = others && (preferred.asked === null || !surelyLacks(known(first), needs));
        expect(able(first) || (mayChoose && allowed.some((id) => able(id)))).toBe(false);
        return;
      }
      const { id } = result.value.card;
      expect(able(id)).toBe(true);
      expect(id === first || allowed.includes(id)).toBe(true);
      expect(result.value.others.map((other) => other.id)).not.toContain(id);
      const rests =
        Math.max(
          ...[...health.models]
            .filter(([name]) => name === first)
            .map(([, one]) => Math.max(one.brokenUntil, one.throttledUntil) - NOW),
          0,
        ) > 0;
      if (preferred.asked !== null && able(first) && (!rests || !preferred.fallback)) expect(id).toBe(first);
    }),
    { numRuns: 2_000 },
  );
});
