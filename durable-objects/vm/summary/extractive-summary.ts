/**
 * Extractive summary: what is left of evicted messages when there is no model to retell them, or not yet.
 *
 * `summariseExtractively` takes the summary before (any text) and the messages that leave now, and answers the next summary and
 * its lookup hints. Its text holds sentences, verbatim and in order, that carry the most identifiers, dates, numbers and names
 * for their length; then the items that no chosen sentence carries, by page; then the hints (`summary-format.ts`).
 *
 * What must hold: pure and deterministic; the text, hints included, is estimated at `budgetTokens` at the most; nothing is cut
 * inside a surrogate pair; it never throws, whatever the texts are.
 */
import { SUMMARY_TOKENS_MOST } from "#shared/limits.ts";
import { isStopWord, tokenize } from "#shared/text/words.ts";
import { COMMON_WORDS } from "#kernel/vm/search/common-words.ts";
import { keyItems, midSentenceNames, type KeyItem, type KeyItemKind } from "#kernel/vm/summary/key-items.ts";
import { lookupHints, stretchOf, stretchOfHint, type Stretch } from "#kernel/vm/summary/lookup-hints.ts";
import { splitSentences } from "#kernel/vm/summary/summary-sentences.ts";
import * as format from "#kernel/vm/summary/summary-format.ts";
import { textCost } from "#kernel/vm/context/text-cost.ts";

export interface EvictedMessage {
  readonly role: string;
  readonly content: string;
  /** Handle of the message's page, or null. */
  readonly handle: string | null;
  /** UTC milliseconds, or null. */
  readonly at: number | null;
}

export interface SummaryInput {
  /** The text of the summary before this one, or "". */
  readonly previous: string;
  readonly messages: readonly EvictedMessage[];
  readonly budgetTokens: number;
}

export interface ExtractiveSummary {
  readonly text: string;
  /** The lines of the text's "Lookup hints" part. */
  readonly hints: readonly string[];
}

/** Shares of the budget: hints, then sentences; the rest is for single items, and what they leave for more sentences. */
const HINT_SHARE = 0.2;
const SAID_SHARE = 0.4;

const WEIGHTS: Readonly<Record<KeyItemKind, number>> = { identifier: 3, date: 2, number: 2, name: 2 };
/** What a word adds that is no item, so that among equal sentences the telling one is kept. */
const WORD_WEIGHT = 0.15;
/** A person's own words count for more than an assistant's or a tool's. */
const OWN_WORDS = 1.5;

/** One sentence that may be kept. */
interface Unit {
  readonly line: number;
  readonly text: string;
  readonly cost: number;
  readonly items: readonly string[];
  readonly words: readonly string[];
  readonly factor: number;
}

/** Everything the choice is made from. */
interface Material {
  readonly labels: string[];
  readonly units: Unit[];
  /** Item → its kind, the line it was met in first, and how often it was met. */
  readonly items: Map<string, { readonly kind: KeyItemKind; readonly line: number; times: number }>;
  readonly stretches: Stretch[];
}

function dayOf(at: number | null): string {
  const date = at === null ? null : new Date(at);
  return date === null || Number.isNaN(date.getTime())
    ? ""
    : (/^\d{4}-\d{2}-\d{2}/.exec(date.toISOString())?.[0] ?? "");
}

function labelOf(message: EvictedMessage): string {
  const handle = message.handle !== null && /^p[0-9a-z]{1,13}$/.test(message.handle) ? message.handle : "";
  const role = /^(?:user|assistant|tool|system)$/.test(message.role) ? message.role : "";
  return [handle, role, dayOf(message.at)].filter((part) => part !== "").join(" ");
}

function noteItems(material: Material, items: readonly KeyItem[], line: number): void {
  for (const { text, kind } of items) {
    const known = material.items.get(text);
    if (known === undefined) material.items.set(text, { kind, line, times: 1 });
    else known.times += 1;
  }
}

function addLine(material: Material, label: string, text: string, known: ReadonlySet<string>): void {
  const line = material.labels.push(label) - 1;
  const factor = /(?:^| )(?:assistant|tool|system)(?: |$)/.test(label) ? 1 : OWN_WORDS;
  for (const sentence of splitSentences(text)) {
    const items = keyItems(sentence, known);
    noteItems(material, items, line);
    const words = [...new Set(tokenize(sentence))].filter((word) => !isStopWord(word) && !COMMON_WORDS.has(word));
    if (items.length + words.length === 0) continue;
    const cost = textCost(sentence) + 1;
    material.units.push({ line, text: sentence, cost, items: items.map((item) => item.text), words, factor });
  }
}

function gather(previous: format.SummaryParts, messages: readonly EvictedMessage[]): Material {
  const material: Material = { labels: [], units: [], items: new Map(), stretches: previous.hints.map(stretchOfHint) };
  const texts = [...previous.said.map((line) => line.text), ...messages.map((message) => message.content)];
  const known = midSentenceNames(texts);
  for (const { label, text } of previous.said) addLine(material, label, text, known);
  for (const { label, text } of previous.details) {
    const line = material.labels.push(label) - 1;
    const pieces = text.split("; ").filter((piece) => piece !== "");
    noteItems(
      material,
      pieces.map(
        (piece) =>
          keyItems(piece, new Set([piece])).find((item) => item.text === piece) ?? { kind: "name", text: piece },
      ),
      line,
    );
  }
  for (const message of messages) {
    addLine(material, labelOf(message), message.content, known);
    const stretch = stretchOf(message.handle, message.content, keyItems(message.content, known));
    if (stretch !== null) material.stretches.push(stretch);
  }
  return material;
}

function itemWeight(material: Material, text: string): number {
  const item = material.items.get(text);
  return item === undefined ? 0 : WEIGHTS[item.kind] * (1 + 0.3 * Math.log2(item.times));
}

/** Chosen sentences by line, with what they cover. */
class Choice {
  readonly units = new Set<Unit>();
  readonly lines = new Set<number>();
  readonly covered = new Set<string>();
  readonly material: Material;

  constructor(material: Material) {
    this.material = material;
  }

  cost(unit: Unit): number {
    const label = this.material.labels[unit.line] ?? "";
    return unit.cost + (this.lines.has(unit.line) ? 0 : textCost(format.writeLine({ label, text: "" })));
  }

  gain(unit: Unit): number {
    let gain = 0;
    for (const item of unit.items) if (!this.covered.has(item)) gain += itemWeight(this.material, item);
    for (const word of unit.words) if (!this.covered.has(`word ${word}`)) gain += WORD_WEIGHT;
    return gain * unit.factor;
  }

  take(unit: Unit): void {
    this.units.add(unit);
    this.lines.add(unit.line);
    for (const item of unit.items) this.covered.add(item);
    for (const word of unit.words) this.covered.add(`word ${word}`);
  }
}

/**
 * Takes sentences while they fit, the most gain for its cost first; answers the cost left. A gain only ever shrinks, so the
 * best of a list sorted by old gains is the best when its own, counted again, is not below the next one's old.
 */
function takeSentences(choice: Choice, budget: number): number {
  let left = budget;
  const queue = choice.material.units
    .map((unit, order) => ({ unit, order, ratio: choice.units.has(unit) ? 0 : choice.gain(unit) / unit.cost }))
    .sort((one, other) => one.ratio - other.ratio || other.order - one.order);
  for (let best = queue.pop(); best !== undefined; best = queue.pop()) {
    const { unit, order } = best;
    const cost = choice.cost(unit);
    if (best.ratio <= 0) break;
    if (cost > left) continue;
    const ratio = choice.gain(unit) / cost;
    const next = queue.at(-1);
    if (next !== undefined && ratio < next.ratio) {
      if (ratio > 0) insertByRatio(queue, { unit, order, ratio });
      continue;
    }
    if (ratio <= 0) continue;
    choice.take(unit);
    left -= cost;
  }
  return left;
}

function insertByRatio<Entry extends { readonly ratio: number }>(queue: Entry[], entry: Entry): void {
  let low = 0;
  let high = queue.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((queue[middle]?.ratio ?? 0) < entry.ratio) low = middle + 1;
    else high = middle;
  }
  queue.splice(low, 0, entry);
}

/** Items that nothing covers, by line, the most weight for its cost first; answers them and the cost left. */
function takeDetails(
  choice: Choice,
  budget: number,
): { readonly details: Map<number, string[]>; readonly left: number } {
  const { material, covered } = choice;
  const taken = new Map<number, Set<string>>();
  let left = budget - textCost(`${format.DETAILS_HEADING}\n`);
  const open = [...material.items]
    .filter(([text]) => !covered.has(text))
    .map(([text, { line }], order) => ({ text, line, order, ratio: itemWeight(material, text) / (textCost(text) + 6) }))
    .sort((one, other) => other.ratio - one.ratio || one.order - other.order);
  for (const { text, line } of open) {
    const label = material.labels[line] ?? "";
    const inLine = taken.get(line);
    const cost = textCost(inLine === undefined ? `${format.writeLine({ label, text })}\n` : `; ${text}`);
    if (cost > left || text.includes("; ") || text.includes("\n")) continue;
    left -= cost;
    taken.set(line, (inLine ?? new Set<string>()).add(text));
    covered.add(text);
  }
  if (taken.size === 0) return { details: new Map(), left: budget };
  const inOrder = new Map<number, string[]>();
  for (const [text, { line }] of material.items) {
    if (taken.get(line)?.has(text) === true) inOrder.set(line, [...(inOrder.get(line) ?? []), text]);
  }
  return { details: inOrder, left };
}

function linesOf(
  material: Material,
  texts: ReadonlyMap<number, readonly string[]>,
  glue: string,
): format.SummaryLine[] {
  return [...texts]
    .sort(([one], [other]) => one - other)
    .map(([line, pieces]) => ({ label: material.labels[line] ?? "", text: pieces.join(glue) }));
}

/** Sentences, single items and hints that together cost `budget` quarter tokens at the most. */
function compose(material: Material, budget: number): format.SummaryParts {
  const hints = lookupHints(material.stretches, budget * HINT_SHARE);
  const choice = new Choice(material);
  for (const { topics } of hints) for (const topic of topics) choice.covered.add(topic);
  const spent = costOf({ said: [], details: [], hints });
  const forSentences = Math.min(budget * SAID_SHARE, budget - spent);
  const unsaid = takeSentences(choice, forSentences);
  const { details, left } = takeDetails(choice, budget - spent - forSentences + unsaid);
  takeSentences(choice, left);
  const draft = (): format.SummaryParts => ({
    said: linesOf(material, sentencesOf(choice), " "),
    details: linesOf(material, details, "; "),
    hints,
  });
  dropSaid(choice, details);
  takeSentences(choice, budget - costOf(draft()));
  dropSaid(choice, details);
  return draft();
}

function costOf(parts: format.SummaryParts): number {
  const text = format.writeSummary(parts);
  return text === "" ? 0 : textCost(text) + 1;
}

function sentencesOf(choice: Choice): Map<number, string[]> {
  const sentences = new Map<number, string[]>();
  for (const unit of choice.material.units) {
    if (choice.units.has(unit)) sentences.set(unit.line, [...(sentences.get(unit.line) ?? []), unit.text]);
  }
  return sentences;
}

/** Takes out the single items that a sentence chosen later carries. */
function dropSaid(choice: Choice, details: Map<number, string[]>): void {
  const said = new Set([...choice.units].flatMap((unit) => unit.items));
  for (const [line, items] of details) {
    const open = items.filter((item) => !said.has(item));
    if (open.length > 0) details.set(line, open);
    else details.delete(line);
  }
}

export function summariseExtractively(input: SummaryInput): ExtractiveSummary {
  const whole = Number.isFinite(input.budgetTokens) ? Math.floor(input.budgetTokens) : 0;
  const budget = 4 * Math.max(0, Math.min(SUMMARY_TOKENS_MOST, whole));
  const previous = format.parseSummary(input.previous.toWellFormed());
  const messages = input.messages.map((message) => ({ ...message, content: message.content.toWellFormed() }));
  const known = messages.length === 0 && costOf(previous) <= budget + 1;
  const parts = known ? previous : compose(gather(previous, messages), budget);
  return { text: format.writeSummary(parts), hints: parts.hints.map(format.writeHint) };
}
