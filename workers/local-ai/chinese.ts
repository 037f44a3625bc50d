/**
 * Chinese questions: the same analysis as `question.ts`, without word boundaries.
 *
 * Use: `readChineseQuestion(text, speakers, dates)`; called by `readQuestion`, which picks the language.
 *
 * What must hold: search terms are pairs of characters (as in the index), taken after question words, pronouns and particles
 * have been cut out, so that "我什么时候去的京都" looks for 京都 and not for 我什.
 */
import type { DateExpression } from "#shared/text/date-wording.ts";
import type { Question, QuestionType, Term } from "#workers/local-ai/question.ts";
import { readWords, userPerson } from "#workers/local-ai/sentences.ts";

const types: readonly (readonly [QuestionType, RegExp])[] = [
  ["frequency", /多久.{0,6}一次|多频繁|每隔多久|多长时间.{0,4}一次/],
  ["ago", /多久(?:以|之)?前|多长时间(?:以|之)?前/],
  ["when", /什么时候|什麼時候|何时|何時|几号|哪天|哪一天|哪年|哪一年|几月|哪个月|什么日期|几点|星期几|周几/],
  ["age", /几岁|多大(?:年纪|岁|了)/],
  ["duration", /多久|多长时间|多少(?:天|年|个月|小时|周)|几(?:天|年|个月|个小时|周)/],

  ["count", /几[个次只条本位人名辆家种件场]|多少(?:个|次|只|条|本|位|人|名|种)/],
  ["amount", /多少|多高|多远|多重|多大的?(?:鞋|码|房|面积)/],
  ["why", /为什么|為什麼|为何|怎么会|什么原因/],
  ["who", /谁|誰|哪位|什么人/],
  ["where", /哪里|哪裡|哪儿|在哪|去哪|什么地方|何地|哪个(?:城市|国家|地方)|住哪/],
  ["yes-no", /[吗嗎]\s*[?？]?\s*$|有没有|是不是|是否|会不会|能不能|去没去/],
  ["choice", /还是/],
  ["how", /怎么样|怎样|如何|怎么/],
  ["what", /什么|什麼|哪些|哪个|哪種|哪/],
];

const questionWords =
  /为什么|為什麼|什么时候|什麼時候|什么地方|什么样|怎么样|怎么会|有没有|是不是|会不会|能不能|多久以?前|多久一次|多久|多长时间|多少|几岁|都(?=[有是会去喜吃看])|一起|一次|几次|多大|几号|哪一天|哪天|哪一年|哪年|什么|什麼|怎么|怎样|如何|哪里|哪裡|哪儿|哪个|哪些|哪位|何时|何地|谁|誰|告诉|请问|还记得|记得|知道|现在|目前|曾经|(?<=[我你他她们])(?:以前|之前|原来|过去)|[吗嗎呢吧啊呀的了过過得地是在也还我你您他她它们們有叫把被和跟与去谁哪几]/g;

/** Words that stand for each other, by the word of the question. */
const relatedWords: Readonly<Record<string, readonly string[]>> = {
  住: ["搬到", "搬去", "家在"],
  工作: ["上班", "职业", "当", "任职"],
  职业: ["工作", "当", "上班", "是一名", "是一位", "是个", "是名"],
  做的: ["当", "工作", "上班", "是一名", "是一位"],
  开会: ["会议"],
  多高: ["身高"],
  多重: ["体重"],
  钱: ["块", "元", "花了", "价格"],
  养: ["有一", "有两", "只"],
  喜欢: ["爱", "喜爱"],
  讨厌: ["不喜欢", "不爱"],
  妈妈: ["母亲"],
  爸爸: ["父亲"],
  母亲: ["妈妈"],
  父亲: ["爸爸"],
  太太: ["妻子", "老婆"],
  妻子: ["太太", "老婆"],
  丈夫: ["先生", "老公"],
  生日: ["出生"],
  去: ["到", "前往"],
  岁: ["年纪"],
};
const relatedShare = 0.6;
const brokenShare = 0.7;

/** The word and those that stand for it. */
export function wordsFor(stem: string): readonly string[] {
  return [stem, ...(relatedWords[stem] ?? [])];
}

/** 1 when the sentence holds the word; less for a related one, or for a pair of which both characters stand apart (跑一次步). */
export function matchChinese(stem: string, text: string): number {
  if (text.includes(stem)) return 1;
  if (relatedWords[stem]?.some((word) => text.includes(word)) === true) return relatedShare;
  const characters = Array.from(stem);
  return characters.length === 2 && characters.every((character) => text.includes(character)) ? brokenShare : 0;
}

const genericWords = new Set([
  "名字",
  "时候",
  "地方",
  "东西",
  "事情",
  "一次",
  "一共",
  "什么",
  "一样",
  "次",
  "个",
  "名",
  "做",
  "几",
  "只",
  "岁",
  "辆",
  "本",
  "条",
  "开",
  "说",
  "喝",
]);

/** Politeness around the question, which asks nothing itself: 请问, 你还记得 … 吗. */
const wrapped =
  /^(?:(?:你好|您好|嗨|请问|请|麻烦|能不能|可以|能|你|您|还|都|帮我|告诉我|一下|提醒我|想知道|我想知道|我忘了|记不记得|知不知道|记得|知道)[，,！!。 ]*)+(?=.*(?:什么|谁|哪|几|多少|为什么|怎么|多久|多大))/;

function unwrapped(text: string): string {
  const asked = text.replace(wrapped, "").replace(/我家(?:是)?在|我的?家在/, "我住在");
  return asked === text || !/[吗嗎]/.test(asked) ? asked : asked.replace(/[吗嗎]\s*([?？]?)\s*$/, "$1");
}

function chineseTerms(text: string, dates: readonly DateExpression[], people: readonly string[]): Term[] {
  let bare = text;
  for (const date of dates) bare = bare.replace(date.text, " ");
  for (const person of people) bare = bare.replaceAll(person, " ");
  const stems = readWords(bare.replace(questionWords, " ")).map((word) => word.stem);
  // A question may be made of particles only around one verb (住, 叫): then the single characters are all there is.
  return [...new Set(stems)].map((stem) => ({
    stem,
    weight: genericWords.has(stem) ? 0.2 : 1,
    name: /[妈爸姐妹哥弟爷奶]|朋友|同事|老板|老师|太太|妻子|丈夫|女儿|儿子|狗|猫/.test(stem),
  }));
}

export function readChineseQuestion(
  written: string,
  speakers: ReadonlySet<string>,
  dates: readonly DateExpression[],
): Question {
  const text = unwrapped(written);
  const type = types.find(([, pattern]) => pattern.test(text))?.[0] ?? "what";
  const named = [...speakers].filter((speaker) => speaker !== userPerson && text.toLowerCase().includes(speaker));
  const people = [...named, ...(/[我咱俺]/.test(text) ? [userPerson] : [])];
  return {
    text,
    language: "zh",
    type,
    list: /哪些|有什么|都有|所有|分别|列出/.test(text),
    terms: chineseTerms(text, dates, people),
    people,
    head: null,
    unit: /哪一?年/.test(text) ? "year" : /几月|哪个月/.test(text) ? "month" : "day",
    dates,
    words: readWords(text),
    choices: /还是/.test(text)
      ? text
          .replace(/[?？。]/g, "")
          .split("还是")
          .map((part) => part.slice(-4))
      : [],
  };
}
