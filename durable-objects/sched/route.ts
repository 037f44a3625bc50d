/**
 * Route: which model serves a run's next inference, by what the run needs. Pure.
 *
 *     const choice = route(kernel.models.cards(), needs, health, preferred);
 *
 * The model that was asked for serves, or the run fails with what it lacks. Without one the deployment's default serves when it
 * meets every need, else the best of the models that routing may choose by itself (`sched/routing.ts`). While the one so found
 * rests (an open breaker, a provider that asked to wait) or after it failed in this run, another may stand in where the deployment
 * says so. Of those that meet every need the best does not rest, surely meets them, is not past its end, answers as soon as wanted, is the
 * cheapest, and has the first name: the same input always gives the same choice.
 *
 * A fact that nobody told counts as "may" and ranks after "yes". Language bends: it is guessed from the instruction, so it decides
 * between models but leaves no run without one. When every model rests, the best is answered with the time to wait.
 */
import { dollars, mostItCanCost } from "#shared/cost.ts";
import { failure, type Failure } from "#shared/errors.ts";
import { ROUTE_OTHERS } from "#shared/limits.ts";
import { unknownCard, type ModelCard } from "#shared/models.ts";
import { failed, success, type Result } from "#shared/result.ts";

/** Seconds after which a model that failed may be tried by another run. */
const RETRY_AFTER_SECONDS = 5;

export interface Needs {
  /** Tokens of the prompt and of the answer together. */
  readonly contextTokens: number;
  /** Of these, the most that the answer may take. */
  readonly answerTokens: number;
  readonly tools: boolean;
  /** The base model, or the family, that an adapter was made for; null without one. */
  readonly lora: string | null;
  /** Whether the answer must meet a JSON schema by the model's own mode. */
  readonly json: boolean;
  /** BCP 47 language of the instruction, or null when it tells none (`shared/text/language.ts`). */
  readonly language: string | null;
  /** The most one call may cost, in microdollars; null without a ceiling. */
  readonly ceiling: number | null;
  /** How soon an answer is wanted; null for work that nobody waits for. */
  readonly latency: ModelCard["latency"] | null;
  /** Whether an engine that only quotes will do. */
  readonly extractive: boolean;
}

/** How a model fares. Times are milliseconds since 1970; 0 means never. */
export interface ModelHealth {
  /** Until when its breaker is open. */
  readonly brokenUntil: number;
  /** Until when its provider asked to wait. */
  readonly throttledUntil: number;
  /** This run is done with it. */
  readonly excluded: boolean;
}

export interface Health {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Of models that something is known of. */
  readonly models: ReadonlyMap<string, ModelHealth>;
}

export interface Preferred {
  /** The model that whoever made the run asked for, or null. */
  readonly asked: string | null;
  /** The deployment's default model. */
  readonly standard: string;
  /** Models that routing may choose by itself; null for any. */
  readonly allowed: readonly string[] | null;
  /** Whether another model may stand in for one that rests or failed. */
  readonly fallback: boolean;
}

export interface Choice {
  readonly card: ModelCard;
  /** One short sentence for the trace. */
  readonly reason: string;
  /** Milliseconds until the model is rested; 0 when it is. */
  readonly waitMs: number;
  /** The models that were not chosen, best first, each with why. */
  readonly others: readonly { readonly id: string; readonly why: string }[];
}

/** What a model is worth for these needs. */
interface Candidate {
  readonly card: ModelCard;
  /** What it surely lacks, each as the end of a sentence about it. */
  readonly lacks: readonly string[];
  readonly excluded: boolean;
  /** Known for other languages only. */
  readonly foreign: boolean;
  readonly waitMs: number;
  /** Facts that would have to be known to be sure that it can serve. */
  readonly unknown: number;
  readonly ended: boolean;
  /** Classes by which it answers later than wanted, then how it compares with others. */
  readonly lateness: number;
  /** The most a call costs in microdollars; null when its price is not known. */
  readonly cost: number | null;
  readonly ranks: readonly number[];
}

const SPEED: Readonly<Record<ModelCard["latency"], number>> = { fast: 0, standard: 1, slow: 2 };

export function route(cards: readonly ModelCard[], needs: Needs, health: Health, preferred: Preferred): Result<Choice> {
  const known = new Map(cards.map((card) => [card.id, card]));
  const weigh = (id: string): Candidate => weighed(known.get(id) ?? unknownCard(id), needs, health);
  const first = weigh(preferred.asked ?? preferred.standard);
  const ids = new Set(preferred.allowed ?? known.keys());
  ids.delete(first.card.id);
  const others = [...ids].map(weigh).toSorted(inOrder);
  const chosen = choose(first, others, preferred);
  if (chosen === null) return failed(unserved(first, preferred));
  const rest = [first, ...others].filter((candidate) => candidate !== chosen).toSorted(inOrder);
  return success({
    card: chosen.card,
    reason: reasonOf(chosen, first, others, preferred),
    waitMs: chosen.waitMs,
    others: rest
      .slice(0, ROUTE_OTHERS)
      .map((other) => ({ id: other.card.id, why: objection(other) ?? "ranks after it" })),
  });
}

function choose(first: Candidate, others: readonly Candidate[], preferred: Preferred): Candidate | null {
  const able = others.filter(serves);
  const best = able[0] ?? null;
  if (first.lacks.length > 0) return preferred.asked === null ? best : null;
  if (first.excluded) return preferred.fallback ? best : null;
  if (first.waitMs > 0 && preferred.fallback && best?.waitMs === 0) return best;
  const native = able.find((other) => !other.foreign && other.waitMs === 0);
  return first.foreign && preferred.asked === null && native !== undefined ? native : first;
}

function serves(candidate: Pick<Candidate, "lacks" | "excluded">): boolean {
  return candidate.lacks.length === 0 && !candidate.excluded;
}

function weighed(card: ModelCard, needs: Needs, { now, models }: Health): Candidate {
  const health = models.get(card.id);
  const cost =
    card.price === null
      ? null
      : mostItCanCost(card, needs.contextTokens - needs.answerTokens, needs.answerTokens).microdollars;
  const facts = factsOf(card, needs, cost);
  const wanted = needs.latency === null ? SPEED.slow : SPEED[needs.latency];
  const candidate = {
    card,
    lacks: facts.flatMap((fact) => (fact.meets === false ? fact.otherwise() : [])),
    excluded: health?.excluded ?? false,
    foreign: needs.language !== null && card.languages !== null && !speaks(card.languages, needs.language),
    waitMs: Math.max(0, (health?.brokenUntil ?? 0) - now, (health?.throttledUntil ?? 0) - now),
    unknown: facts.filter((fact) => fact.meets === null).length,
    ended: card.endsAt !== null && Date.parse(card.endsAt) <= now,
    lateness: Math.max(0, SPEED[card.latency] - wanted),
    cost,
  };
  return { ...candidate, ranks: ranksOf(candidate) };
}

interface Fact {
  /** Whether the need is met; null when nobody told. */
  readonly meets: boolean | null;
  readonly otherwise: () => string;
}

/** What is known of the needs that were stated. */
function factsOf(card: ModelCard, needs: Needs, cost: number | null): Fact[] {
  const { contextWindow: window } = card;
  const facts: Fact[] = [
    {
      meets: window === null ? null : window >= needs.contextTokens,
      otherwise: () => `has a window of ${thousands(window ?? 0)} tokens, ${thousands(needs.contextTokens)} are needed`,
    },
    { meets: needs.extractive || !card.extractive, otherwise: () => "only quotes" },
  ];
  if (needs.tools) facts.push({ meets: card.tools, otherwise: () => "takes no tools" });
  if (needs.json) facts.push({ meets: card.json, otherwise: () => "answers in no JSON schema" });
  if (needs.lora !== null) {
    facts.push({ meets: card.lora, otherwise: () => "takes no adapters" });
    const base = needs.lora === card.id || needs.lora === card.family;
    facts.push({ meets: base, otherwise: () => `is not what the adapter was made for (${needs.lora})` });
  }
  if (needs.ceiling !== null) {
    const { ceiling } = needs;
    const price = (): string => `costs up to ${dollars(cost ?? 0)} a call, the ceiling is ${dollars(ceiling)}`;
    facts.push({ meets: cost === null ? null : cost <= ceiling, otherwise: price });
  }
  return facts;
}

function speaks(languages: readonly string[], wanted: string): boolean {
  const subtag = primary(wanted);
  return languages.some((language) => primary(language) === subtag);
}

/** `zh` of `zh-Hant-TW`. */
function primary(language: string): string {
  return language.split("-", 1)[0]?.toLowerCase() ?? "";
}

/** Better candidates first. */
function inOrder(one: Candidate, other: Candidate): number {
  for (const [index, rank] of one.ranks.entries()) {
    const difference = rank - (other.ranks[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return one.card.id < other.card.id ? -1 : 1;
}

/** What candidates are compared by, the weightiest first; less is better. */
function ranksOf(candidate: Omit<Candidate, "ranks">): number[] {
  return [
    Number(!serves(candidate)),
    Number(candidate.waitMs > 0),
    Number(candidate.foreign),
    candidate.unknown,
    Number(candidate.ended),
    candidate.lateness,
    candidate.cost ?? Number.MAX_VALUE,
  ];
}

function reasonOf(chosen: Candidate, first: Candidate, others: readonly Candidate[], { asked }: Preferred): string {
  const because = asked === null ? "default" : "asked for";
  if (chosen === first)
    return chosen.waitMs === 0 ? because : `${because}; it ${objection(first)} and no other may stand in`;
  const why = `${first.card.id} ${objection(first) ?? "is not known for the language"}`;
  const able = others.filter(serves);
  if (able.length === 1) return `${why}; the only other that can serve`;
  const cheapest = chosen.cost !== null && able.every(({ cost }) => cost === null || cost >= (chosen.cost ?? 0));
  return `${why}; ${cheapest ? "cheapest" : "best"} of ${able.length} that can serve`;
}

/** Why not this one, as the end of a sentence about it; null when nothing speaks against it. */
function objection({ lacks, excluded, waitMs }: Candidate): string | null {
  if (excluded) return "failed in this run";
  if (lacks[0] !== undefined) return lacks[0];
  return waitMs > 0 ? `rests for ${Math.ceil(waitMs / 1_000)} s` : null;
}

function unserved(first: Candidate, { asked }: Preferred): Failure {
  const lacks = first.lacks.join(", and ");
  const name = `The model ${first.card.id}`;
  if (lacks === "")
    return failure("model_unavailable", `${name} failed, and no other may stand in.`, RETRY_AFTER_SECONDS);
  if (asked !== null) return failure("invalid_request", `${name} cannot serve this: it ${lacks}.`);
  return failure("invalid_request", `No model can serve this: the default one, ${first.card.id}, ${lacks}.`);
}

function thousands(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}
