/**
 * Ablations: what held-out recall loses when one part of the page score is taken out and the rest fitted again.
 *
 * Use `ablationRows(name, cases, questions, features)`. Both directions of fitting on one half and measuring on the other.
 */
import { row, type Row } from "#bench/report.ts";
import type { MemoryCase } from "#bench/search-data.ts";
import { choose, foldWeights, halves, meanRecall, UNTAUGHT, type MeasuredQuestion } from "#bench/search-examples.ts";
import type { FeatureName } from "#kernel/vm/search/feature-names.ts";

/** Parts by what they add to the plain words of a page. */
const PARTS: Readonly<Record<string, readonly FeatureName[]>> = {
  "latent space": ["latent"],
  "kind notes": ["kind"],
  "neighbours (1, 2 and 4)": ["near1", "near2", "window4", "speakerNear1"],
  "session best and crowd": ["best", "top3"],
  "related words": ["mates"],
  "like spellings": ["spelling"],
  coverage: ["coverage"],
  "answer after question": ["answer"],
  "speaker or role": ["speaker", "speakerNear1", "user", "asked"],
  dates: ["date"],
  "time words for when": ["when"],
  "names for where and who": ["where"],
  length: ["lengthShort", "lengthLong"],
  "form (question, you, reaction, edge)": ["question", "address", "reaction", "edge"],
};

function heldOut(
  questions: readonly MeasuredQuestion[],
  cases: readonly MemoryCase[],
  features: readonly FeatureName[],
  category: string | null,
): [all: number, some: number] {
  const examples = choose(questions, features).filter((one) => !UNTAUGHT.includes(one.category));
  const weights = foldWeights(examples, halves(cases));
  const some = examples.filter((one) => one.category === category);
  return [meanRecall(examples, weights, 10), meanRecall(some, weights, 10)];
}

export function ablationRows(
  name: string,
  cases: readonly MemoryCase[],
  questions: readonly MeasuredQuestion[],
  features: readonly FeatureName[],
  category: string | null,
): Row[] {
  const [all, some] = heldOut(questions, cases, features, category);
  return Object.entries(PARTS).flatMap(([part, without]) => {
    const rest = features.filter((feature) => !without.includes(feature));
    if (rest.length === features.length) return [];
    const [restAll, restSome] = heldOut(questions, cases, rest, category);
    const rows = [row(`${name} held out R@10 without ${part}`, restAll - all, "points")];
    return category === null
      ? rows
      : [...rows, row(`${name} ${category} held out R@10 without ${part}`, restSome - some, "points")];
  });
}
