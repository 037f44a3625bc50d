/**
 * Follow-up questions: "and her sister?", "where does she live?", "what about 2022?", resolved from the turns before.
 *
 * Use: `resolveFollowUp(text, thread)` gives the question written out as far as the thread allows, and whether it was a follow-up.
 *
 * What must hold: only the same thread is read; a question that stands on its own comes back unchanged; the result is used for
 * matching and searching only, so a clumsy sentence does no harm.
 */
import { nounList } from "#workers/local-ai/noun-list.ts";
import { relations } from "#workers/local-ai/question.ts";
import { hasHan, readSentences } from "#workers/local-ai/sentences.ts";

export interface ResolvedQuestion {
  readonly text: string;
  readonly followsUp: boolean;
}

type Thread = readonly { readonly role: "user" | "assistant"; readonly text: string }[];

const pronoun = /\b(?:she|he|they|her|his|him|hers|their|them|it|its|there|that one|this one)\b/i;
const elliptic = /^\W*(?:and|what about|how about|or|also|but|then)\b[\s,]*/i;
const notNames = new Set(
  "I The A An And Or But What Which Who Whom Whose Where When Why How Is Are Was Were Do Does Did Has Have Had Can Could Will Would Should Tell Remind List Yes No My Me It She He They We You In On At So Ok Okay Please Remember Noted Remembered".split(
    " ",
  ),
);

function properNames(text: string): string[] {
  return [...text.matchAll(/\b\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+)*/gu)]
    .map((match) => match[0].replace(/['’]s$/, ""))
    .filter((name) => !notNames.has(name));
}

/** "my sister", "my best friend": a person named by what they are to the user. */
function relation(text: string): string | undefined {
  return [
    ...text.matchAll(
      /\bmy (?:\w+ )?(?:mother|mom|father|dad|sister|brother|wife|husband|partner|girlfriend|boyfriend|friend|boss|colleague|son|daughter|cousin|aunt|uncle|grandmother|grandfather|grandma|grandpa|neighbou?r|teacher|doctor|dog|cat|roommate)\b/gi,
    ),
  ].at(-1)?.[0];
}

function antecedent(thread: Thread): string | undefined {
  for (let index = thread.length - 1; index >= Math.max(0, thread.length - 6); index -= 1) {
    const entry = thread[index];
    if (entry === undefined || entry.role !== "user") continue;
    const found = relation(entry.text)?.replace(/^My\b/, "my") ?? properNames(entry.text)[0];
    if (found !== undefined) return found;
  }
  return undefined;
}

const things = /^(?:my|our|the|a|an)$/;
const times = /\b(?:day|week|weekend|month|year|time|moment|morning|afternoon|evening|night|lot|bit)s?$/i;

/** "the meeting with Paul": the last thing that the user spoke of, for "it". */
function lastThing(thread: Thread): string | undefined {
  for (const entry of thread.slice(-8).toReversed()) {
    if (entry.role !== "user") continue;
    const [sentence] = readSentences({
      handle: "p0",
      kind: "turn",
      at: null,
      role: "user",
      speaker: null,
      source: null,
      text: entry.text,
      rank: 0,
    });
    for (const [index, word] of (sentence?.words ?? []).entries()) {
      if (sentence === undefined || !things.test(word.lower)) continue;
      const end = nounList(sentence, index);
      const last = sentence.words[end - 1];
      if (last === undefined || end <= index + 1) continue;
      const thing = sentence.text.slice(word.start, last.end);
      const company = /^ (?:with|of|for|about) (?:\p{Lu}[\p{L}'’-]*)/u.exec(sentence.text.slice(last.end))?.[0] ?? "";
      if (!times.test(thing) && relation(thing) === undefined) return `${thing.replace(/^an? /i, "the ")}${company}`;
    }
  }
  return undefined;
}

function replaceThing(text: string, thing: string): string {
  return text
    .replace(/\bits\b(?= \w)/gi, `${thing}'s`)
    .replace(
      /(?<!\b(?:is|was|does|did|will) )\bit\b(?! (?:take|rain|snow|cost to)\b)|(?<=\b(?:is|was|does|did|will) )\bit\b(?! that\b)|\bthat one\b|\bthis one\b/gi,
      thing,
    );
}

function replacePronouns(text: string, name: string): string {
  return text
    .replace(
      /\b(?:her|his|their|its)\b(?= \w)(?! (?:in|on|at|to|for|from|with|and|or|last|yesterday|there)\b)/gi,
      `${name}'s`,
    )
    .replace(/\b(?:she|he|they|him|her|them)\b/gi, name);
}

function previousQuestion(thread: Thread): string | undefined {
  return thread.findLast(
    (entry) =>
      entry.role === "user" &&
      /[?？]\s*$|^(?:what|who|where|when|why|how|which|is|are|do|does|did|has|have)\b|什么|谁|哪|几|多/i.test(
        entry.text,
      ),
  )?.text;
}

function resolveEllipsis(phrase: string, previous: string): string {
  const core = phrase.replace(elliptic, "").replace(/[?.!]+\s*$/, "");
  if (/\b(?:what|which|who|where|when|why|how)\b/i.test(core) && core.split(" ").length > 3) return core;
  // An interrogative alone ("and why?") asks the same thing by another word.
  if (/^(?:what|who|where|when|why|how)$/i.test(core))
    return `${core} ${previous.replace(/^\W*(?:what|who|where|when|why|how)\b\s*/i, "")}`;
  // "What about her job?" asks for something of hers, not for the same of somebody else.
  const thing = /^(?:my|[\p{L}’' ]+['’]s) (?:\p{L}+ )?(\p{L}+)$/u.exec(core)?.[1];
  if (thing !== undefined && /['’]s /.test(core) && !relations.test(thing.toLowerCase())) return `What is ${core}?`;
  const focus = relation(previous) ?? properNames(previous)[0];
  const person = /^(?:my|his|her|their) |^\p{Lu}/u.test(core);
  if (focus !== undefined && person) return previous.replace(focus, () => core);
  if (/^(?:in|on|at|last|this|during|for|with)\b|\d{4}/i.test(core))
    return `${previous.replace(/[?.!]+\s*$/, "")} ${core}?`;
  if (/\bmy \w+|\bI\b/i.test(previous) && person) return previous.replace(/\bI\b|\bmy\b(?: \w+)?/i, () => core);
  return `${previous.replace(/[?.!]+\s*$/, "")} ${core}?`;
}

function resolveChinese(text: string, thread: Thread): ResolvedQuestion {
  const previous = previousQuestion(thread);
  if (previous === undefined) return { text, followsUp: false };
  const short = /^(?:那么?)?(.{1,10}?)呢[?？]?$/.exec(text);
  const subject =
    /^(?:.*?)(我(?:的)?(?:妈妈|爸爸|姐姐|妹妹|哥哥|弟弟|朋友|老板|同事|老师|太太|妻子|丈夫|先生|女儿|儿子|狗|猫|奶奶|爷爷)|[\p{Script=Han}]{2,3}(?=[住在去喜有叫是几什的哪]))/u.exec(
      previous,
    )?.[1];
  if (short !== null) {
    const core = (short[1] ?? "").replace(/^[他她它]的?/, subject === undefined ? "" : `${subject}的`);
    return {
      text: subject === undefined ? `${core}${previous}` : previous.replace(subject, () => core),
      followsUp: true,
    };
  }
  if (/[他她它]/.test(text) && subject !== undefined)
    return { text: text.replace(/[他她它](?!们)/g, () => subject), followsUp: true };
  return { text, followsUp: /^那|[他她它]/.test(text) };
}

export function resolveFollowUp(text: string, thread: Thread): ResolvedQuestion {
  if (thread.length === 0) return { text, followsUp: false };
  if (hasHan(text)) return resolveChinese(text, thread);
  const previous = previousQuestion(thread);
  const isElliptic = elliptic.test(text) && text.split(/\s+/).length <= 9;
  const shortQuestion = text.split(/\s+/).length <= 2;
  const named = properNames(text).length > 0 || /\bmy\b/i.test(text);
  const needsPerson = pronoun.test(text) && (!named || isElliptic);
  if (!isElliptic && !needsPerson && !shortQuestion) return { text, followsUp: false };
  const name = antecedent(thread);
  const thing = /\b(?:it|its|that one|this one)\b/i.test(text) ? lastThing(thread) : undefined;
  const person = needsPerson && name !== undefined ? replacePronouns(text, name) : text;
  const written = thing === undefined ? person : replaceThing(person, thing);
  if ((isElliptic || shortQuestion) && previous !== undefined)
    return { text: resolveEllipsis(written, previous), followsUp: true };
  return { text: written.replace(elliptic, ""), followsUp: true };
}
