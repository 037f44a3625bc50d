/**
 * Claims in Chinese: 我搬到北京了, 我的手机号是…, 我不再吃肉, 会议改到四点.
 *
 * Use: `readChineseClaims(sentence, person)`; see `claims.ts` for what a claim is and what must hold.
 */
import type { Claim } from "#shared/text/claim.ts";

const UNSURE =
  /[?？吗呢"“「]|如果|要是|假如|可能|也许|打算|想|希望|计划(?!是)|准备|(?<![开约])会(?![议计员场])|要(?=搬|去|换|改)|将|听说|觉得|以为|应该|做梦|差点|暂时|临时/;
const RELATION =
  "妈妈|爸爸|姐姐|妹妹|哥哥|弟弟|太太|妻子|老婆|丈夫|老公|女儿|儿子|朋友|女朋友|男朋友|老板|同事|奶奶|爷爷|父母";
const SUBJECT = `(我们?|我的?(?:${RELATION})|(?![我你您他她它这那])\\p{Script=Han}{2,3})`;
const NOW = "(?:现在|目前|如今|上个?月|上个?周|昨天|今天|今年|去年|已经|刚刚?|最近|终于|还|也|一直|都)*";
const SINGLE =
  /(?:号码?|电话|手机|邮箱|地址|密码|老板|经理|医生|工作|职业|公司|名字|昵称|生日|体重|身高|年龄|座位|房间|航班|车牌|学校|专业|房租|预算|工资|最(?:喜欢|爱)的.{1,6})$/;
const VERBS = "喜欢|爱|吃|喝|抽|用|玩|开|做|学|养|穿|看|听|练|打|去|信";

function plain(value: string): string {
  return value
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[了的吧啦]+$/, "")
    .replace(/^(?:在|到)/, "")
    .replace(/[\s。！!，,]/g, "");
}

function owner(words: string, person: string): string {
  return /^我们?的?$/.test(words) ? person : words.replace(/^我的?/, `${person} `);
}

type Reading = readonly [attribute: string, value: string, single: boolean, holds: boolean];

const FORMS: readonly (readonly [RegExp, (groups: readonly string[]) => Reading])[] = [
  [new RegExp(`^${SUBJECT}${NOW}不再?住在?(.{1,12}?)了?$`, "u"), ([, place = ""]) => ["住", place, true, false]],
  [
    new RegExp(`^${SUBJECT}${NOW}(?:住在|搬(?:家)?(?:到|去|来|回)了?|定居(?:在|于)?)(.{1,12}?)(?:住|生活)?了?$`, "u"),
    ([, place = ""]) => ["住", place, true, true],
  ],
  [
    new RegExp(`^${SUBJECT}${NOW}(?:在(.{1,16}?)(?:上班|工作|任职)|(?:跳槽到|加入|入职|换到)了?(.{1,16}?))了?$`, "u"),
    ([, at = "", joined = ""]) => ["公司", at === "" ? joined : at, true, true],
  ],
  [
    new RegExp(`^${SUBJECT}${NOW}(?:戒)了?(烟|酒|糖|咖啡)了?$`, "u"),
    ([, what = ""]) => [`做 ${what === "烟" ? "抽" : what === "糖" ? "吃" : "喝"}`, what, false, false],
  ],
  [
    new RegExp(`^${SUBJECT}${NOW}(?:不再|再也不|不)(${VERBS})(.{0,12}?)了?$`, "u"),
    ([, verb = "", object = ""]) => [`做 ${verb}`, object, false, false],
  ],
  [
    new RegExp(`^${SUBJECT}${NOW}(?:很|非常|特别|每天|经常|又)*(${VERBS})(?![过了完到的])(.{0,12}?)$`, "u"),
    ([, verb = "", object = ""]) => [`做 ${verb}`, object, false, true],
  ],
];

const NAMED = new RegExp(
  `^(我们?的?(?:(?:${RELATION})的?)?)(?:新的?|现在的?)?((?:最(?:喜欢|爱)的)?[\\p{Script=Han}A-Za-z]{1,8}?)${NOW}(?:是|为|换成了?|改成了?|改为了?|变成了?|叫)(?!不)(.{1,40}?)了?$`,
  "u",
);
const CHANGED =
  /^(?:我们?的?)?(.{1,8}?)(?:的?时间)?(?:改到|推迟到|提前到|改成|改为|换到|换成|延期到|移到)了?(.{1,20}?)了?$/u;
const SET = /^(?:我们?的?)?(.{1,8}?)(?:的?时间)?(?:是|定在|安排在|在)(.{1,20}?)$/u;
const WHEN = /\d|[一二三四五六七八九十]点|周|星期|礼拜|月|号|[上下]午|晚上|早上|明天|后天/;

function readNamed(clause: string, person: string): Claim | null {
  const match = NAMED.exec(clause);
  const [, whose = "", name = "", value = ""] = match ?? [];
  if (match === null || !SINGLE.test(name)) return null;
  return { subject: owner(whose, person), attribute: name, value: plain(value), holds: true, single: true };
}

/** An appointment: 会议在三点, 会议改到四点. */
function readSet(clause: string): Claim | null {
  const changed = CHANGED.exec(clause);
  const match = changed ?? SET.exec(clause);
  const [, name = "", value = ""] = match ?? [];
  if (match === null || !WHEN.test(value) || /^[我你他她]/.test(name)) return null;
  return { subject: "the", attribute: name, value: plain(value), holds: true, single: changed !== null };
}

function readClause(clause: string, person: string): Claim | null {
  for (const [pattern, read] of FORMS) {
    const groups = pattern.exec(clause)?.slice(1);
    if (groups === undefined) continue;
    const [attribute, value, single, holds] = read(groups.map((group) => group ?? ""));
    return { subject: owner(groups[0] ?? "", person), attribute, value: plain(value), single, holds };
  }
  return readNamed(clause, person) ?? readSet(clause);
}

export function readChineseClaims(sentence: string, person: string): Claim[] {
  if (UNSURE.test(sentence)) return [];
  return sentence
    .replace(/^(?:请|帮我)*(?:记住|记得|记下来?|备注)[:：，,]?/, "")
    .split(/[，,。；;！!]/)
    .map((clause) =>
      clause
        .trim()
        .replace(/^(?:现在|目前|其实|另外|对了|上个?月|上周|昨天|今天|今年|去年|最近|从今天起|更新)[:：]?/, ""),
    )
    .filter((clause) => clause !== "")
    .flatMap((clause) => readClause(clause, person) ?? []);
}
