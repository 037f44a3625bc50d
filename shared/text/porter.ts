/**
 * The Porter stemmer: folds the endings of an English word so that "painting", "painted" and "paints" index as one term.
 *
 * Use `stem(word)` on one lower-case word of the letters a to z; any other word comes back unchanged.
 * What must hold: it is pure and total, and it is part of the stored format. An index entry keeps stems, so a change here
 * needs the entries rebuilt.
 *
 * Source of the algorithm: M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980. Rules and step numbers
 * follow the paper, with its author's two later changes (`-bli` → `-ble`, `-logi` → `-log`).
 */

type Rule = readonly [suffix: string, replacement: string];

const PLAIN_WORD = /^[a-z]+$/;

const STEP_2: readonly Rule[] = [
  ["ational", "ate"],
  ["tional", "tion"],
  ["enci", "ence"],
  ["anci", "ance"],
  ["izer", "ize"],
  ["bli", "ble"],
  ["alli", "al"],
  ["entli", "ent"],
  ["eli", "e"],
  ["ousli", "ous"],
  ["ization", "ize"],
  ["ation", "ate"],
  ["ator", "ate"],
  ["alism", "al"],
  ["iveness", "ive"],
  ["fulness", "ful"],
  ["ousness", "ous"],
  ["aliti", "al"],
  ["iviti", "ive"],
  ["biliti", "ble"],
  ["logi", "log"],
];

const STEP_3: readonly Rule[] = [
  ["icate", "ic"],
  ["ative", ""],
  ["alize", "al"],
  ["iciti", "ic"],
  ["ical", "ic"],
  ["ful", ""],
  ["ness", ""],
];

/** Longest first where one ends with another (`ement`, `ment`, `ent`): the first that fits decides, as in the paper. */
const STEP_4: readonly string[] = [
  "ement",
  "ance",
  "ence",
  "able",
  "ible",
  "ment",
  "ant",
  "ent",
  "ism",
  "ate",
  "iti",
  "ous",
  "ive",
  "ize",
  "ion",
  "al",
  "er",
  "ic",
  "ou",
];

function isConsonant(word: string, index: number): boolean {
  switch (word[index]) {
    case "a":
    case "e":
    case "i":
    case "o":
    case "u":
      return false;
    case "y":
      return index === 0 || !isConsonant(word, index - 1);
    default:
      return true;
  }
}

/** How many times a vowel run is followed by a consonant run: the paper's m. */
function measure(word: string): number {
  let count = 0;
  let afterVowel = false;
  for (let index = 0; index < word.length; index += 1) {
    const consonant = isConsonant(word, index);
    if (consonant && afterVowel) count += 1;
    afterVowel = !consonant;
  }
  return count;
}

function hasVowel(word: string): boolean {
  for (let index = 0; index < word.length; index += 1) if (!isConsonant(word, index)) return true;
  return false;
}

function endsInDoubleConsonant(word: string): boolean {
  const last = word.length - 1;
  return last >= 1 && word[last] === word[last - 1] && isConsonant(word, last);
}

/** Consonant, vowel, consonant at the end, the last not w, x or y: "hop" but not "snow". The paper's *o. */
function endsInShortSyllable(word: string): boolean {
  const last = word.length - 1;
  if (last < 2) return false;
  if (!isConsonant(word, last) || isConsonant(word, last - 1) || !isConsonant(word, last - 2)) return false;
  return !"wxy".includes(word.charAt(last));
}

function stripPlural(word: string): string {
  if (word.endsWith("sses") || word.endsWith("ies")) return word.slice(0, -2);
  if (word.endsWith("s") && !word.endsWith("ss")) return word.slice(0, -1);
  return word;
}

function stripPastAndProgressive(word: string): string {
  if (word.endsWith("eed")) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const length = word.endsWith("ed") ? 2 : word.endsWith("ing") ? 3 : 0;
  if (length === 0) return word;
  const base = word.slice(0, -length);
  if (!hasVowel(base)) return word;
  if (/(?:at|bl|iz)$/.test(base)) return `${base}e`;
  if (endsInDoubleConsonant(base) && !/[lsz]$/.test(base)) return base.slice(0, -1);
  return measure(base) === 1 && endsInShortSyllable(base) ? `${base}e` : base;
}

/** Applies the longest rule whose suffix fits, and only that one, when what is left has a measure above 0. */
function replaceSuffix(word: string, rules: readonly Rule[]): string {
  let best: Rule | null = null;
  for (const rule of rules)
    if (word.endsWith(rule[0]) && (best === null || rule[0].length > best[0].length)) best = rule;
  if (best === null) return word;
  const base = word.slice(0, -best[0].length);
  return measure(base) > 0 ? base + best[1] : word;
}

function stripResidue(word: string): string {
  for (const suffix of STEP_4) {
    if (!word.endsWith(suffix)) continue;
    const base = word.slice(0, -suffix.length);
    if (measure(base) <= 1) return word;
    return suffix === "ion" && !/[st]$/.test(base) ? word : base;
  }
  return word;
}

function tidyEnd(word: string): string {
  let result = word;
  if (result.endsWith("e")) {
    const base = result.slice(0, -1);
    const size = measure(base);
    if (size > 1 || (size === 1 && !endsInShortSyllable(base))) result = base;
  }
  return result.endsWith("ll") && measure(result) > 1 ? result.slice(0, -1) : result;
}

/** The stem of one lower-case word. Words of one or two letters, and anything not made of a to z alone, are unchanged. */
export function stem(word: string): string {
  if (word.length <= 2 || !PLAIN_WORD.test(word)) return word;
  let result = stripPastAndProgressive(stripPlural(word));
  if (result.endsWith("y") && hasVowel(result.slice(0, -1))) result = `${result.slice(0, -1)}i`;
  result = replaceSuffix(result, STEP_2);
  result = replaceSuffix(result, STEP_3);
  return tidyEnd(stripResidue(result));
}
