/**
 * Figure "standing": how much of what people said for always stands in the prompt when a question needs it.
 *
 * Use `node bench/standing.ts`, or with `--print` to read every recognised sentence. Each BEAM chat is imported message by
 * message, only what the user says; then the pins are rendered within PINNED_TOKENS by production's own functions
 * (`findStanding`, `admitStanding`, `choosePages`). A question's evidence message counts when a sentence of it, or one that it
 * was recognised to repeat, is in the pinned text. The same is shown for retrieval alone (production search, 10 pages), for
 * BM25 over the same messages, and for both together.
 * What must hold: the recogniser was fitted by reading the chats of one half only (`FITTED`); the other half is reported apart.
 * Nothing of the data is written anywhere but to the terminal, and only with `--print`.
 */
import { beamCases, dataFolder, indexOf, type MemoryCase } from "#bench/search-data.ts";
import { mean, row, writeReport, type Row } from "#bench/report.ts";
import { analyze, STOP_WORDS } from "#shared/text/words.ts";
import {
  choosePages,
  lineTokens,
  pageLine,
  PINNED_LINES_TOKENS,
  sum,
  type PinnedPage,
} from "#kernel/vm/pinned/pinned-lines.ts";
import { admitStanding, type KnownStanding } from "#kernel/vm/pinned/standing-pins.ts";
import { findStanding } from "#kernel/vm/pinned/standing.ts";

/** Chats whose sentences were read while the patterns were written. */
const FITTED: readonly string[] = ["beam-1", "beam-5", "beam-9", "beam-13", "beam-17"];
const CATEGORIES = ["instruction_following", "preference_following"] as const;
const PAGES = 10;

interface Pin extends KnownStanding, Omit<PinnedPage, keyof KnownStanding> {
  /** Messages that said it. */
  readonly from: number[];
  holds: boolean;
}

/** The pins of a chat after its user messages came in one by one. */
function pinsOf(one: MemoryCase): Pin[] {
  const pins: Pin[] = [];
  for (const page of one.pages) {
    if (page.role !== "user") continue;
    for (const { kind, text } of findStanding(page.text)) {
      const admission = admitStanding(text, page.at, pins);
      if (admission.kind === "known") pins.find((pin) => pin.id === admission.id)?.from.push(page.page);
      if (admission.kind !== "new") continue;
      for (const pin of pins) if (admission.replaces.includes(pin.id)) pin.holds = false;
      const number = pins.length + 1;
      pins.push({
        id: number,
        number,
        kind: "instruction",
        text,
        at: page.at,
        zoned: 0,
        tags: JSON.stringify([kind]),
        wanted: true,
        holds: true,
        from: [page.page],
      });
    }
  }
  return pins;
}

interface Outcome {
  readonly category: string;
  readonly pinned: number;
  readonly searched: number;
  readonly together: number;
  readonly bm25: number;
}

/** BM25 (k1 1.2, b 0.75) over stemmed words, without anything else: the baseline, computed beside. */
function bm25(one: MemoryCase, question: string): number[] {
  const texts = one.pages.map((page) => analyze(page.text));
  const average = mean(texts.map((words) => words.length));
  const terms = [...new Set(analyze(question))].filter((term) => !STOP_WORDS.has(term));
  const scores = texts.map(() => 0);
  for (const term of terms) {
    const counts = texts.map((words) => words.filter((word) => word === term).length);
    const holding = counts.filter((count) => count > 0).length;
    const idf = Math.log(1 + (texts.length - holding + 0.5) / (holding + 0.5));
    counts.forEach((count, page) => {
      const length = 0.25 + (0.75 * (texts[page]?.length ?? 0)) / average;
      scores[page] = (scores[page] ?? 0) + (idf * count * 2.2) / (count + 1.2 * length);
    });
  }
  return scores.map((_, page) => page).sort((left, right) => (scores[right] ?? 0) - (scores[left] ?? 0));
}

function outcomesOf(one: MemoryCase, pins: readonly Pin[]): Outcome[] {
  const held = pins.filter((pin) => pin.holds);
  const chosen = choosePages(held, PINNED_LINES_TOKENS);
  const pinned = new Set(held.flatMap((pin) => (chosen.has(pin.number) ? pin.from : [])));
  const index = indexOf(one.pages);
  return one.questions
    .filter(({ category }) => (CATEGORIES as readonly string[]).includes(category))
    .map(({ text, category, evidence }) => {
      const found = new Set(index.search({ text, limit: PAGES }).map((hit) => hit.page));
      const lexical = new Set(bm25(one, text).slice(0, PAGES));
      const share = (has: (page: number) => boolean): number => (100 * evidence.filter(has).length) / evidence.length;
      return {
        category,
        pinned: share((page) => pinned.has(page)),
        searched: share((page) => found.has(page)),
        together: share((page) => pinned.has(page) || found.has(page)),
        bm25: share((page) => lexical.has(page)),
      };
    });
}

/** Reference points of the research, over 64 chats: BM25 R@10. */
const BASELINES = { instruction_following: 7.5, preference_following: 25.6 } as const;

function rowsOf(group: string, outcomes: readonly Outcome[]): Row[] {
  const rows = CATEGORIES.flatMap((category) => {
    const some = outcomes.filter((outcome) => outcome.category === category);
    const name = `${group} ${category}`;
    return [
      row(`${name} pinned`, mean(some.map((outcome) => outcome.pinned)), "%", {
        baseline: BASELINES[category],
        aim: 90,
      }),
      row(`${name} pinned or found`, mean(some.map((outcome) => outcome.together)), "%", {
        baseline: BASELINES[category],
      }),
      row(`${name} found by search alone`, mean(some.map((outcome) => outcome.searched)), "%", {
        baseline: BASELINES[category],
      }),
      row(`${name} found by BM25 alone`, mean(some.map((outcome) => outcome.bm25)), "%", {
        baseline: BASELINES[category],
      }),
    ];
  });
  return [...rows, row(`${group} both pinned`, mean(outcomes.map((outcome) => outcome.pinned)), "%", { aim: 90 })];
}

export function run(args: readonly string[]): void {
  const cases = beamCases(dataFolder());
  if (cases.length === 0) {
    console.log("standing: BEAM data not found, skipped");
    return;
  }
  const measured = cases.map((one) => {
    const pins = pinsOf(one);
    if (args.includes("--print")) {
      console.log(`== ${one.name}${FITTED.includes(one.name) ? " (fitted)" : ""}`);
      for (const pin of pins) console.log(`${pin.holds ? " " : "x"} ${pin.tags} ${pin.text ?? ""}`);
    }
    return { one, pins, outcomes: outcomesOf(one, pins) };
  });
  const fitted = measured.filter(({ one }) => FITTED.includes(one.name));
  const other = measured.filter(({ one }) => !FITTED.includes(one.name));
  const outcomes = (some: typeof measured): Outcome[] => some.flatMap((entry) => entry.outcomes);
  const held = measured.map(({ pins }) => pins.filter((pin) => pin.holds));
  writeReport("standing", [
    ...rowsOf("fitted half:", outcomes(fitted)),
    ...rowsOf("other half:", outcomes(other)),
    row("pins of a chat, mean", mean(held.map((pins) => pins.length)), "pins"),
    row("pins of a chat, most", Math.max(...held.map((pins) => pins.length)), "pins"),
    row(
      "tokens of a chat's pins, most",
      Math.max(...held.map((pins) => sum(pins.map((pin) => lineTokens(pageLine(pin)))))),
      "tokens",
      { aim: PINNED_LINES_TOKENS, lowerIsBetter: true },
    ),
  ]);
}

if (import.meta.main) run(process.argv.slice(2));
