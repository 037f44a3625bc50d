/**
 * The weights of the page score: one set for people talking to each other, one for a user talking to an assistant.
 *
 * Fitted by `lab/fit-search-weights.ts` (softmax regression over the pages of a conversation); measured by `bench/memory-search.ts`.
 * What must hold: a set is read as a whole, its weights are correlated; a feature that is not listed weighs 0. The two kinds need
 * different sets: each loses more than ten points of recall on the other's conversations.
 */
import type { FeatureName } from "#kernel/vm/feature-names.ts";

export type Weights = Readonly<Partial<Record<FeatureName, number>>>;

export const PEER_WEIGHTS: Weights = {
  own: 0.39,
  near1: -0.89,
  near2: 3.89,
  window4: 3.02,
  coverage: 1.42,
  mates: 4.81,
  spelling: 4.08,
  answer: 2.15,
  speaker: 2.26,
  speakerNear1: -0.08,
  date: 6.36,
  when: 1.63,
  where: 1.74,
  best: 2.24,
  top3: -0.31,
  lengthShort: 0.55,
  lengthLong: 0.69,
  question: -0.33,
  address: -1.29,
  reaction: -0.34,
  edge: 0.24,
};

export const ASSISTANT_WEIGHTS: Weights = {
  own: 3.71,
  near1: 0.18,
  near2: -0.37,
  window4: -0.15,
  coverage: 1.73,
  mates: 5.68,
  // Set by hand: the questions it was fitted on hold no typing errors, a person's do.
  spelling: 0.5,
  answer: -0.29,
  speaker: 0.09,
  speakerNear1: 1.53,
  date: 3.49,
  when: 0.49,
  where: 0.63,
  best: 0.89,
  top3: 1.42,
  lengthShort: -1.06,
  lengthLong: -0.44,
  question: -0.15,
  address: 0.59,
  reaction: -0.49,
  edge: -0.18,
  user: 1.11,
  asked: 1.1,
};
