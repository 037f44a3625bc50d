/**
 * What the user wants with an instruction: ask, tell, remember, forget, small talk, or something that needs a language model.
 *
 * Use: `readIntent(text)`; `plan.ts` decides what to do about it.
 *
 * What must hold: only the user's own instruction is read, never page text; "don't forget …" is remembering, "do you remember …?"
 * is a question; what is to be remembered is kept in the user's own words.
 */
import { hasHan } from "#workers/local-ai/sentences.ts";

export type MemoryKind = "fact" | "instruction";

export type Intent =
  | { readonly kind: "remember"; readonly text: string; readonly memory: MemoryKind }
  | { readonly kind: "forget"; readonly handle: string | null; readonly text: string }
  | {
      readonly kind: "question";
      readonly text: string;
      /** "How do I …?": without evidence it asks for advice, which needs a language model. */
      readonly advice: boolean;
    }
  | { readonly kind: "about"; readonly text: string }
  | { readonly kind: "everything" }
  | { readonly kind: "arithmetic"; readonly answer: string }
  | { readonly kind: "generate" | "statement" | "greeting" | "thanks" | "farewell" | "well-being" | "capabilities" };

const polite =
  "(?:(?:please|kindly|hey|hi|ok|okay|so|and|now|well|lamina|can you|could you|would you|will you|i want you to|i need you to|i'd like you to|let's)[,!]? +)*";
const remember = new RegExp(
  `^${polite}(?:remember|don['’]t (?:ever )?forget|do not forget|never forget|memori[sz]e|keep in mind|bear in mind|note(?: down)?|make a note(?: of)?|take a note|write down|save|store|record)\\b(?: (?:this|it|down|for (?:me|later)|the fact))*(?:[:,]| that\\b)? *(.*)$`,
  "is",
);
const rememberQuestion =
  /^\W*(?:do|did|can|could) (?:you|we|i) (?:still )?remember\b|^\W*remember (?:when|what|where|who|how|which)\b.*\?\s*$/i;
const forget = new RegExp(
  `^${polite}(?:forget|delete|erase|remove|drop|unlearn)\\b(?: (?:about|everything about|the (?:fact|note|page|memory|entry)(?: about| that)?|what i (?:said|told you) about|my (?:note|memory) (?:about|that)|page))*(?: that\\b)? *(.*)$`,
  "is",
);
const instructionWords =
  /^(?:to )?(?:always|never|from now on|whenever|when i ask|answer|reply|respond|call me|address me|use|speak|be brief|keep)\b|^(?:以后|总是|永远|从现在起|请用|回答时)/i;

const generate = new RegExp(
  `^${polite}(?:write|compose|draft|translate|summari[sz]e|generate|create|code|program|implement|explain|rewrite|rephrase|paraphrase|brainstorm|suggest|recommend|design|invent|imagine|pretend|prove|solve|calculate|compute|convert|proofread|improve|debug|draw|paint|sing|tell me (?:a|another) (?:story|joke|poem)|make (?:me )?(?:a|an|up)|give me (?:some )?(?:ideas|advice|tips|an essay|a (?:poem|story|recipe|joke|plan))|help me (?:write|plan|code|translate|with my (?:essay|homework)))\\b`,
  "i",
);
const chineseAdvice = /^(?:怎么|怎样|如何|应该|为什么(?!我))/;
const adviceQuestion =
  /^\W*how (?:do|can|should|would) (?:i|you|we|one) (?!know\b|feel\b)|^\W*(?:how do you say|what does .+ mean|what should i|what would you|can you (?:help|make|explain|suggest))\b/i;
const asks = new RegExp(
  `[?？]\\s*$|^${polite}(?:what|which|who|whom|whose|where|when|why|how|is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|am|tell me (?!that)|remind me|list|name|(?:what|who|where|when|how)s|what['’]s|who['’]s|where['’]s|when['’]s|show me|find|search|look up|give me)\\b`,
  "i",
);
const ellipsis = /^\W*(?:and|what about|how about|or)\b.{0,60}\?\s*$/i;

const chineseRemember =
  /^(?:请|麻烦|帮我|你|要|一定要|给我)*(?:记住|记下来?|记一下|记得|别忘了|不要忘记|不要忘了|牢记|备注一下)(?:一下|这个|这件事)?[，,：: ]*(.*)$/s;
const chineseForget = /^(?:请|麻烦|帮我|你|把)*(?:忘记|忘掉|忘了|删除|删掉|清除|抹掉)(?:关于|有关)?[，,：: ]*(.*)$/s;
const chineseAsk =
  /[?？]\s*$|[吗嗎呢]\s*[。.]?\s*$|什么|什麼|谁|誰|哪[里裡儿个些位年天]|[在住去到]哪|哪\s*$|啥|多[大高重远]|怎么|怎样|如何|为什么|多少|几[个次岁点号只天年月本]|多久|是不是|有没有|告诉我|列出/;
const chineseGenerate =
  /^(?:请|麻烦|帮我|你能|能不能|可以|给我|你|能|帮忙)*(?:写|作一?首|翻译|总结|概括|生成|创作|编写?|画|解释|推荐|建议|设计|计算|改写|润色|证明|讲(?:个|一个)|说个笑话|想(?:一个|几个))/;

const greeting =
  /^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening)|greetings|yo|howdy)(?: (?:there|lamina|again|everyone))?\W*$|^(?:你好|您好|嗨|哈喽|早上好|晚上好|下午好|早安|在吗)[呀啊!！。,，~\s]*$/i;
const thanks =
  /^\W*(?:(?:ok|okay|great|cool|perfect|awesome)[,!. ]+)?(?:thanks|thank you|thx|cheers|much appreciated|ta)\b[^?]{0,40}$|^(?:好的[，,]?)?(?:谢谢|多谢|感谢|谢啦|谢了)[^?？]{0,12}$/i;
const farewell =
  /^\W*(?:bye|goodbye|see you(?: later)?|good night|farewell|bye bye)\W*$|^(?:再见|拜拜|晚安)[!！。~\s]*$/i;
const wellBeing =
  /^\W*(?:(?:hi|hey|hello)[,!. ]+(?:\w+[,!. ]+)?)?(?:how are you(?: doing)?(?: today)?|how's it going|what's up|how do you do)\W*$|^你(?:还)?好吗[?？]?$|^最近怎么样[?？]?$/i;
const capabilities =
  /^\W*(?:(?:what|who) are you|what can you do|what do you do|how do you work|help|what is (?:this|lamina)|who made you|are you (?:an? )?(?:ai|llm|language model|bot|human))\W*$|^(?:你是谁|你能做什么|你会做什么|你会什么|帮助|怎么用)[?？。]?$/i;
const about = new RegExp(
  `^${polite}(?:what (?:do|did|else do) you (?:know|remember|have)|what (?:have i|did i) (?:told|tell|said|say|mentioned|mention)(?: to)?(?: you)?|list(?: everything| all)?(?: you know| i (?:told|said))?|show me (?:everything|all)(?: you know| i (?:told|said))?|tell me(?: everything| all| something| more| what you know)?|summari[sz]e what (?:you know|i (?:told|said)).*?)(?: (?:of|about|on|regarding|to you about))? +(.+?)[?.!]*$`,
  "i",
);
const chineseAbout =
  /^(?:请)?(?:你(?:还|都)?(?:知道|记得)(?=我的?什么|我的?哪些|我些什么)|你(?:还)?(?:知道|记得)(?:哪些|什么)?(?:关于)?|关于|说说|讲讲|介绍一下)(.+?)(?:的(?:事|事情|情况|信息)|的?(?:什么|哪些|些什么)(?:事|事情|信息)?|你(?:还)?(?:知道|记得)(?:什么|哪些|些什么))[吗？?。]*$/;

const told =
  "(?:i(?:['’]ve| have)? (?:just |already )?(?:told|said|tell|say|shared|mentioned|wrote|given)(?: to)?(?: you)?|you (?:know|remember|have stored|have))";
const when = "(?: so far| until now| today| yet| already| before)?";
const everything = new RegExp(
  `^${polite}(?:(?:summari[sz]e|recap|sum up|review|list|show(?: me)?|tell me|repeat|give me (?:a )?(?:summary|list|recap|overview) of)(?: everything| all| all that| what| the things| it all| a list of)?(?: ${told})?${when}(?: about (?:me|myself))?|what (?:do|did|else do) you (?:know|remember)${when}(?: about (?:me|myself))?|what (?:have i|did i) (?:told|tell|say|said)(?: to)?(?: you)?${when}(?: about (?:me|myself))?|(?:summari[sz]e|recap|list|show(?: me)?) (?:me|my (?:notes|memories|memory|facts)|(?:our|this) (?:conversation|chat))|(?:tell me|what is known) (?:something )?about (?:me|myself))${when}\\W*$`,
  "i",
);
const chineseEverything =
  /^(?:请|麻烦|帮我|你能|能不能|可以|给我|你)*(?:(?:总结|概括|列出|回顾|说说|复述|整理)(?:一下|下|出)?(?:我(?:都|刚才|之前)?(?:告诉|跟|和|对)?(?:过)?(?:你)?(?:说|讲|提)?(?:过|了)?的?|你(?:所)?(?:知道|记得)的?|所有|全部|一切|我的)?(?:内容|事情|事|话|一切|所有|东西|信息)*(?:吧|吗)?|(?:都|还)?(?:知道|记得)(?:关于)?我(?:的)?(?:什么|哪些|多少|些什么)(?:事|事情|信息)?|(?:关于|对)我[，,]?(?:你)?(?:都)?(?:知道|记得|了解)(?:些)?(?:什么|哪些|多少)|(?:(?:都|还)?(?:知道|记得))?我(?:都|之前|刚才)?(?:告诉|跟|对|说|讲)(?:过)?(?:你)?(?:说)?(?:过|了)?(?:什么|哪些|些什么)(?:事|事情)?)[吗吧呢?？。!！]*$/;

const smallTalk = [
  ["greeting", greeting],
  ["thanks", thanks],
  ["farewell", farewell],
  ["well-being", wellBeing],
  ["capabilities", capabilities],
] as const;

function readArithmetic(text: string): string | null {
  const match =
    /^\W*(?:what(?:'s| is)|how much is|calculate|compute|算一下|计算)?\s*(-?\d{1,9}(?:\.\d{1,6})?)\s*([-+*x×/÷]|plus|minus|times|divided by|加|减|乘以?|除以)\s*(-?\d{1,9}(?:\.\d{1,6})?)\s*(?:=|等于(?:多少|几)?|是多少)?\s*[?？。.]*$/i.exec(
      text,
    );
  if (match === null) return null;
  const [left, right] = [Number(match[1]), Number(match[3])];
  const operator = (match[2] ?? "").toLowerCase();
  const value = /^(?:\+|plus|加)$/.test(operator)
    ? left + right
    : /^(?:-|minus|减)$/.test(operator)
      ? left - right
      : /^(?:\*|x|×|times|乘以?)$/.test(operator)
        ? left * right
        : right === 0
          ? null
          : left / right;
  return value === null ? null : String(Number(value.toPrecision(12)));
}

function readForget(rest: string): Intent | null {
  const handle = /^(?:page |the page |页面?)?\[?(p(?=[0-9a-z]*\d)[0-9a-z]{1,12})\]?[.!。]?$/i.exec(rest.trim());
  if (handle !== null) return { kind: "forget", handle: (handle[1] ?? "").toLowerCase(), text: rest };
  const text = rest.replace(/[.!。！]+$/, "").trim();
  return /^(?:it|this|that|about it)?$/i.test(text) ? { kind: "statement" } : { kind: "forget", handle: null, text };
}

function readChinese(text: string): Intent {
  const remembered = /[?？吗]\s*$/.test(text) ? null : chineseRemember.exec(text);
  if (remembered !== null) return rememberIntent(remembered[1] ?? "");
  const forgotten = /[?？吗]\s*$/.test(text)
    ? null
    : (chineseForget.exec(text) ?? /^把(.+?)(?:忘记|忘掉|忘了|删除|删掉|清除)[吧了。]*$/.exec(text));
  const intent =
    forgotten === null ? null : readForget((forgotten[1] ?? "").replace(/(?:这件事|的事情?|吧|了)[。！!]*$/, ""));
  if (intent !== null) return intent;
  if (chineseEverything.test(text)) return { kind: "everything" };
  const subject = chineseAbout.exec(text)?.[1];
  if (subject !== undefined) return { kind: "about", text: subject };
  if (/^(?:以后|从现在起|从今以后|今后)/.test(text) && !chineseAsk.test(text)) return rememberIntent(text);
  if (chineseGenerate.test(text)) return { kind: "generate" };
  return chineseAsk.test(text) ? { kind: "question", text, advice: chineseAdvice.test(text) } : { kind: "statement" };
}

function rememberIntent(rest: string): Intent {
  const text = rest.trim().replace(/^to (?=(?:always|never|answer|reply|respond|call|use|speak|be|keep)\b)/i, "");
  return { kind: "remember", text, memory: instructionWords.test(text) ? "instruction" : "fact" };
}

function readEnglish(text: string): Intent {
  const question = /\?\s*$/.test(text);
  const remembered = rememberQuestion.test(text) || question ? null : remember.exec(text);
  if (remembered !== null) return rememberIntent(remembered[1] ?? "");
  if (
    /^\W*(?:from now on|whenever i|when i ask|(?:always|never) (?:answer|reply|respond|use|call|write|speak|say|mention|ask|tell|be))\b/i.test(
      text,
    ) &&
    !question
  )
    return rememberIntent(text);
  const forgotten = question && !/^\W*(?:can|could|would|will) you\b/i.test(text) ? null : forget.exec(text);
  const intent = forgotten === null ? null : readForget((forgotten[1] ?? "").replace(/\?+$/, ""));
  if (intent !== null) return intent;
  if (everything.test(text)) return { kind: "everything" };
  const subject = about.exec(text)?.[1];
  if (subject !== undefined && !/\b(?:what|when|where|who|why|how)\b/i.test(subject)) {
    if (!/^(?:a|an|another) (?:story|joke|poem|riddle)/i.test(subject)) return { kind: "about", text: subject };
  }
  if (ellipsis.test(text)) return { kind: "question", text, advice: false };
  if (generate.test(text)) return { kind: "generate" };
  const advice = adviceQuestion.test(text);
  return advice || asks.test(text) ? { kind: "question", text, advice } : { kind: "statement" };
}

/** Characters that are read to see what is wanted. A longer instruction is mostly pasted text. */
const headLength = 1000;

function readShort(text: string): Intent {
  for (const [kind, pattern] of smallTalk) if (pattern.test(text)) return { kind };
  const answer = readArithmetic(text);
  if (answer !== null) return { kind: "arithmetic", answer };
  return hasHan(text) ? readChinese(text) : readEnglish(text);
}

export function readIntent(instruction: string): Intent {
  const text = instruction.trim();
  if (text.length <= headLength) return readShort(text);
  const intent = readShort(text.slice(0, headLength));
  if (intent.kind === "remember") return { ...intent, text: intent.text + text.slice(headLength) };
  // Nothing is forgotten by a long text, and a question about one stands at its end.
  const end =
    text
      .slice(-headLength / 2)
      .split(/(?<=[.!?。！？\n])\s*/)
      .filter((part) => part !== "")
      .at(-1) ?? "";
  return intent.kind === "forget" || /[?？]$/.test(end) ? readShort(end) : intent;
}
