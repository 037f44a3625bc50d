/**
 * Compaction: how much of what was evicted is still in the summary, by string match, without any model.
 *
 * Every conversation is evicted in batches of `BATCH_TOKENS`, each batch compacted together with the summary before it into the
 * same budget; after the last batch the text is compared with everything that was evicted. Measured by the reader of items below,
 * which is not the one that production uses. Baselines keep the first or the last sentences that fit, or those of the last batch first.
 *
 *     npm run bench -- compaction
 */
import { join } from "node:path";
import { readConversation } from "#bench/locomo-data.ts";
import { beamCases, dataFolder, locomoCases, type MemoryCase } from "#bench/search-data.ts";
import { mean, row, writeReport, type Row } from "#bench/report.ts";
import { summariseExtractively, type EvictedMessage } from "#kernel/vm/summary/extractive-summary.ts";
import { splitSentences } from "#kernel/vm/summary/summary-sentences.ts";
import { analyze, isStopWord } from "#shared/text/words.ts";
import { estimateTokens } from "#shared/tokens.ts";

const BATCH_TOKENS = 4_000;
const BATCHES = [1, 4];
const BUDGETS = [400, 800, 1_600];

type Items = Readonly<Record<"identifiers" | "numbers" | "names", ReadonlySet<string>>>;

const MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December";
const NOT_NAMES = new Set(
  `The This That These Those There Here My Your Our Their His Her Its It I You We They He She What When Where Who Why How Which
  And But Or So If Then Thanks Thank Hey Hi Hello Yes Yeah No Oh Ok Okay Well Great Sure Wow Sounds Looks Just Also Please
  Can Could Would Should Will Do Does Did Is Are Was Were Have Has Had Let Lets For From With Without In On At To As By After
  Before While Since Because Although However Add Use Make Create Ensure Consider Set Get Not Now Here's It's I'm I've I'd I'll
  That's Let's You're We're What's Don't`.split(/\s+/),
);

/** Distinct strings of a text that a reader would ask for again; a deliberately plain reading. */
function itemsOf(text: string): Items {
  const all = (pattern: RegExp): Set<string> => new Set([...text.matchAll(pattern)].map((match) => match[0]));
  const identifiers = all(
    /https?:\/\/[^\s<>"'`)\]]*[^\s<>"'`)\].,;:!?*]|[\w.+-]+@[\w-]+\.[\w.-]*\w|\b[\w-]+\.(?:py|js|ts|html|css|json|md|txt|csv|pdf|sql|yml|yaml|docx|png|sh)\b|\b(?=\w*\d)(?=\w*[A-Za-z])[A-Za-z][\w]*(?:-\w+)*\b|\b[a-z]+(?:_[a-z0-9]+)+\b|#\d+/g,
  );
  const numbers = new Set([
    ...all(/[$€£]?\b\d+(?:[.,:]\d+)*%?/g),
    ...all(new RegExp(`\\b(?:${MONTHS}) \\d{1,2}\\b|\\b\\d{1,2}(?:st|nd|rd|th)? (?:${MONTHS})\\b`, "g")),
  ]);
  const names = new Set<string>();
  for (const match of text.matchAll(/(?<=[a-z,;] )[A-Z][a-z]+(?: [A-Z][a-z]+)*/g)) {
    const words = match[0].split(" ");
    while (words.length > 0 && NOT_NAMES.has(words[0] ?? "")) words.shift();
    if (words.length > 0) names.add(words.join(" "));
  }
  return { identifiers, numbers, names };
}

/** Whether `item` stands in `text` as itself, not inside a longer word or number. */
function stands(text: string, item: string): boolean {
  for (let at = text.indexOf(item); at >= 0; at = text.indexOf(item, at + 1)) {
    const before = text[at - 1] ?? " ";
    const after = text[at + item.length] ?? " ";
    const word = /[\p{L}\p{N}_]/u;
    if (!(word.test(before) && word.test(item[0] ?? "")) && !(word.test(after) && word.test(item.at(-1) ?? "")))
      return true;
  }
  return false;
}

function share(items: ReadonlySet<string>, text: string): number {
  return items.size === 0 ? 1 : [...items].filter((item) => stands(text, item)).length / items.size;
}

type Compactor = (previous: string, messages: readonly EvictedMessage[], budgetTokens: number) => string;

function sentencesThatFit(sentences: readonly string[], budgetTokens: number): string[] {
  const kept: string[] = [];
  let characters = 0;
  for (const sentence of sentences) {
    const cost = estimateTokens(sentence) * 4 + 1;
    if (characters + cost > budgetTokens * 4) break;
    characters += cost;
    kept.push(sentence);
  }
  return kept;
}

function textOf(previous: string, messages: readonly EvictedMessage[]): string {
  return [previous, ...messages.map((message) => message.content)].filter((text) => text !== "").join("\n");
}

const COMPACTORS: Readonly<Record<string, Compactor>> = {
  extractive: (previous, messages, budgetTokens) => summariseExtractively({ previous, messages, budgetTokens }).text,
  "first sentences": (previous, messages, budget) =>
    sentencesThatFit(splitSentences(textOf(previous, messages)), budget).join("\n"),
  "last sentences": (previous, messages, budget) =>
    sentencesThatFit(splitSentences(textOf(previous, messages)).reverse(), budget)
      .reverse()
      .join("\n"),
  "even sentences": (previous, messages, budget) => {
    const sentences = splitSentences(textOf(previous, messages));
    const step = Math.max(1, estimateTokens(sentences.join("\n")) / budget);
    return sentencesThatFit(
      sentences.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step)),
      budget,
    ).join("\n");
  },
};

function answersOf(one: MemoryCase): (string | null)[] {
  const number = Number(/^conversation-(\d+)$/.exec(one.name)?.[1] ?? "-1");
  return number < 0
    ? []
    : (readConversation(number, join(dataFolder(), "locomo"))?.questions ?? []).map((q) => q.answer);
}

function batchesOf(one: MemoryCase): EvictedMessage[][] {
  const batches: EvictedMessage[][] = [[]];
  let tokens = 0;
  for (const page of one.pages) {
    tokens += estimateTokens(page.text);
    batches.at(-1)?.push({
      role: page.role ?? "user",
      content: page.speaker === null ? page.text : `${page.speaker}: ${page.text}`,
      handle: `p${(page.page + 1).toString(36)}`,
      at: page.at,
    });
    if (tokens < BATCH_TOKENS) continue;
    batches.push([]);
    tokens = 0;
  }
  return batches.filter((batch) => batch.length > 0);
}

/**
 * Share of the words of the expected answers that stand in the summary, over the questions whose evidence was evicted: what a
 * model that sees only the summary could still say.
 */
function answerable(one: MemoryCase, answers: readonly (string | null)[], evicted: number, text: string): number {
  const standing = new Set(analyze(text));
  const shares = one.questions.flatMap((question, index) => {
    const answer = answers[index] ?? null;
    const words = [...new Set(analyze(answer ?? ""))].filter((word) => !isStopWord(word));
    const inside = question.evidence.length > 0 && question.evidence.every((page) => page >= 0 && page < evicted);
    if (!inside || words.length === 0 || question.category === "adversarial") return [];
    return [words.filter((word) => standing.has(word)).length / words.length];
  });
  return mean(shares);
}

interface Survival {
  answers: number;
  identifiers: number;
  numbers: number;
  names: number;
  all: number;
  milliseconds: number;
  over: number;
}

function measure(cases: readonly MemoryCase[], compactor: Compactor, batches: number, budget: number): Survival {
  const shares = cases.map((one) => {
    const evicted = batchesOf(one).slice(0, batches);
    let text = "";
    const started = performance.now();
    for (const batch of evicted) text = compactor(text, batch, budget);
    const milliseconds = (performance.now() - started) / evicted.length;
    const items = itemsOf(
      evicted
        .flat()
        .map((message) => message.content)
        .join("\n"),
    );
    const every = new Set([...items.identifiers, ...items.numbers, ...items.names]);
    return {
      identifiers: share(items.identifiers, text),
      numbers: share(items.numbers, text),
      names: share(items.names, text),
      all: share(every, text),
      milliseconds,
      answers: answerable(one, answersOf(one), evicted.flat().length, text),
      over: estimateTokens(text) > budget ? 1 : 0,
    };
  });
  const meanOf = (field: keyof Survival): number => mean(shares.map((one) => one[field]));
  return {
    identifiers: meanOf("identifiers"),
    numbers: meanOf("numbers"),
    names: meanOf("names"),
    all: meanOf("all"),
    milliseconds: meanOf("milliseconds"),
    answers: meanOf("answers"),
    over: meanOf("over"),
  };
}

export function run(): void {
  const sets = { LoCoMo: locomoCases(dataFolder()), "BEAM 100K": beamCases(dataFolder()) };
  const rows: Row[] = [];
  for (const [set, cases] of Object.entries(sets)) {
    if (cases.length === 0) {
      console.log(`${set}: no data in ${dataFolder()}; skipped`);
      continue;
    }
    for (const batches of BATCHES) {
      for (const budget of BUDGETS) {
        for (const [name, compactor] of Object.entries(COMPACTORS)) {
          const survival = measure(cases, compactor, batches, budget);
          const figure = `${set}, ${batches} × ${BATCH_TOKENS} tokens into ${budget}, ${name}`;
          for (const field of ["identifiers", "numbers", "names", "all"] as const) {
            rows.push(row(`${figure}: ${field}`, 100 * survival[field], "%"));
          }
          if (set === "LoCoMo") rows.push(row(`${figure}: answers`, 100 * survival.answers, "%"));
          if (survival.over > 0) throw new Error(`${figure} is over its budget`);
          if (name === "extractive") rows.push(row(`${figure}: per batch`, survival.milliseconds, "ms"));
        }
      }
    }
  }
  if (rows.length > 0) writeReport("compaction", rows);
}
