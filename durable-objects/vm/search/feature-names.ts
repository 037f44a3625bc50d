/**
 * The features of a page score by name, and their places in a page's values.
 *
 * Use `PLACE.near2` to write a value, `FEATURES[place]` for its name. What a feature measures is worked out in
 * `search-features.ts`, what it weighs is in `search-weights.ts`.
 */

/** In three groups: those of `lexical-columns.ts`, the others that depend on the question, and those that do not. */
export const PLACE = {
  own: 0, // BM25 of the page alone
  near1: 1, // with neighbours at distance 1
  near2: 2, // and 2
  window4: 3, // plain sum of four pages either side
  coverage: 4, // share of the question's weight that the page itself holds
  mates: 5, // related words (clusters) in the page and its neighbours
  spelling: 6, // words spelt like an asked one (typing errors, derived words) in the page
  answer: 7, // own score of the page before, when that page asks a question
  speaker: 8, // said by the person named, or by the user when the question is about the asker
  speakerNear1: 9, // speaker × near1
  date: 10, // share of the asked date parts that hold for the page
  when: 11, // the question asks when, the page speaks of a time
  where: 12, // the question asks where or who, the page holds names
  best: 13, // best near2 in the session
  top3: 14, // mean of the session's three best near2
  asked: 15, // the question is about what the assistant said, and the assistant said the page
  kind: 16, // the page names one of the kind asked for (notes): weight of the rarest such kind
  latent: 17, // cosine of page and question in the latent space; 0 without a space
  lengthShort: 18, // ln(1 + min(words, 60))
  lengthLong: 19, // ln(max(words, 60) / 60)
  question: 20, // the page itself asks
  address: 21, // share of "you"
  reaction: 22, // opens with "Wow", "Thanks"
  edge: 23, // first or last two of its session
  user: 24, // said by the user
} as const;

export type FeatureName = keyof typeof PLACE;
export const FEATURES = Object.keys(PLACE) as readonly FeatureName[];
/** Features before this one are worked out by `lexical-columns.ts`. */
export const LEXICAL_PLACES = PLACE.answer;
/** Features before this one depend on the question. */
export const FIRST_STATIC = PLACE.lengthShort;
