/**
 * Every sentence that the extractive engine says in its own words, in English and Chinese.
 *
 * Use: `phrases(language).unknown`.
 *
 * What must hold: the abstention is exactly `I don't know.` (`我不知道。`), first in the text; no phrase states a fact about the
 * user, because only cited page text may do that.
 */
export type Language = "en" | "zh";

export interface Phrases {
  readonly unknown: string;
  /** For a question about nobody the memory knows. */
  readonly unknownInGeneral: string;
  readonly needsModel: string;
  readonly noted: string;
  readonly greeting: string;
  readonly thanks: string;
  readonly farewell: string;
  readonly wellBeing: string;
  readonly capabilities: string;
  readonly nothingToForget: string;
  readonly noMemoryTool: string;
  readonly nothingToRemember: string;
  readonly yes: string;
  readonly no: string;
  /** How Chinese denies what has not happened or is not there. */
  readonly notYet: string;
  /** Stands above a list of quotes. */
  readonly quotes: string;
  readonly separator: string;
  readonly colon: string;
  readonly stop: string;
  readonly remembered: (handle: string) => string;
  readonly forgotten: (handle: string) => string;
  readonly whichToForget: (candidates: string) => string;
  readonly failed: (detail: string) => string;
}

const english: Phrases = {
  unknown: "I don't know.",
  unknownInGeneral: "I don't know. General knowledge needs a language model.",
  needsModel:
    "That needs a language model, and none is loaded here. Without one I can answer from what you have told me, and remember, find or forget it.",
  noted: "Noted.",
  greeting: "Hello! Tell me something to remember, or ask about what you have told me.",
  thanks: "You're welcome.",
  farewell: "Goodbye!",
  wellBeing: "All systems are running. What would you like to remember or look up?",
  capabilities:
    "I am Lamina without a language model: I remember what you tell me, answer questions from it with the source and the date, and forget on request. Writing, translating and general knowledge need a language model.",
  nothingToForget: "Nothing in memory clearly matches that, so I forgot nothing.",
  noMemoryTool: "Memory cannot be changed in this call.",
  nothingToRemember: "What should I remember?",
  yes: "Yes",
  no: "No",
  notYet: "No",
  quotes: "In your own words, as quotes (a summary in other words needs a language model):",
  separator: ", ",
  colon: ": ",
  stop: ".",
  remembered: (handle) => `Remembered [${handle}].`,
  forgotten: (handle) => `Forgotten: ${handle}.`,
  whichToForget: (candidates) => `Several pages match. Which one should I forget?\n${candidates}`,
  failed: (detail) => `That did not work: ${detail}`,
};

const chinese: Phrases = {
  unknown: "我不知道。",
  unknownInGeneral: "我不知道。常识问题需要语言模型。",
  needsModel:
    "这需要语言模型，而这里没有加载。没有语言模型时，我可以根据你告诉过我的内容回答问题，也可以记住、查找或忘记它们。",
  noted: "好的，知道了。",
  greeting: "你好！可以告诉我要记住的事，或者问我你说过的事。",
  thanks: "不客气。",
  farewell: "再见！",
  wellBeing: "一切正常。想记住或查找什么？",
  capabilities:
    "我是没有语言模型的 Lamina：我会记住你说的话，根据它们回答问题并给出来源和日期，也能按要求忘记。写作、翻译和常识问题需要语言模型。",
  nothingToForget: "记忆里没有明确符合的内容，所以什么都没有忘记。",
  noMemoryTool: "这次调用不能更改记忆。",
  nothingToRemember: "要记住什么？",
  yes: "是的",
  no: "不",
  notYet: "没有",
  quotes: "以下是你的原话（用别的话来总结需要语言模型）：",
  separator: "、",
  colon: "：",
  stop: "。",
  remembered: (handle) => `已记住 [${handle}]。`,
  forgotten: (handle) => `已忘记：${handle}。`,
  whichToForget: (candidates) => `有几条内容符合，要忘记哪一条？\n${candidates}`,
  failed: (detail) => `没有成功：${detail}`,
};

export function phrases(language: Language): Phrases {
  return language === "zh" ? chinese : english;
}
