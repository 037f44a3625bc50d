/**
 * Answers by the form of what the user told of themself, in Chinese: what stands where the question has 什么, 谁 or 哪里.
 *
 * Use: `ownChinese(newest)` before the clause patterns of `answer-chinese.ts`; `ownChineseAnyway(selection)` for one's own name and
 * work, whose statements share no word with the question. Null when no form fits.
 *
 * What must hold: verbatim text of one sentence; what is listed with 、 and 和 stays together.
 */
import { findClock } from "#workers/local-ai/clock.ts";
import { namedValue } from "#workers/local-ai/named-values.ts";
import type { PatternAnswer } from "#workers/local-ai/patterns.ts";
import type { ScoredSentence, Selection } from "#workers/local-ai/select.ts";
import { userPerson, type Sentence } from "#workers/local-ai/sentences.ts";

const sentencesRead = 4;
const longestQuote = 60;
const relatives =
  /妈|爸|母亲|父亲|姐|妹|哥|弟|朋友|老板|同事|老师|太太|妻子|老婆|丈夫|先生|老公|女儿|儿子|奶奶|爷爷|外公|外婆|邻居|室友|狗|猫|他|她|它/;
const asksOwnName = /^(?:那么?)?我(?:的)?(?:名字|全名|姓名)?(?:是|叫)?(?:什么(?:名字)?|啥|谁)(?:来着)?[吗呢?？。]*$/;
const ownName = /^(?:你好|您好|嗨|大家好)?[，,！!。 ]*我(?:的名字|的?全名)?(?:叫做?|名叫|是(?!一|个|名|位|在|不|从|用))([\p{Script=Han}A-Za-z·]{1,12}?)(?=[，,。！!；\s]|$)/u;
const asksWork = /(?:是)?做什么(?:的|工作)|是做什么|干什么的|什么工作|职业|什么职位|以什么为生/;
const work =
  /(?:职业是|工作是|当(?!时|天|年|然)|担任|是(?:一名|一位|一个|个|名|位)|做(?=[\p{Script=Han}]{1,8}(?:工作|师|员|生意)))((?:(?![，。！？、；]).){1,14})/u;

function bare(text: string): string {
  return text.replace(/[。！!.？?\s]+$/, "");
}

/** The user's own telling sentences; without a relative when the question names none. */
function ownTelling(selection: Selection): ScoredSentence[] {
  const others = relatives.test(selection.question.text) || !/我/.test(selection.question.text);
  return selection.sentences.filter(
    ({ sentence, fit }) =>
      sentence.person === userPerson && !sentence.asks && fit >= 0 && (others || !/^我的?\S{0,2}(?:妈|爸|姐|妹|哥|弟|朋友|老板|同事|太太|妻子|丈夫|女儿|儿子|狗|猫)/.test(sentence.text)),
  );
}

export function ownChineseAnyway(selection: Selection): PatternAnswer | null {
  const { text } = selection.question;
  const name = asksOwnName.test(text);
  const job = asksWork.test(text) && /^(?:那么?)?我(?:的|是|现在|目前|做|当|职)/.test(text) && !relatives.test(text);
  if (!name && !job) return null;
  const told = ownTelling(selection).sort((left, right) => (right.sentence.page.at ?? 0) - (left.sentence.page.at ?? 0));
  for (const source of told) {
    const found = (name ? ownName : work).exec(source.sentence.text)?.[1];
    if (found !== undefined) return { text: found.replace(/的$/, ""), source };
  }
  return null;
}

/** 苏亮是谁: the sentence that names them; one clause of it when it is long. */
function personAnswer(question: string, sentence: Sentence): string | null {
  const name = /^(?:那么?)?([\p{Script=Han}A-Za-z·]{1,8}?)(?:又|到底)?是(?:谁|什么人|哪位)[?？。呢]*$/u.exec(question)?.[1];
  if (name === undefined || !sentence.text.includes(name)) return null;
  const whole = bare(sentence.text);
  return whole.length <= longestQuote ? whole : (whole.split(/[，；]/).find((clause) => clause.includes(name)) ?? null);
}

/** The clause behind a marker, up to the end of the clause; lists with 、 belong to it. */
function behind(text: string, marker: string): string | null {
  const index = text.lastIndexOf(marker);
  const rest = index === -1 ? "" : (/^[^，。！？；,!?;]+/.exec(text.slice(index + marker.length))?.[0] ?? "");
  return rest === "" ? null : rest.replace(/^[了过着]+/, "");
}

const conjunctions = "(?:和|跟|与|同|对|给|陪)";

/** 对什么过敏 → 对(…)过敏: the words either side of the question word, as they stand in the sentence. */
function framed(question: string, text: string): string | null {
  const match = /([对和跟与同给陪把被为向])(?:什么人?|谁|哪些人?|啥)(?:一起)?(?:的)?([\p{Script=Han}]{1,4})/u.exec(question);
  if (match === null) return null;
  const [, left = "", right = ""] = match;
  const opener = /[和跟与同]/.test(left) ? "(?:和|跟|与|同)" : left;
  for (const end of [right, right.slice(0, 2), right.slice(0, 1)]) {
    const found = new RegExp(`${opener}([^，。！？]{1,20}?)(?:一起|一块儿?)?(?:去|来)?${end}`, "u").exec(text)?.[1];
    if (found !== undefined) return found;
  }
  return null;
}

/** X是多少, X是什么: what follows X是, X： or X有. */
function predicate(question: string, text: string): string | null {
  const match = /([\p{Script=Han}A-Za-z0-9]+?)(?:是|为|有|叫)?(?:多少|什么|哪些|几|啥|哪个|哪种)/u.exec(question);
  const head = /什么([\p{Script=Han}]{2,4})[?？。呢]*$/u.exec(question)?.[1];
  const subject = (match?.[1] ?? "").replace(/^(?:我们?|你)的?/, "").replace(/(?:一共|总共|都|的|是)+$/, "");
  for (const name of [head, subject, subject.split("的").at(-1)]) {
    if (name === undefined || name.length < 2 || name === "名字") continue;
    const place = text.indexOf(name);
    const found = place === -1 ? undefined : /^(?:就|现在|已经|改成|改为|换成)*(?:是|为|：|:|叫|改成了?|换成了?)([^，。！？；]+)/u.exec(text.slice(place + name.length))?.[1];
    if (found !== undefined) return found.trim();
  }
  return null;
}

const located = /(?:放|停|住|存|藏|忘|挂|摆|丢|落)?在((?:(?![，。！？、；]).){1,24})/gu;
const activity = /(?:上班|工作|当(?!地)|做|上学|读书|念书|开会|吃|买|见面|学习|生活|开了?|举行|玩|的时候|等我?).*$/u;

/** Where a thing is or a meeting takes place; a time behind 在 is no place. */
function placeAnswer({ text, dates }: Sentence): string | null {
  const clock = findClock(text);
  for (const match of text.matchAll(located)) {
    let place = (match[1] ?? "").replace(activity, "").replace(/了+$/, "");
    for (const time of [...dates.map((date) => date.text), clock]) if (time !== null) place = place.replace(time, "");
    place = place.replace(/^[在的，\s]+/, "");
    if (place !== "" && !/^(?:家里?)?(?:时|点)/.test(place)) return place;
  }
  return null;
}

function withWhom({ text }: Sentence): string | null {
  return new RegExp(`(?:^|[，。\\s我今明昨天])${conjunctions}((?:(?![，。！？]).){1,12}?)(?=一起|的(?:会|约)|去|见|吃|开|聊|有约|在|，|。|$)`, "u").exec(text)?.[1] ?? null;
}

export function ownChinese(selection: Selection): PatternAnswer | null {
  const { question } = selection;
  const told = ownTelling(selection).slice(0, sentencesRead);
  const best = Math.max(0, ...told.map(({ own }) => own));
  for (const source of told) {
    if (source.own < best * 0.8) continue;
    const { sentence } = source;
    const text = bare(sentence.text);
    const found =
      namedValue(question, source) ??
      personAnswer(question.text, sentence) ??
      (asksWork.test(question.text) ? work.exec(text)?.[1] : null) ??
      framed(question.text, text) ??
      (question.type === "who" && /[和跟与同]谁/.test(question.text) ? withWhom(sentence) : null) ??
      (question.type === "what" || question.type === "amount" || question.type === "count" ? predicate(question.text, text) : null) ??
      (question.type === "where" && !/[住去到来回]|搬/.test(question.text) ? placeAnswer(sentence) : null) ??
      (/叫什么|名字/.test(question.text) ? namesBehind(text) : null);
    if (found !== null && found !== undefined && found !== "") return { text: found, source };
  }
  return null;
}

function namesBehind(text: string): string | null {
  const found = behind(text, /名字是/.test(text) ? "名字是" : /叫做/.test(text) ? "叫做" : "叫");
  return found === null || found.length > 20 ? null : found.replace(/的.*$/, "");
}
