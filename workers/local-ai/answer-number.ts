/**
 * Answers that are a number or a measure: how many, how much, how long, how often, how old, how long ago.
 *
 * Use: `answerNumber(selection, today)`; null when no sentence gives one.
 *
 * What must hold: a number is quoted from a sentence that bears on the question, or it is a count of pages that each tell of one
 * such event, or the time between two dates; nothing is estimated.
 */
import { dayMilliseconds } from "#shared/text/dates.ts";
import { writeDate, type DateExpression } from "#shared/text/date-wording.ts";
import type { ScoredSentence, Selection } from "#workers/local-ai/select.ts";
import { wordsFor } from "#workers/local-ai/chinese.ts";
import { userPerson } from "#workers/local-ai/sentences.ts";

export interface NumberAnswer {
  readonly text: string;
  readonly sources: readonly ScoredSentence[];
}

const sentencesRead = 8;
/** A sentence counts as telling of the same thing when its own match is at least this share of the best one's. */
const sameEvent = 0.8;
/** A measure that the user told belongs to its own sentence, not to the next best one. */
const ownShare = 0.7;

const number =
  "(?:\\d[\\d,.]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|twenty|thirty|forty|fifty|a hundred|hundreds|a dozen|dozens|a couple(?: of)?|a few|several|both|half)";
const unit = "(?:seconds?|minutes?|hours?|days?|nights?|weeks?|weekends?|months?|years?|yrs?|decades?|semesters?)";
const durations = [
  new RegExp(
    `\\b(?:(?:about|around|almost|nearly|over|more than|less than|just under|at least) )?${number}(?:[- ]and a half)?[- ]${unit}\\b(?! old)(?: now| ago)?`,
    "i",
  ),
  new RegExp(`\\b(?:(?:for|about|over|almost|nearly|all|the whole|an entire|a whole) )+(?:an? |the )?${unit}\\b`, "i"),
  new RegExp(`\\ban? (?:whole )?${unit}\\b`, "i"),
  /\bsince (?:\d{4}|(?:last )?\w+|I was \w+(?: \w+)?)\b/i,
];
const frequencies = [
  new RegExp(
    `\\b(?:(?:about|at least|around|usually) )?(?:once|twice|${number} times|a few times|several times) (?:or twice )?(?:a|an|per|every|each) (?:day|week|month|year|morning|weekend)\\b`,
    "i",
  ),
  /\b(?:every|each) (?:other |single |few |\w+ )?(?:day|morning|night|evening|week|weekend|month|year|summer|sunday|monday|tuesday|wednesday|thursday|friday|saturday)s?\b/i,
  /\b(?:daily|weekly|monthly|yearly|annually|nightly|once in a while|from time to time|all the time|regularly|often|sometimes|rarely)\b/i,
  /每(?:天|日|周|星期|个?月|年)(?:[一两二三四五六七八九十\d几]+次)?|一周[一两二三四五六七八九十\d]+次|经常|有时/,
];
const ages = [
  /\b(?:turned|turning|turns|is|am|was|are|I'm|aged?) (\d{1,3})(?! (?:years? ago|minutes?|hours?|days?|weeks?|months?))\b/i,
  /\b\w+(?:-| )years?(?:-| )old\b/i,
  /\b\d{1,3}(?:st|nd|rd|th) birthday\b/i,
  /\d{1,3}岁|[一二三四五六七八九十]{1,3}岁/,
];
/** Of the user's own people, without the verb before the number: "My son Ben is 7 and my daughter Lily is 4". */
const ownAges = [
  /\b(?:\d{1,3}|\w+)(?:-| )(?:and a half )?(?:years?|months?|weeks?)(?:-| )old\b/i,
  /(?<=\b(?:turned|turning|turns|is|am|was|are|I['’]m|aged?|['’]s) )\d{1,3}(?! (?:minutes?|hours?|days?|weeks?|months?|kg|cm|m)\b)(?=[\s,.;!]|$)/i,
];
const chineseMeasures = [/[\d一二两三四五六七八九十百几]+(?:多)?(?:个半|个)?(?:小时|分钟|天|周|星期|月|年)/];
const chineseNumber =
  /(?:[\d.]+|[一二两三四五六七八九十百千万几]+)(?:多)?(?:个|次|只|条|本|位|人|名|辆|家|种|件|场|块|元|公里|米|斤|岁)/;

function firstMatch(text: string, patterns: readonly RegExp[]): string | null {
  for (const pattern of patterns) {
    const match = pattern.exec(text);
    if (match !== null) return match[0].trim();
  }
  return null;
}

function chineseHits({ sentence }: ScoredSentence, { question }: Selection): { start: number; end: number }[] {
  return question.terms.flatMap((term) => {
    const found = wordsFor(term.stem).map((word) => ({ word, start: sentence.text.indexOf(word) }));
    return found.filter(({ start }) => start !== -1).map(({ word, start }) => ({ start, end: start + word.length }));
  });
}

/** Of several measures in one sentence the one that stands nearest to an asked word: "71 kg and 1.78 m tall". */
function nearestMatch(scored: ScoredSentence, selection: Selection, patterns: readonly RegExp[]): string | null {
  const { text, words } = scored.sentence;
  const hits =
    selection.question.language === "zh"
      ? chineseHits(scored, selection)
      : words.filter((word) => selection.question.terms.some((term) => term.stem === word.stem));
  let best: { text: string; distance: number } | null = null;
  for (const pattern of patterns) {
    for (const match of text.matchAll(new RegExp(pattern.source, `g${pattern.flags}`))) {
      const end = match.index + match[0].length;
      const gaps = hits.map((word) =>
        word.end <= match.index ? match.index - word.end : Math.max(0, word.start - end),
      );
      const distance = Math.min(...gaps, text.length);
      if (best === null || distance < best.distance) best = { text: match[0].trim(), distance };
    }
  }
  return best?.text ?? null;
}

function quote(selection: Selection, patterns: readonly RegExp[]): NumberAnswer | null {
  const top = selection.sentences[0];
  const pages = new Set<string>();
  for (const scored of selection.sentences.slice(0, sentencesRead)) {
    if (scored.sentence.asks || scored.sentence.caption) continue;
    if (scored.sentence.person === userPerson && scored.own < (top?.own ?? 0) * ownShare) continue;
    const own = scored.sentence.person === userPerson && /^(?:amount|age)$/.test(selection.question.type);
    const found = own ? nearestMatch(scored, selection, patterns) : firstMatch(scored.sentence.text, patterns);
    if (found !== null) return { text: found, sources: [scored] };
    pages.add(scored.sentence.page.handle);
    if (top !== undefined && scored.score < top.score * 0.5) break;
  }
  return null;
}

/** "three dogs", "both cats", "twice": a number close before a word that the question counts. */
function quotedCount(selection: Selection, scored: ScoredSentence): string | null {
  const { words, text } = scored.sentence;
  const counted =
    /\bhow many (?:more |other |different |new )?([\w'-]+)/i.exec(selection.question.text)?.[1]?.toLowerCase() ?? "";
  const stem = selection.question.words.find((word) => word.lower === counted)?.stem ?? "";
  if (/^times?$/.test(counted))
    return (
      /\b(?:once|twice|thrice|(?:\d+|two|three|four|five|six|seven|eight|nine|ten|several|a few) times)\b/i.exec(
        text,
      )?.[0] ?? null
    );
  const place = words.findIndex((word) => word.stem === stem);
  if (place === -1) return null;
  const before = text.slice(words[Math.max(0, place - 4)]?.start ?? 0, words[place]?.start ?? 0);
  const numbers = [...before.matchAll(new RegExp(`\\b${number}\\b`, "gi"))];
  return numbers.at(-1)?.[0] ?? null;
}

/** One page for each event: pages of different days that match as well as the best. */
function countEvents(selection: Selection): NumberAnswer | null {
  const top = Math.max(
    ...selection.sentences.map((scored) => (scored.fit >= 0 && !scored.sentence.asks ? scored.own : 0)),
  );
  if (top < 0.6) return null;
  const events = new Map<string, ScoredSentence>();
  for (const scored of selection.sentences) {
    const { sentence } = scored;
    if (sentence.asks || sentence.caption || scored.fit < 0 || scored.own < top * sameEvent) continue;
    const day = sentence.dates[0]?.from ?? sentence.page.at ?? sentence.page.handle;
    if (!events.has(String(day))) events.set(String(day), scored);
  }
  const sources = [...events.values()];
  return sources.length === 0 ? null : { text: String(sources.length), sources };
}

/** 我有几个弟弟: the number that stands right before what is counted; without one, the first. */
function countedChinese(question: string, text: string): string | null {
  const counted = /(?:几|多少)[\p{Script=Han}]??(\p{Script=Han}{1,3})[?？。吗呢了]*$/u.exec(question)?.[1] ?? "";
  for (let length = counted.length; length > 0; length -= 1) {
    const found = new RegExp(`(${chineseNumber.source})(?:的)?${counted.slice(-length)}`, "u").exec(text)?.[1];
    if (found !== undefined) return found;
  }
  return chineseNumber.exec(text)?.[0] ?? null;
}

function answerCount(selection: Selection): NumberAnswer | null {
  const top = selection.sentences[0];
  for (const scored of selection.sentences.slice(0, sentencesRead)) {
    if (
      scored.sentence.asks ||
      scored.sentence.caption ||
      scored.own === 0 ||
      (top !== undefined && scored.score < top.score * 0.6)
    )
      continue;
    const found =
      quotedCount(selection, scored) ??
      (selection.question.language === "zh" ? countedChinese(selection.question.text, scored.sentence.text) : null);
    if (found !== null) return { text: found, sources: [scored] };
  }
  return /\bhow many times\b|几次|多少次/i.test(selection.question.text) ? countEvents(selection) : null;
}

/** The time from a date to another in the largest unit that gives a whole number. */
export function timeBetween(from: number, to: number, language: "en" | "zh"): string {
  const days = Math.max(0, Math.round((to - from) / dayMilliseconds));
  const [amount, english, chinese] =
    days >= 365
      ? [Math.round(days / 365.25), "year", "年"]
      : days >= 60
        ? [Math.round(days / 30.44), "month", "个月"]
        : days >= 14
          ? [Math.round(days / 7), "week", "周"]
          : [days, "day", "天"];
  return language === "zh" ? `${String(amount)}${chinese}` : `${String(amount)} ${english}${amount === 1 ? "" : "s"}`;
}

function eventDate(scored: ScoredSentence): Pick<DateExpression, "from"> | null {
  const date = scored.sentence.dates[0];
  if (date !== undefined) return date;
  return scored.sentence.page.at === null ? null : { from: scored.sentence.page.at };
}

function answerAgo(selection: Selection, today: number | null): NumberAnswer | null {
  const top = selection.sentences.find((scored) => !scored.sentence.asks && scored.fit >= 0);
  const date = top === undefined ? null : eventDate(top);
  const quoted = quote(selection, [new RegExp(`\\b${number} (?:days?|weeks?|months?|years?|decades?) ago\\b`, "i")]);
  if (quoted !== null && today === null) return quoted;
  if (top === undefined || date === null || today === null || date.from > today) return quoted;
  const between = timeBetween(date.from, today, selection.question.language);
  return { text: selection.question.language === "zh" ? `${between}前` : `${between} ago`, sources: [top] };
}

/** "How long have I …" and the sentence tells when it began: "since" that date. */
function sinceDate(selection: Selection): NumberAnswer | null {
  const { question } = selection;
  const top = selection.sentences.find((scored) => !scored.sentence.asks && scored.fit >= 0);
  const ongoing =
    question.language === "zh" ? /了/.test(question.text) : /\bhow long (?:have|has)\b/i.test(question.text);
  const date = top?.sentence.dates.find((found) => found.wording.kind === "plain");
  if (
    top === undefined ||
    date === undefined ||
    !ongoing ||
    firstMatch(top.sentence.text.replace(date.text, ""), durations.slice(0, 2)) !== null
  )
    return null;
  const written = writeDate(date, question.language);
  return { text: question.language === "zh" ? `${written}起` : `Since ${written}`, sources: [top] };
}

export function answerNumber(selection: Selection, today: number | null): NumberAnswer | null {
  const chinese = selection.question.language === "zh";
  switch (selection.question.type) {
    case "count":
      return answerCount(selection);
    case "duration":
      return sinceDate(selection) ?? quote(selection, chinese ? chineseMeasures : durations);
    case "frequency":
      return quote(selection, frequencies);
    case "age":
      return quote(selection, selection.sentences[0]?.sentence.person === userPerson && !chinese ? ownAges : ages);
    case "ago":
      return answerAgo(selection, today);
    case "amount":
      return quote(
        selection,
        chinese
          ? [
              /(?:[\d.]+|[一二两三四五六七八九十百千万几]+)(?:多)?(?:块|元|万|美元|欧元|公里|厘米|公斤|平米|码|米[\d一二三四五六七八九]{0,2}|斤)/,
              chineseNumber,
            ]
          : [
              /[$€£¥]\s?\d[\d,.]*(?:\s?(?:k|million|thousand))?|\b\d[\d,.]*\s?(?:dollars|euros|pounds|bucks|km|kilomet\w+|miles|met(?:er|re)s?|cm|mm|m|g|grams?|lit(?:er|re)s?|l|kg|kilos|lbs|percent|%|hours?|cups?)(?:\b|$)/i,
              new RegExp(`\\b${number} \\w+`, "i"),
            ],
      );
    default:
      return null;
  }
}
