/**
 * The search figure for questions that ask for a walk along time: in what order, summarise how.
 *
 * Use `walkRows(cases)`. Measured: of the pages labelled as evidence, the share that has a line in the list that `enumerate` makes
 * within WALK_TOKENS; a line has the page's handle, day, speaker and up to ENUMERATED_WORDS_TOKENS of its words.
 * What must hold: every page of a chat may be listed, the assistant's too; whether the words of a line suffice for an answer is
 * not measured.
 */
import { mean, row, type Row } from "#bench/report.ts";
import { indexOf, type MemoryCase } from "#bench/search-data.ts";
import { WALK_TOKENS } from "#shared/limits.ts";
import { estimateTokens } from "#shared/tokens.ts";
import { enumerate, fitLines, readEnumeration, walkLine } from "#kernel/vm/search/enumerate.ts";

const WALKS = ["event_ordering", "summarization"];

interface Walk {
  readonly category: string;
  readonly share: number;
  readonly lines: number;
  readonly recognised: boolean;
}

function walksOf(one: MemoryCase): Walk[] {
  const index = indexOf(one.pages);
  return one.questions
    .filter(({ category }) => WALKS.includes(category))
    .map(({ text, category, evidence }) => {
      const found = enumerate(index, text, {}) ?? [];
      const lines = found.flatMap((number) => {
        const page = one.pages[number];
        if (page === undefined) return [];
        const line = walkLine({ ...page, number }, text);
        return [{ number, at: page.at, tokens: estimateTokens(line) + 1 }];
      });
      const listed = new Set(fitLines(lines, WALK_TOKENS).map(({ number }) => number));
      const share = (100 * evidence.filter((page) => listed.has(page)).length) / evidence.length;
      return { category, share, lines: listed.size, recognised: readEnumeration(text) !== null };
    });
}

export function walkRows(cases: readonly MemoryCase[]): Row[] {
  const walks = cases.flatMap(walksOf);
  const others = cases.flatMap((one) => one.questions.filter(({ category }) => !WALKS.includes(category)));
  const mistaken = others.filter(({ text }) => readEnumeration(text) !== null).length;
  return [
    ...WALKS.flatMap((category) => {
      const some = walks.filter((walk) => walk.category === category);
      const share = (of: (walk: Walk) => number): number => mean(some.map(of));
      return [
        row(
          `BEAM 128K ${category} evidence with a line in the list`,
          share((walk) => walk.share),
          "%",
          { aim: 50 },
        ),
        row(
          `BEAM 128K ${category} lines in the list`,
          share((walk) => walk.lines),
          "lines",
        ),
        row(
          `BEAM 128K ${category} questions recognised`,
          share((walk) => (walk.recognised ? 100 : 0)),
          "%",
        ),
      ];
    }),
    row("BEAM 128K other questions taken for a walk", (100 * mistaken) / Math.max(1, others.length), "%"),
  ];
}
