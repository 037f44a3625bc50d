/**
 * The weights of the page score: for people talking to each other and for a user talking to an assistant, each with a latent
 * space and by words alone (a process that is young, or whose space is being learned anew, has none).
 *
 * Fitted by `lab/fit-search-weights.ts` (softmax regression over the pages of a conversation); measured by `bench/search.ts`.
 * What must hold: a set is read as a whole, its weights are correlated; a feature that is not listed weighs 0. The two kinds need
 * different sets: each loses more than ten points of recall on the other's conversations.
 */
import type { FeatureName } from "#kernel/vm/search/feature-names.ts";

export type Weights = Readonly<Partial<Record<FeatureName, number>>>;

export const PEER_WEIGHTS: Weights = {
  own: -0.84,
  near1: -1.07,
  near2: 2.4,
  window4: 2.17,
  coverage: 1.91,
  mates: 3.45,
  spelling: 3.51,
  answer: 1.92,
  speaker: 2.21,
  speakerNear1: -0.04,
  date: 6.16,
  when: 1.67,
  where: 1.71,
  best: 2.67,
  top3: -0.8,
  kind: 0.25,
  latent: 3.57,
  lengthShort: 0.42,
  lengthLong: 0.89,
  question: -0.39,
  address: -1.09,
  reaction: -0.3,
  edge: 0.32,
};

export const PEER_WORD_WEIGHTS: Weights = {
  own: 0.37,
  near1: -0.89,
  near2: 3.93,
  window4: 2.96,
  coverage: 1.29,
  mates: 3.89,
  spelling: 4.1,
  answer: 2.05,
  speaker: 2.25,
  speakerNear1: -0.12,
  date: 6.31,
  when: 1.63,
  where: 1.69,
  best: 2.28,
  top3: -0.37,
  kind: 0.27,
  lengthShort: 0.45,
  lengthLong: 0.57,
  question: -0.35,
  address: -1.16,
  reaction: -0.34,
  edge: 0.25,
};

/**
 * Set by hand: the questions that the assistant sets were fitted on hold no typing errors and ask for no kinds of things, a
 * person's do.
 */
const UNTAUGHT = { spelling: 0.5, kind: 0.15 };

export const ASSISTANT_WEIGHTS: Weights = {
  ...UNTAUGHT,
  own: 1.99,
  near1: -0.51,
  near2: -1.18,
  window4: -0.38,
  coverage: 1.84,
  mates: 5.27,
  answer: -0.2,
  speaker: 0.3,
  speakerNear1: 1.12,
  date: 3.18,
  when: 0.43,
  where: 0.5,
  best: 0.74,
  top3: 1.31,
  asked: 0.97,
  latent: 5.52,
  lengthShort: -0.97,
  lengthLong: -0.32,
  question: -0.17,
  address: 0.29,
  reaction: -0.5,
  edge: -0.3,
  user: 0.97,
};

export const ASSISTANT_WORD_WEIGHTS: Weights = {
  ...UNTAUGHT,
  own: 3.7,
  near1: 0.19,
  near2: -0.37,
  window4: -0.15,
  coverage: 1.73,
  mates: 5.64,
  answer: -0.3,
  speaker: 0.1,
  speakerNear1: 1.53,
  date: 3.49,
  when: 0.49,
  where: 0.64,
  best: 0.89,
  top3: 1.42,
  asked: 1.1,
  lengthShort: -1.06,
  lengthLong: -0.44,
  question: -0.15,
  address: 0.58,
  reaction: -0.49,
  edge: -0.19,
  user: 1.11,
};

/** Likeness of topic alone, for a walk along time; set by hand. */
export const TOPIC_WEIGHTS: Weights = { own: 1, near2: 1, coverage: 1, mates: 2 };
