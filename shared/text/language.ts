/**
 * Language: which language a text is written in, as far as its script alone tells.
 *
 * `languageOf(text)` answers a BCP 47 subtag, or null for Latin script, for text without letters and for scripts that several of
 * the listed languages share without a sign of their own. It guides the choice of a model, nothing else. Total and pure.
 */

/** Characters that are looked at; the rest of a long text says the same. */
const SAMPLE = 2_000;
/** A part of the letters that makes a script the text's own: names and code are often Latin in any language. */
const SHARE = 0.3;
/** Japanese is written with many Chinese characters, but never without kana for long. */
const KANA_SHARE = 0.1;

const LETTER = /\p{L}/gu;
const HAN = /\p{Script=Han}/gu;
const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/gu;
const UKRAINIAN = /[іїєґ]/iu;
const PERSIAN = /[پچژگ]/u;

const SCRIPTS: readonly (readonly [RegExp, string])[] = [
  [/\p{Script=Hangul}/gu, "ko"],
  [/\p{Script=Cyrillic}/gu, "ru"],
  [/\p{Script=Arabic}/gu, "ar"],
  [/\p{Script=Hebrew}/gu, "he"],
  [/\p{Script=Greek}/gu, "el"],
  [/\p{Script=Thai}/gu, "th"],
  [/\p{Script=Devanagari}/gu, "hi"],
  [/\p{Script=Bengali}/gu, "bn"],
  [/\p{Script=Tamil}/gu, "ta"],
  [/\p{Script=Georgian}/gu, "ka"],
  [/\p{Script=Armenian}/gu, "hy"],
];

export function languageOf(text: string): string | null {
  const sample = text.slice(0, SAMPLE);
  const letters = count(sample, LETTER);
  if (letters === 0) return null;
  const kana = count(sample, KANA);
  const east = count(sample, HAN) + kana;
  const found: (readonly [number, string])[] = [[east, kana / east >= KANA_SHARE ? "ja" : "zh"]];
  for (const [script, language] of SCRIPTS) found.push([count(sample, script), language]);
  const [most, language] = found.reduce((best, next) => (next[0] > best[0] ? next : best));
  if (most / letters < SHARE) return null;
  if (language === "ru" && UKRAINIAN.test(sample)) return "uk";
  if (language === "ar" && PERSIAN.test(sample)) return "fa";
  return language;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
