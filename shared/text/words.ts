/**
 * Text to words: how every index, question and answer in Lamina cuts text up.
 *
 * Use `tokenize` for the words as written (lower case, folded), `analyze` for index terms (tokenize, irregular lemmas, stem),
 * and `queryTerms` for what a question asks by: its terms without question words, particles and the names of the people
 * who are talking.
 *
 * What must hold: every function is total (any text, lone surrogates included) and pure. `analyze` is part of the stored index
 * format. Scripts written without spaces become overlapping pairs of characters, so "京都" is found inside "去京都玩" without a dictionary.
 */
import { TERM_CHARACTERS } from "#shared/limits.ts";
import { lemma } from "#shared/text/lemmas.ts";
import { stem } from "#shared/text/porter.ts";

const PAIRED_SCRIPTS =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー々〆";
const PAIRED_RUN = new RegExp(`^[${PAIRED_SCRIPTS}]`, "u");
/** In order: a Latin word or number with inner apostrophes, a run of a paired script, a word of any other script. */
const PIECE = new RegExp(
  `[a-z0-9]+(?:'[a-z0-9]+)*|[${PAIRED_SCRIPTS}]+|(?:(?![${PAIRED_SCRIPTS}a-z0-9])[\\p{L}\\p{M}\\p{N}])+`,
  "gu",
);

/** Latin letters that do not decompose into a base letter and a mark. */
const LATIN_LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
};

function words(lines: string): string[] {
  return lines.split(/\s+/).filter((word) => word !== "");
}

/** Words that say how something is asked, not what about. Words as `tokenize` gives them, before any stemming. */
const ENGLISH_STOP_WORDS = words(`
  a an the this that these those there here
  i me my mine myself we us our ours you your yours he him his she her hers it its they them their theirs
  am is are was were be been being do does did doing done have has had having
  will would shall should can could might must not no
  what when where who whom whose which why how
  of in on at to for with by from about into as and or but if than then so
  say says said tell tells told mention mentions mentioned
  many much some any before after during while
  please
`);

/** Chinese and Japanese words of the same sort, longest first within a head so that the longest is removed first. */
const PARTICLE_PHRASES = words(`
  为什么 什么时候 什么地方 什么样 怎么样 怎么办 有没有 是不是 能不能 会不会 哪一个 多少 什么 怎么 怎样 如何 哪里 哪儿 哪个 哪些 哪位
  告诉 请问 是否 为何 何时 何地 曾经
  為什麼 什麼時候 什麼 怎麼 哪裡 哪個 請問
  どこ いつ だれ なに なぜ どう どの ですか ますか でした ました です ます
`);
const PARTICLES = words("吗 呢 吧 啊 呀 的 了 嗎 谁 誰 哪 我 你 您 他 她 它 们 们 是 在 は が を に の か と");

/** A longest-first pattern: 什么时候 must go before 什么. */
const PARTICLE_PATTERN = new RegExp(
  [...PARTICLE_PHRASES].sort((one, other) => other.length - one.length).join("|"),
  "gu",
);
const PARTICLE_SET: ReadonlySet<string> = new Set(PARTICLES);
/** A pair with one of these says nothing in a question (去的, 的京): the word's other pair carries it. */
const LINKING_PARTICLE = /[的吗呢吧啊呀嗎]/;

/** Stop words and question particles, as `tokenize` gives them. */
export const STOP_WORDS: ReadonlySet<string> = new Set([...ENGLISH_STOP_WORDS, ...PARTICLE_PHRASES, ...PARTICLES]);

/** What is left of a Chinese amount, a time or an age when its numerals are taken away (三十二岁, 两只, 下午三点): it says nothing alone. */
const MEASURE_CHARACTER = /^[只个個次条條位辆輛岁歲块塊元米码到号號点點分秒钟午晚早晨千万萬亿億半多]$/u;

/** True for a stop word, a lone measure word, a question particle, or a pair of characters of which both are particles (的是). */
export function isStopWord(token: string): boolean {
  if (STOP_WORDS.has(token) || MEASURE_CHARACTER.test(token)) return true;
  const characters = Array.from(token);
  return characters.length === 2 && characters.every((character) => PARTICLE_SET.has(character));
}

/** Lower case, compatibility forms folded, marks taken off Latin letters, one kind of apostrophe. Other scripts keep their marks. */
export function foldText(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[‘’ʼ＇`´]/g, "'")
    .replace(
      /[\u00c0-\u024f\u1e00-\u1eff]/g,
      (letter) => LATIN_LETTERS[letter] ?? letter.normalize("NFKD").replace(/\p{M}+/gu, ""),
    )
    .replace(/(?<=[a-z])[\u0300-\u036f]+/g, "");
}

/** "don't" → do, not; "maria's" → maria; "we've" → we; "o'brien" → obrien. */
function pushLatinWord(word: string, into: string[]): void {
  if (!word.includes("'")) {
    into.push(word.slice(0, TERM_CHARACTERS));
    return;
  }
  const negated = /^([a-z]+)n't$/.exec(word);
  if (negated !== null) {
    const verb = negated[1] ?? "";
    into.push(verb === "ca" ? "can" : verb === "wo" ? "will" : verb, "not");
    return;
  }
  const base = word.replace(/'(?:s|ll|ve|re|d|m)$/, "").replaceAll("'", "");
  into.push(base.slice(0, TERM_CHARACTERS));
}

function pushPairs(run: string, into: string[]): void {
  const characters = Array.from(run);
  if (characters.length === 1) into.push(run);
  for (let index = 0; index + 1 < characters.length; index += 1)
    into.push(`${characters[index]}${characters[index + 1]}`);
}

/** The words of a text in order, as written but folded. A run of a script without spaces gives its overlapping pairs. */
export function tokenize(text: string): string[] {
  const tokens: string[] = [];
  for (const [piece] of foldText(text).matchAll(PIECE)) {
    if (PAIRED_RUN.test(piece)) pushPairs(piece, tokens);
    else if (/^[a-z0-9]/.test(piece)) pushLatinWord(piece, tokens);
    else tokens.push(piece.slice(0, TERM_CHARACTERS));
  }
  return tokens;
}

const TERM_CACHE = new Map<string, string>();
const TERM_CACHE_SIZE = 20_000;

/**
 * One word as the index knows it. Cached: stemming is the dearest step of indexing and words repeat. Processes of one isolate
 * share the cache, which is safe: it answers only the stem of a word that the asker already has.
 */
export function analyzeWord(word: string): string {
  const known = TERM_CACHE.get(word);
  if (known !== undefined) return known;
  const term = stem(lemma(word));
  if (TERM_CACHE.size >= TERM_CACHE_SIZE) TERM_CACHE.clear();
  TERM_CACHE.set(word, term);
  return term;
}

/** The index terms of a text in order: words with irregular forms resolved and endings folded. */
export function analyze(text: string): string[] {
  return tokenize(text).map(analyzeWord);
}

function withoutPhrases(folded: string, names: readonly string[]): string {
  let rest = folded.replace(PARTICLE_PATTERN, " ");
  for (const name of names) {
    const foldedName = foldText(name);
    if (PAIRED_RUN.test(foldedName)) rest = rest.replaceAll(foldedName, " ");
  }
  return rest;
}

/** Leading and trailing particles of a run: 养了猫吗 → 养了猫. Inner ones stay, because 了解 and 目的 are words. */
function trimParticles(folded: string): string {
  return folded.replace(new RegExp(`[${PAIRED_SCRIPTS}]+`, "gu"), (run) => {
    const characters = Array.from(run);
    let start = 0;
    let end = characters.length;
    while (start < end && PARTICLE_SET.has(characters[start] ?? "")) start += 1;
    while (end > start && PARTICLE_SET.has(characters[end - 1] ?? "")) end -= 1;
    return ` ${characters.slice(start, end).join("")} `;
  });
}

/**
 * What a question asks by: its analysed terms, each once, in order, without stop words, question particles and `names` (the
 * people who are talking: who spoke is a matter of the page, not of its words). When nothing is left, all its terms.
 */
export function queryTerms(query: string, names: readonly string[]): string[] {
  const present = new Set(tokenize(query));
  // The family name alone stays: "green" is not about Ada Green unless "ada" is there.
  const nameWords = new Set(names.map(tokenize).flatMap((label) => (present.has(label[0] ?? "") ? label : [])));
  const asked = tokenize(trimParticles(withoutPhrases(foldText(query), names)));
  const kept = asked.filter((word) => !isStopWord(word) && !nameWords.has(word));
  const telling = kept.filter((word) => !LINKING_PARTICLE.test(word));
  const chosen = telling.length > 0 ? telling : kept.length > 0 ? kept : tokenize(query);
  return [...new Set(chosen.map(analyzeWord))];
}
