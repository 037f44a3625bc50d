/**
 * The official LoCoMo answer score: stemmed token F1 between a predicted and a gold answer.
 *
 * Use: `locomoScore(category, prediction, gold)` gives 0 to 1 for one question; strip citations from the prediction first with
 * `stripCitations`.
 *
 * What must hold (snap-research/LoCoMo, task_eval/evaluation.py): lower case, commas and punctuation removed, the words
 * a/an/the/and removed, Porter stems, F1 over the multiset of tokens. Category 1 splits gold and prediction at commas and takes
 * for each gold part its best F1, averaged. Category 3 keeps the gold before the first `;`. Category 5 is right when the
 * prediction abstains.
 */
import { stem as porterStem } from "#shared/text/porter.ts";
import type { LocomoCategory } from "#bench/locomo-data.ts";

export function stripCitations(answer: string): string {
  return answer
    .replace(/\s*\[p[0-9a-z]+\]/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** Did the answer say that nothing supports one? The official phrases, and ours. */
export function abstained(answer: string): boolean {
  return /^i don[’']t know\b|^我不知道|no information available|not mentioned/i.test(answer.trim());
}

export function answerTokens(answer: string): string[] {
  return answer
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, "")
    .split(/\s+/)
    .filter((word) => word !== "" && !/^(?:a|an|the|and)$/.test(word))
    .map((word) => porterStem(word));
}

export function tokenF1(prediction: string, gold: string): number {
  const predicted = answerTokens(prediction);
  const wanted = answerTokens(gold);
  const left = new Map<string, number>();
  for (const token of predicted) left.set(token, (left.get(token) ?? 0) + 1);
  let common = 0;
  for (const token of wanted) {
    const count = left.get(token) ?? 0;
    if (count > 0) {
      common += 1;
      left.set(token, count - 1);
    }
  }
  if (common === 0) return 0;
  const precision = common / predicted.length;
  const recall = common / wanted.length;
  return (2 * precision * recall) / (precision + recall);
}

/** For each comma-separated part of the gold answer its best match among the parts of the prediction, averaged. */
export function listF1(prediction: string, gold: string): number {
  const predicted = prediction.split(",").map((part) => part.trim());
  const wanted = gold.split(",").map((part) => part.trim());
  const best = wanted.map((part) => Math.max(...predicted.map((candidate) => tokenF1(candidate, part))));
  return best.reduce((sum, value) => sum + value, 0) / best.length;
}

export function locomoScore(category: LocomoCategory, prediction: string, gold: string | null): number {
  if (category === 5) return abstained(prediction) ? 1 : 0;
  const answer = gold ?? "";
  if (category === 1) return listF1(prediction, answer);
  return tokenF1(prediction, category === 3 ? (answer.split(";")[0] ?? "").trim() : answer);
}
