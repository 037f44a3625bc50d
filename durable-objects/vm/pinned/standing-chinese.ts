/**
 * Standing in Chinese: the patterns of standing instructions and preferences in one sentence. Pure.
 *
 * The same rules as in English (`standing-english.ts`): an instruction is the whole sentence, a preference the clauses in the
 * first person that say it.
 */
import type { Sentence, Stretch } from "#kernel/vm/pinned/standing.ts";

const POLITE =
  "(?:[-*•、\\s]|请|麻烦|拜托|你|您|那|那么|另外|还有|对了|希望你?|我希望你?|我要你|我想让你|记得|记住|注意|务必|一定要?)*[，,:：]?\\s*";

const FROM_NOW_ON =
  /(?:以后|今后|往后|从现在起|从现在开始|从今天起|从今往后|从此以后?|日后)[^。！？?]{0,40}?(?:请|都|要|用|不要|别|不用|不许|不准|只|叫我|称呼|回答|回复|说|给我|帮我|记得|必须|尽量|一律)/u;
const ALWAYS = new RegExp(
  `^${POLITE}(?:总是|始终|一律|永远|每次|每一次|凡是|无论|任何时候|所有回答|所有的回答|每个回答|每条回复)[^。！？?]{0,60}?(?:用|请|要|都|不要|别|以|先|给|加|附|写|说|回答|回复|列|提供|使用|包括|标注|保持|注明|解释|提醒)`,
  "u",
);
const WHEN_I_ASK =
  /(?:当|如果|要是|只要|每当|每次)?我(?:再)?(?:问|提到|要求|让你|说到|发|请你|谈到|提问|询问)[^。！？?]{0,40}?(?:时候?|的话|，|,)[^。！？?]{0,10}?(?:请|就|都|要|记得|你|必须|先|一定|不要|别)/u;
const NO_MORE = new RegExp(
  `^${POLITE}(?:再也)?(?:不要再|别再|不许再|不准再|永远不要|永远别|绝对不要|千万不要|千万别)[^。！？?]{2,60}$`,
  "u",
);
const STYLE_OF_ANSWERS =
  /(?:回答|回复|答案|解释|说话|语气)(?:请|要|都|应该|必须|尽量|最好|得)+[^。！？?]{0,20}(?:简短|简洁|详细|正式|口语|分点|中文|英文|短|幽默|礼貌|直接|通俗|客观)/u;
const SHORT_COMMAND = new RegExp(
  `^${POLITE}(?:只|都|一直|全部|统一)?(?:用|使用|说|讲)(?:简体|繁体|简体中文|繁体中文|中文|英文|英语|汉语|普通话|粤语|日语|法语|德语|西班牙语|韩语|俄语|白话|口语)(?:来)?(?:回答|回复|交流|对话|跟我说话|说话|沟通|聊天|写)?(?:我|问题)?(?:吧|就好|就行|即可)?$|^${POLITE}(?:不要|别)用(?:表情|表情符号|emoji|术语|英文|表格)(?:了)?$|^${POLITE}(?:回答|回复)?(?:简短|简洁|详细|正式)(?:一?点|一些)$`,
  "u",
);
const CALL_ME = new RegExp(
  `^${POLITE}(?:可以|就|都|应该)?(?:直接)?(?:叫|称呼)我(?!们|去|来|做|吃|起床|一声|过|的|干|怎|什|有|回|不|妈|爸)(?:为|作)?[\\p{L}·]{1,12}(?:就好|就行|吧|即可|好了)?$`,
  "u",
);
const ONCE = /今天|今晚|明天|后天|昨天|这次|这一次|这回|这周|本周|这个月|现在先|暂时|下次|下周|刚才|一会儿?/u;
const ASKS = /[?？]\s*$|[吗嗎呢]\s*[。.]?\s*$|什么时候|为什么|怎么办|是不是|要不要|能不能|可不可以|哪[个些里种]/u;

export function standingInChinese({ text, alone }: Sentence): Stretch[] {
  const bare = text.replace(/[。！!.\s]+$/u, "").trimStart();
  const asks = ASKS.test(text);
  if (!asks && !ONCE.test(text) && isInstruction(bare, alone))
    return [{ kind: "instruction", start: 0, end: text.length }];
  return preferences(text);
}

function isInstruction(text: string, alone: boolean): boolean {
  if (/^(?:他|她|它|我妈|我爸|老师|老板|妈妈|爸爸|医生|同事|朋友)/u.test(text)) return false;
  if (
    FROM_NOW_ON.test(text) &&
    !/^(?:以后|今后|从现在起|从今天起)?[，,]?我(?:要|会|想|打算|得|就|决定|再也|不)/u.test(text)
  )
    return true;
  if (ALWAYS.test(text) || WHEN_I_ASK.test(text) || NO_MORE.test(text) || STYLE_OF_ANSWERS.test(text)) return true;
  return CALL_ME.test(text) || (alone && text.length <= 40 && SHORT_COMMAND.test(text));
}

const VERB =
  "(?:(?:一直|平时|通常|一般|还是|其实|真的|个人|本人|特别|非常|很|最|更|更加|比较|超|超级|挺|都|也|向来|从来|从小|就)*(?:不太|不怎么|不|没那么)?(?:喜欢|偏好|偏爱|倾向于?|热爱|爱吃|爱喝|爱看|爱听|爱用|讨厌|厌恶|习惯(?!了)|受不了)|(?:从来|一直)?不(?:吃|喝|能吃|能喝)|吃素|(?:是)?(?:素食主义者|素食者)|对[^，。！？,]{1,12}过敏)";
const CLAUSES: readonly RegExp[] = [
  /比起[^，。！？,]{1,20}[，,]?我(?:还是|其实)?(?:更|比较|最)?(?:喜欢|偏好|爱|倾向)[^，。！？；,?;]*/gu,
  /(?:和|跟|与)[^，。！？,]{1,16}相比[，,]?我(?:更|比较)?(?:喜欢|偏好|爱|倾向)[^，。！？；,?;]*/gu,
  new RegExp(
    `(?:^|(?<=[，,；;：:。！\\s但可而且因为所以记住另外])|(?<=记住|知道|因为|其实|不过|虽然|比如))我(?!们)${VERB}[^，。！？；,?;]*`,
    "gu",
  ),
  /我(?:最(?:喜欢|爱)的|的偏好|偏好的|首选的?)[^，。！？,]{0,12}是[^，。！？；,?;]*/gu,
];
const POINTS_BACK =
  /(?:喜欢|偏好|爱|讨厌|习惯|倾向于?)(?:这个|那个|这样|那样|它|他|她|你|您|这些|那些|这种|这首|这本|这部|上面|刚才|第[一二三]|什么|哪)/u;
/** Supposed, asked or past. */
const NOT_NOW = /如果|假如|要是|以前|曾经|过去|小时候|本来|觉得.{0,4}会|可能/u;

function preferences(text: string): Stretch[] {
  if (ASKS.test(text) && !/[，,].+[?？]/u.test(text)) return [];
  const found: Stretch[] = [];
  for (const pattern of CLAUSES) {
    for (const match of text.matchAll(pattern)) {
      const [clause] = match;
      const start = match.index;
      const end = start + clause.length;
      const before = text.slice(Math.max(0, start - 6), start);
      const known = found.some((other) => start < other.end && end > other.start);
      const asks = /[吗嗎呢]$|什么|哪[个些种]|多少/u.test(clause);
      if (!known && !asks && !POINTS_BACK.test(clause) && !NOT_NOW.test(before + clause) && !ONCE.test(clause))
        found.push({ kind: "preference", start, end });
    }
  }
  return found.sort((one, other) => one.start - other.start);
}
