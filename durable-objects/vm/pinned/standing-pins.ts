/**
 * Standing pins: what a newly said instruction or preference does to the ones that are there. Pure.
 *
 * `admitStanding` compares it with every known one. One that says the same is known (and when a person took that out of the
 * prompts, it stays out); one that contradicts takes the older's place, by their dates. Production (`pin-standing.ts`) and the
 * benchmark (`bench/standing.ts`) decide by this one function.
 */
import { relateTopics, topicOf, type Topic } from "#kernel/vm/pinned/standing-topics.ts";

export interface KnownStanding {
  readonly id: number;
  readonly text: string;
  /** When it was said; null when unknown. */
  readonly at: number | null;
  /** False when a person took it out of the prompts. */
  readonly wanted: boolean;
  /** False when a newer one took its place. */
  readonly holds: boolean;
}

export type Admission =
  /** Said before: nothing new to pin. */
  | { readonly kind: "known"; readonly id: number }
  /** To be pinned, in the place of these. */
  | { readonly kind: "new"; readonly replaces: readonly number[] }
  /** Said earlier than what contradicts it: kept, not pinned. */
  | { readonly kind: "past"; readonly replacedBy: number };

export function admitStanding(
  text: string,
  at: number | null,
  known: readonly KnownStanding[],
  read: (text: string) => Topic = topicOf,
): Admission {
  const topic = read(text);
  const replaces: number[] = [];
  let newer: number | null = null;
  for (const one of known) {
    if (!one.holds && one.wanted) continue;
    const relation = relateTopics(topic, read(one.text));
    if (relation === "same") return { kind: "known", id: one.id };
    if (relation !== "contradicts" || !one.wanted) continue;
    if (at !== null && one.at !== null && one.at > at) newer = one.id;
    else replaces.push(one.id);
  }
  return newer === null ? { kind: "new", replaces } : { kind: "past", replacedBy: newer };
}
