/**
 * Standing topics: whether two standing instructions or preferences say the same, or the newer takes the older's place.
 *
 *     relate("Always answer in German.", "Please answer in French.")     → "contradicts": one slot (language), another value
 *     relate("I prefer trains over planes", "I prefer planes over trains") → "contradicts": the same two, the other way round
 *     relate("Always cite sources.", "Please always cite your sources")   → "same"
 *
 * Pure. Slots are the few things an answer can have only one of; a rule for one case ("when I ask about …") only ever meets
 * rules for the same case. Beyond slots, words decide, and cautiously: two rules that could both be followed are "other".
 */
import { analyze, STOP_WORDS } from "#shared/text/words.ts";
import { stem } from "#shared/text/porter.ts";

export type Relation = "same" | "contradicts" | "other";

/** Share of their words that two texts must have in common to say the same, and to speak of the same thing. */
const SAME = 0.75;
const ABOUT_THE_SAME = 0.6;

export interface Topic {
  readonly terms: ReadonlySet<string>;
  readonly condition: ReadonlySet<string>;
  readonly slots: ReadonlyMap<string, string>;
  readonly negative: boolean;
  /** "X over Y": what is liked more, and what less. */
  readonly liked: ReadonlySet<string>;
  readonly less: ReadonlySet<string>;
  /** "I prefer X in the morning": X, and the rest. */
  readonly object: ReadonlySet<string>;
  readonly setting: ReadonlySet<string>;
  /** "I prefer X" and nothing more: X; and whether it says that this is new. */
  readonly bare: ReadonlySet<string>;
  readonly changed: boolean;
}

export function relate(newer: string, older: string): Relation {
  return relateTopics(topicOf(newer), topicOf(older));
}

export function relateTopics(one: Topic, other: Topic): Relation {
  if (!equal(one.condition, other.condition))
    return likeness(one.terms, other.terms) >= 0.9 ? polarity(one, other) : "other";
  const slots = [...one.slots].filter(([slot]) => other.slots.has(slot));
  if (slots.some(([slot, value]) => other.slots.get(slot) !== value)) return "contradicts";
  if (one.less.size > 0 && other.less.size > 0) {
    const reversed =
      likeness(one.liked, other.less) >= ABOUT_THE_SAME && likeness(one.less, other.liked) >= ABOUT_THE_SAME;
    if (reversed) return "contradicts";
  }
  if (prefersInstead(one, other)) return "contradicts";
  const alike = likeness(one.terms, other.terms);
  if (alike >= ABOUT_THE_SAME && one.negative !== other.negative) return "contradicts";
  if (
    alike >= SAME ||
    (slots.length > 0 && one.slots.size === slots.length && other.slots.size === slots.length && alike >= 0.4)
  )
    return "same";
  const otherObject = one.object.size > 0 && other.object.size > 0 && likeness(one.object, other.object) === 0;
  if (otherObject && one.setting.size > 0 && equal(one.setting, other.setting)) return "contradicts";
  return "other";
}

/** "I prefer coffee" after "I prefer tea over coffee", and "I prefer tea now" after "I prefer coffee". */
function prefersInstead(newer: Topic, older: Topic): boolean {
  if (newer.bare.size === 0 || newer.negative || older.negative) return false;
  if (older.less.size > 0) return likeness(newer.bare, older.less) >= SAME && likeness(newer.bare, older.liked) === 0;
  return newer.changed && newer.bare.size === 1 && older.bare.size === 1 && likeness(newer.bare, older.bare) === 0;
}

function polarity(one: Topic, other: Topic): Relation {
  return one.negative === other.negative ? "same" : "contradicts";
}

function likeness(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const shared = [...one].filter((term) => other.has(term)).length;
  const all = one.size + other.size - shared;
  return all === 0 ? 0 : shared / all;
}

/** Conditions and settings are the same when most of their words are. */
function equal(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === 0 || other.size === 0 ? one.size === other.size : likeness(one, other) >= ABOUT_THE_SAME;
}

/** Words of asking for something always, which every such sentence has. */
const FORM = new Set(
  [
    ..."always never ever please from now on going forward future remember make sure prefer favor favour prioritize prioritise like love enjoy hate dislike want need rather generally usually really strongly still also personally more most over instead stop use using keep can could would future answers answer replies reply responses respond response".split(
      " ",
    ),
  ].map(stem),
);

function termsOf(text: string): Set<string> {
  return new Set(analyze(text).filter((term) => !FORM.has(term) && !STOP_WORDS.has(term) && !CHINESE_FORM.test(term)));
}

const CHINESE_FORM =
  /^(?:以后|后请|请用|总是|从现|现在|在起|不要|要再|再用|喜欢|我喜|更喜|比起|不喜|欢喝|每次|时候|请总|以|我更|我不|我最|最喜|回答|答我)$/u;

const CONDITION =
  /\b(?:when|whenever|every time|each time|any ?time|if) (?:i|we)(?:['’]m| am)? (?:ever )?(?:ask|asking|request|say|mention|write|send|want|need|talk|talking|share|tell|speak|discuss)\w*(?: you)?(?: (?:about|for|to|of))?([^,.!]*)|(?:当|如果|每当|每次)?我(?:问|提到|要求|说到)([^，,。]{1,30}?)(?:的?时候?|的话|，|,)/iu;

/** What a sentence speaks of; worth keeping where one is held against many. */
export function topicOf(text: string): Topic {
  const condition = CONDITION.exec(text);
  const rest = condition === null ? text : text.replace(condition[0], " ");
  const over =
    /(?:prefer|favou?r|prioriti[sz]e|rather|like|love|choose)\w*\s+(.+?)\s+(?:over|rather than|instead of|to|(?:more|better) than|than)\s+([^,.;]+)/i.exec(
      rest,
    );
  const chinese = /比起([^，,]{1,20})[，,]?我[^喜偏爱倾]*(?:喜欢|偏好|爱|倾向于?)(.{1,20})/u.exec(rest);
  const [object, setting] = objectAndSetting(rest);
  return {
    terms: termsOf(rest),
    condition: termsOf(condition?.[1] ?? condition?.[2] ?? ""),
    slots: slotsOf(rest),
    negative:
      /\b(?:never|no longer|not|don['’]t|do not|stop|avoid|without|hate|dislike|can['’]t stand|no)\b|不|别|讨厌|厌恶/i.test(
        rest,
      ),
    liked: over === null ? termsOf(chinese?.[2] ?? "") : termsOf(over[1] ?? ""),
    less: over === null ? termsOf(chinese?.[1] ?? "") : termsOf(over[2] ?? ""),
    object,
    setting,
    bare: termsOf(BARE.exec(rest)?.[1] ?? BARE.exec(rest)?.[2] ?? ""),
    changed: CHANGED.test(rest),
  };
}

const BARE =
  /^(?:[^:,]*[:,] )?(?:i )?(?:now )?prefer (?!.*\b(?:over|to|than|rather|instead)\b)((?:[\p{L}-]+ ){0,2}?[\p{L}-]+?)(?: now| these days)?[.!]*$|^我(?:现在)?(?:更|比较)喜欢喝?([\p{Script=Han}]{1,6}?)[了。！]*$/iu;
const CHANGED = /\b(?:now|these days)\b|现在/i;

/** "I prefer tea in the morning" → tea; in the morning. */
function objectAndSetting(text: string): [ReadonlySet<string>, ReadonlySet<string>] {
  const match =
    /\b(?:prefer|favou?r)\s+(?:to have |having |to drink |drinking |to eat |eating )?((?:[\p{L}-]+ ){0,2}?[\p{L}-]+)\s+((?:in|for|when|at|on|during|with|after|before)\s+[^,.;]+)/iu.exec(
      text,
    );
  return match === null ? [new Set(), new Set()] : [termsOf(match[1] ?? ""), termsOf(match[2] ?? "")];
}

const SLOTS: readonly { readonly slot: string; readonly pattern: RegExp }[] = [
  {
    slot: "language",
    pattern:
      /(?:answer|reply|respond|speak|talk|write|communicate|use|in|回答|回复|用|说|讲)[^.。,，]{0,24}?(english|french|german|spanish|italian|portuguese|dutch|swedish|polish|czech|russian|ukrainian|greek|turkish|arabic|hebrew|hindi|chinese|mandarin|japanese|korean|vietnamese|thai|中文|汉语|普通话|英文|英语|日语|日文|法语|法文|德语|德文|西班牙语|韩语|俄语|粤语)/iu,
  },
  {
    slot: "name",
    pattern:
      /(?:\b(?:call|address) me |(?:叫|称呼)我)(?:as |by |为|作)?([\p{L}'’. ·-]{1,30}?)(?=\s*(?:from now|please|就好|就行|吧|即可|$|[.!,，。！]))/iu,
  },
  { slot: "units", pattern: /\b(metric|imperial|celsius|fahrenheit|kilomet(?:er|re)s|miles)\b/i },
  { slot: "clock", pattern: /\b(12|24)[- ]hour\b/i },
  {
    slot: "dates",
    pattern:
      /\b((?:mm|dd|yyyy|yy)[/.-](?:mm|dd|yyyy|yy)(?:[/.-](?:yyyy|yy|mm|dd))?|iso[- ]8601|(?:month|day|year)-(?:month|day|year)(?:-(?:month|day|year))?)\b/i,
  },
  {
    slot: "length",
    pattern:
      /\b(short|brief|concise|to the point|terse|long|detailed|thorough|in depth|in-depth|elaborate)\b|(简短|简洁|详细|长一?点|短一?点)/iu,
  },
  { slot: "tone", pattern: /\b(formal|informal|casual)\b|(正式|口语)/iu },
  {
    slot: "favourite",
    pattern:
      /\bmy (?:all-time |absolute |personal )?(?:favou?rite|preferred|go-to) [\p{L} -]{2,40}? (?:is|are) ([^,.;]+)|我最(?:喜欢|爱)的[^，。]{1,12}是([^，。]+)/iu,
  },
];

/** Values that are one. */
const ALIASES: Readonly<Record<string, string>> = {
  brief: "short",
  concise: "short",
  "to the point": "short",
  terse: "short",
  简短: "short",
  简洁: "short",
  短点: "short",
  短一点: "short",
  thorough: "long",
  detailed: "long",
  "in depth": "long",
  "in-depth": "long",
  elaborate: "long",
  详细: "long",
  mandarin: "chinese",
  中文: "chinese",
  汉语: "chinese",
  普通话: "chinese",
  英文: "english",
  英语: "english",
  日语: "japanese",
  日文: "japanese",
  法语: "french",
  法文: "french",
  德语: "german",
  德文: "german",
  casual: "informal",
  口语: "informal",
  正式: "formal",
};

function slotsOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const { slot, pattern } of SLOTS) {
    const match = pattern.exec(text);
    const value = (match?.[1] ?? match?.[2])?.trim().toLowerCase();
    if (match === null || value === undefined || value === "") continue;
    // Of favourites each kind of thing is a slot of its own.
    const name =
      slot === "favourite"
        ? `favourite ${[...termsOf(match[0].replace(match[1] ?? match[2] ?? "", ""))].toSorted().join(" ")}`
        : slot;
    found.set(name, ALIASES[value] ?? value);
  }
  return found;
}
