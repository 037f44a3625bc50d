/**
 * Answers by the form of what the user told of themself, in Chinese: what stands where the question has 什么, 谁 or 哪里.
 *
 * Use: `ownChinese(newest)` before the clause patterns of `answer-chinese.ts`; `ownChineseAnyway(selection)` for one's own name and
 * work, whose statements share no word with the question. Null when no form fits.
 *
 * What must hold: verbatim text of one sentence; what is listed with 、 and 和 stays together.
 */
import { wordsFor } from "#workers/local-ai/chinese.ts";
import { findClock } from "#workers/local-ai/clock.ts";
import { namedValue } from "#workers/local-ai/named-values.ts";
import type { PatternAnswer } from "#workers/local-ai/patterns.ts";
import type { Question } from "#workers/local-ai/question.ts";
import type { ScoredSentence, Selection } from "#workers/local-ai/select.ts";
import { userPerson, type Sentence } from "#workers/local-ai/sentences.ts";

const sentencesRead = 4;
const longestQuote = 60;
const relatives =
  /妈|爸|母亲|父亲|姐|妹|哥|弟|朋友|老板|同事|老师|太太|妻子|老婆|丈夫|先生|老公|女儿|儿子|奶奶|爷爷|外公|外婆|邻居|室友|狗|猫|他|她|它/;
const asksOwnName = /^(?:那么?)?我(?:的)?(?:名字|全名|姓名)?(?:是|叫)?(?:什么(?:名字)?|啥|谁)(?:来着)?[吗呢?？。]*$/;
const ownName =
  /^(?:你好|您好|嗨|大家好)?[，,！!。 ]*我(?:的名字|的?全名)?(?:叫做?|名叫|是(?!一|个|名|位|在|不|从|用))([\p{Script=Han}A-Za-z·]{1,12}?)(?=[，,。！!；\s]|$)/u;
const asksWork = /(?:是)?做什么(?:的|工作)|是做什么|干什么的|什么工作|工作是(?:什么|啥)|职业|什么职位|以什么为生/;
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
      sentence.person === userPerson &&
      !sentence.asks &&
      fit >= 0 &&
      (others ||
        !/^我的?\S{0,2}(?:妈|爸|姐|妹|哥|弟|朋友|老板|同事|太太|妻子|丈夫|女儿|儿子|狗|猫)/.test(sentence.text)),
  );
}

export function ownChineseAnyway(selection: Selection): PatternAnswer | null {
  const { text } = selection.question;
  const name = asksOwnName.test(text);
  const job = asksWork.test(text) && /^(?:那么?)?我(?:的|是|现在|目前|做|当|职)/.test(text) && !relatives.test(text);
  if (!name && !job) return null;
  const told = ownTelling(selection).sort(
    (left, right) => (right.sentence.page.at ?? 0) - (left.sentence.page.at ?? 0),
  );
  for (const source of told) {
    const found = (name ? ownName : work).exec(source.sentence.text)?.[1];
    if (found !== undefined) return { text: found.replace(/的$/, ""), source };
  }
  return null;
}

/** 苏亮是谁: the sentence that names them; one clause of it when it is long. */
function personAnswer(question: string, sentence: Sentence): string | null {
  const name = /^(?:那么?)?([\p{Script=Han}A-Za-z·]{1,8}?)(?:又|到底)?是(?:谁|什么人|哪位)[?？。呢]*$/u.exec(
    question,
  )?.[1];
  if (name === undefined || !sentence.text.includes(name)) return null;
  const whole = bare(sentence.text);
  return whole.length <= longestQuote ? whole : (whole.split(/[，；]/).find((clause) => clause.includes(name)) ?? null);
}

/** What says who somebody is comes first: 我男朋友阿杰, 阿杰是我老板. */
function introductions({ question, sentences }: Selection): ScoredSentence[] {
  const name = /^(?:那么?)?([\p{Script=Han}A-Za-z·]{1,8}?)(?:又|到底)?是谁/u.exec(question.text)?.[1];
  if (name === undefined || /^[我你他她它]$/.test(name)) return [];
  const known = new RegExp(
    `${relatives.source
      .split("|")
      .map((word) => `${word}(?:叫|是)?${name}`)
      .join("|")}|${name}是`,
    "u",
  );
  return sentences.filter(
    ({ sentence }) => sentence.person === userPerson && !sentence.asks && known.test(sentence.text),
  );
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
  const match = /([对和跟与同给陪把被为向])(?:什么人?|谁|哪些人?|啥)(?:一起)?(?:的)?([\p{Script=Han}]{1,4})/u.exec(
    question,
  );
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
    const found =
      place === -1
        ? undefined
        : /^(?:就|现在|已经|改成|改为|换成)*(?:是|为|：|:|叫|改成了?|换成了?)([^，。！？；]+)/u.exec(
            text.slice(place + name.length),
          )?.[1];
    if (found !== undefined) return found.trim();
  }
  return null;
}

const located = /(?:放|停|住|存|藏|忘|挂|摆|丢|落)?在((?:(?![，。！？、；]).){1,24})/gu;
const activity = /(?:上班|工作|当(?!地)|做|上学|读书|念书|开会|吃|买|见面|学习|生活|开了?|举行|玩|的时候|等我?).*$/u;

/** Where a thing is or a meeting takes place; a time behind 在 is no place. */
function placeAnswer({ text, dates }: Sentence, { terms, text: question }: Question): string | null {
  const clock = findClock(text);
  for (const match of text.matchAll(located)) {
    let place = (match[1] ?? "").replace(activity, "").replace(/了+$/, "");
    for (const time of [...dates.map((date) => date.text), clock]) if (time !== null) place = place.replace(time, "");
    const acts = terms
      .filter((term) => question.indexOf(term.stem) > question.indexOf("哪"))
      .map((term) => place.indexOf(term.stem))
      .filter((index) => index > 0);
    place = place.slice(0, acts.length === 0 ? undefined : Math.min(...acts)).replace(/^[在的，\s]+/, "");
    if (place !== "" && !/^(?:家里?)?(?:时|点)/.test(place)) return place;
  }
  return null;
}

function withWhom({ text }: Sentence): string | null {
  return (
    new RegExp(
      `(?:^|[，。\\s我今明昨天])${conjunctions}((?:(?![，。！？]).){1,12}?)(?=一起|的(?:会|约)|住|去|见|吃|开|聊|有约|在|，|。|$)`,
      "u",
    ).exec(text)?.[1] ?? null
  );
}

/** One character alone is no word that the kernel could look for in the page: 喝茶 rather than 茶. */
export function wholeWord(found: string, text: string): string {
  const at = text.indexOf(found);
  return Array.from(found).length === 1 && at > 0 ? text.slice(at - 1, at + found.length) : found;
}

const relationName =
  "(?:妈妈|爸爸|姐姐|妹妹|哥哥|弟弟|朋友|男朋友|女朋友|男友|女友|老板|同事|老师|太太|妻子|老婆|丈夫|老公|女儿|儿子|邻居|室友|经理|医生|房东)";

/** 我儿子小宝今年7岁: the name right behind the relation that is asked about. */
function introducedName(question: string, text: string): string | null {
  const asked = new RegExp(relationName, "u").exec(question)?.[0];
  if (asked === undefined || !/叫|名字/.test(question)) return null;
  return (
    new RegExp(
      `${asked}(?![叫是在住])([\\p{Script=Han}]{2,3}?)(?=[，。、住在今昨明去有喜不和跟的是也会做当\\d]|$)`,
      "u",
    ).exec(text)?.[1] ?? null
  );
}

/** A number, a link or an address that the question names: 航班号, 手机号. */
export function namedChinese(selection: Selection): PatternAnswer | null {
  for (const source of ownTelling(selection).slice(0, sentencesRead)) {
    const text = source.own > 0 ? namedValue(selection.question, source) : null;
    if (text !== null) return { text, source };
  }
  return null;
}

/** A kind and characters that its members are written with. */
const kinds: readonly (readonly [head: RegExp, member: RegExp])[] = [
  [/颜色/, /[红橙黄绿青蓝紫黑白灰棕粉金银]/],
  [/水果/, /[果蕉梨桃莓瓜橙橘柚枣李]|葡萄|荔枝/],
  [/动物|宠物/, /[狗猫鸟鱼兔龟马]|鹦鹉/],
  [/运动/, /[球跑泳拳]|爬山|瑜伽|骑车|滑雪|健身/],
  [/乐器/, /[琴鼓笛箫]|吉他|二胡/],
  [/饮料/, /[茶汁酒奶水]|咖啡|可乐/],
  [/语言/, /[语文]/],
];
const favourite = /(?:最|很)?(?:喜欢|爱|讨厌)([吃喝看听玩读穿])(?:什么|哪)([\p{Script=Han}]{0,3})/u;

/** Whether the sentence speaks of what is asked at all: of a colour, a breed, of eating. */
export function tellsOfAskedChinese({ question }: Selection, { sentence }: ScoredSentence): boolean {
  if (sentence.person !== userPerson) return true;
  const { text } = sentence;
  const head =
    /什么([\p{Script=Han}]{2,4}?)(?:的|呢|吗)?[?？。]*$/u.exec(question.text)?.[1] ??
    /(?:^|的|我)([\p{Script=Han}]{2,3})是(?:什么|多少|哪)/u.exec(question.text)?.[1];
  const verb = favourite.exec(question.text);
  if (verb !== null && !text.includes(verb[1] ?? "") && (verb[2] === "" || !text.includes(verb[2] ?? ""))) return false;
  if (head === undefined || /^(?:名字|东西|事情?|时候|地方|样子?|工作|意思)$/.test(head)) return true;
  if (wordsFor(head).some((word) => text.includes(word)) || text.includes(head.slice(-2))) return true;
  return kinds.some(([asked, member]) => asked.test(head) && member.test(text));
}

export function ownChinese(selection: Selection): PatternAnswer | null {
  const { question } = selection;
  const told = [...introductions(selection), ...ownTelling(selection).slice(0, sentencesRead)];
  const best = Math.max(0, ...told.map(({ own }) => own));
  for (const source of told) {
    const { sentence } = source;
    if (source.own < best * 0.8 && source !== told[0]) continue;
    const text = bare(sentence.text);
    const found =
      namedValue(question, source) ??
      introducedName(question.text, text) ??
      personAnswer(question.text, sentence) ??
      (asksWork.test(question.text) ? work.exec(text)?.[1] : null) ??
      framed(question.text, text) ??
      (question.type === "who" && /[和跟与同]谁/.test(question.text) ? withWhom(sentence) : null) ??
      (question.type === "what" || question.type === "amount" || question.type === "count"
        ? predicate(question.text, text)
        : null) ??
      (question.type === "where" && !/[住去到来回]|搬/.test(question.text) ? placeAnswer(sentence, question) : null) ??
      (/叫什么|名字/.test(question.text) ? namesBehind(text) : null);
    if (found !== null && found !== undefined && found !== "") return { text: wholeWord(found, text), source };
  }
  return null;
}

function namesBehind(text: string): string | null {
  const found = behind(text, /名字是/.test(text) ? "名字是" : /叫做/.test(text) ? "叫做" : "叫");
  return found === null || found.length > 20 ? null : found.replace(/的.*$/, "");
}
