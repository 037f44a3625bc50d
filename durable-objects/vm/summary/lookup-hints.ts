/**
 * Lookup hints: where to find what in a stretch of conversation: `p3..p9: sister, Ana, Porto`.
 *
 * Messages and the hints of an earlier summary become stretches in order; the smallest neighbours are joined until as many are
 * left as the budget can describe, and each names the topics that tell it from the others. Pure and deterministic.
 */
import { tokenize, isStopWord } from "#shared/text/words.ts";
import { COMMON_WORDS } from "#kernel/vm/search/common-words.ts";
import type { KeyItem } from "#kernel/vm/summary/key-items.ts";
import { HINTS_HEADING, type SummaryHint, writeHint } from "#kernel/vm/summary/summary-format.ts";
import { textCost } from "#kernel/vm/context/text-cost.ts";

/** A stretch of the conversation: one message, an earlier hint, or several of them joined. */
export interface Stretch {
  readonly from: string;
  readonly to: string;
  /** Topic as it is written → how much it stands for the stretch. */
  readonly topics: ReadonlyMap<string, number>;
}

/** Cost (quarter tokens) that a hint of a few topics takes: decides how many stretches there are. */
const HINT_COST = 100;
const TOPICS_PER_HINT = 12;
const TOPIC_CHARACTERS = 40;
const TOPICS_PER_STRETCH = 60;

const HANDLE = /^p[0-9a-z]{1,13}$/;

function isTopic(text: string): boolean {
  return text.length >= 2 && text.length <= TOPIC_CHARACTERS && !/[,\n]/.test(text);
}

/** The topics of one message: its names and identifiers, and the words it is about. */
export function stretchOf(handle: string | null, text: string, items: readonly KeyItem[]): Stretch | null {
  if (handle === null || !HANDLE.test(handle)) return null;
  const topics = new Map<string, number>();
  const named = new Set<string>();
  for (const item of items) {
    if (item.kind === "number" || !isTopic(item.text)) continue;
    topics.set(item.text, item.kind === "date" ? 2 : 3);
    for (const word of tokenize(item.text)) named.add(word);
  }
  for (const word of tokenize(text)) {
    if (word.length < 2 || (/^[a-z0-9]/.test(word) && word.length < 5) || !isTopic(word)) continue;
    if (named.has(word) || isStopWord(word) || COMMON_WORDS.has(word) || /^\d+$/.test(word)) continue;
    topics.set(word, (topics.get(word) ?? 0) + 1);
    if (topics.size >= TOPICS_PER_STRETCH) break;
  }
  return { from: handle, to: handle, topics };
}

export function stretchOfHint(hint: SummaryHint): Stretch {
  return { from: hint.from, to: hint.to, topics: new Map(hint.topics.filter(isTopic).map((topic) => [topic, 4])) };
}

function size(stretch: Stretch): number {
  const pages = Number.parseInt(stretch.to.slice(1), 36) - Number.parseInt(stretch.from.slice(1), 36) + 1;
  return Number.isFinite(pages) && pages > 0 ? pages : 1;
}

function join(one: Stretch, other: Stretch): Stretch {
  const topics = new Map(one.topics);
  for (const [topic, weight] of other.topics) topics.set(topic, (topics.get(topic) ?? 0) + weight);
  return { from: one.from, to: other.to, topics };
}

/** Joins the neighbours that are smallest together until at most `most` stretches are left. */
function joinSmallest(stretches: Stretch[], most: number): Stretch[] {
  const left = [...stretches];
  while (left.length > most) {
    let best = 0;
    let bestSize = Infinity;
    for (let index = 0; index + 1 < left.length; index += 1) {
      const [one, other] = [left[index], left[index + 1]];
      const together = one === undefined || other === undefined ? Infinity : size(one) + size(other);
      if (together < bestSize) [best, bestSize] = [index, together];
    }
    const [one, other] = [left[best], left[best + 1]];
    if (one === undefined || other === undefined) break;
    left.splice(best, 2, join(one, other));
  }
  return left;
}

/** The topics of each stretch, best first: heavy ones that few other stretches have. */
function rankTopics(stretches: readonly Stretch[]): string[][] {
  const spread = new Map<string, number>();
  for (const { topics } of stretches)
    for (const topic of topics.keys()) spread.set(topic, (spread.get(topic) ?? 0) + 1);
  return stretches.map(({ topics }) =>
    [...topics]
      .map(([topic, weight]) => ({
        topic,
        // One pair of Chinese characters met once is as likely half a word as a word.
        score:
          (/^\p{Script=Han}{2}$/u.test(topic) && weight < 2 ? 0.3 : 1) *
          weight *
          Math.log(1 + stretches.length / (spread.get(topic) ?? 1)),
      }))
      .sort((one, other) => other.score - one.score || (one.topic < other.topic ? -1 : 1))
      .slice(0, TOPICS_PER_HINT)
      .map(({ topic }) => topic),
  );
}

/** Hints for these stretches whose lines, heading included, cost at most `budget` quarter tokens. */
export function lookupHints(stretches: readonly Stretch[], budget: number): SummaryHint[] {
  let left = budget - textCost(`${HINTS_HEADING}\n`);
  const most = Math.max(1, Math.floor(left / HINT_COST));
  if (left <= 0 || stretches.length === 0) return [];
  const joined = joinSmallest([...stretches], most);
  const ranked = rankTopics(joined);
  const chosen: string[][] = joined.map(() => []);
  for (let round = 0; round < TOPICS_PER_HINT; round += 1) {
    for (const [index, { from, to }] of joined.entries()) {
      const topic = ranked[index]?.[round];
      if (topic === undefined) continue;
      const price = textCost(round === 0 ? `- ${writeHint({ from, to, topics: [topic] })}\n` : `, ${topic}`);
      if (price > left || (round > 0 && chosen[index]?.length === 0)) continue;
      left -= price;
      chosen[index]?.push(topic);
    }
  }
  return joined
    .map(({ from, to }, index) => ({ from, to, topics: chosen[index] ?? [] }))
    .filter((hint) => hint.topics.length > 0);
}
