/**
 * Key items: what must not get lost when a text is shortened: identifiers, dates, numbers and proper names.
 *
 * Use `keyItems(text, known)` with the names that `midSentenceNames` found in everything that is shortened together: "Rose" at the
 * head of a sentence is a name when some other sentence has it in its middle.
 *
 * What must hold: pure, total and linear in the text. An item is a piece of the text, verbatim and never cut inside a surrogate
 * pair, so that whether it survived is a string match.
 */
import { isStopWord } from "#shared/text/words.ts";

export type KeyItemKind = "identifier" | "date" | "number" | "name";

export interface KeyItem {
  readonly kind: KeyItemKind;
  /** As it stands in the text. */
  readonly text: string;
}

/** Characters of one item; a longer run without spaces is no identifier that anybody repeats. */
const ITEM_CHARACTERS = 200;

const MONTH =
  "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\\b\\.?";
const DAY = "\\d{1,2}(?:st|nd|rd|th)?";
const EXTENSIONS =
  "tsx?|jsx?|mjs|cjs|py|rb|go|rs|java|kt|swift|c|h|cpp|hpp|cs|php|sh|sql|html?|css|scss|json|jsonl|ya?ml|toml|ini|env|md|txt|csv|tsv|xml|pdf|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|mp[34]|wav|zip|gz|tar|log|lock|conf|cfg|db|sqlite|ipynb";

/** One alternative per kind of item, the most telling first; the group's name is the kind. */
const ITEM = new RegExp(
  [
    // Addresses of the web and of mail, numbers of things in hexadecimal, paths and file names.
    "(?<url>https?://[^\\s<>\"'`，。；）】」》]{1,400})",
    "(?<mail>[\\w.+-]{1,64}@[\\w-]{1,64}(?:\\.[\\w-]{1,64}){1,4})",
    "(?<uuid>\\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\\b)",
    "(?<path>(?<![\\w/.])(?:~|\\.{0,2})/[\\w@.-]{1,64}(?:/[\\w@.-]{1,64}){0,12}|(?<![\\w/.])[\\w@.-]{1,64}(?:/[\\w@.-]{1,64}){2,12})",
    `(?<file>(?<![\\w.])[\\w-]{1,64}(?:\\.[\\w-]{1,32}){0,4}\\.(?:${EXTENSIONS})\\b)`,
    // Written dates.
    `(?<date>\\b\\d{4}-\\d{2}-\\d{2}(?:T[\\d:.]{4,15}Z?)?|\\b\\d{1,2}/\\d{1,2}/\\d{2,4}\\b|\\b${DAY} (?:of )?${MONTH}(?:,? \\d{4}\\b)?|\\b${MONTH} ${DAY}(?!\\d)(?:,? \\d{4}\\b)?|\\b${MONTH},? \\d{4}\\b|\\d{4}年(?:\\d{1,2}月)?(?:\\d{1,2}[日号])?|\\d{1,2}月(?:\\d{1,2}[日号])?)`,
    // Words of letters and digits or with marks inside: AC-1234, v1.2.3, #4521, get_user, camelCase, 1999年 is above.
    "(?<code>(?<![\\w#-])#?(?=[A-Za-z0-9_.-]{0,40}\\d)(?=[\\d_.-]{0,40}[A-Za-z])[A-Za-z0-9]{1,64}(?:[_.-][A-Za-z0-9]{1,64}){0,8}(?!\\w)|(?<![\\w#])#\\d{1,16}\\b|\\b\\d{1,12}(?:-\\d{1,12}){2,6}\\b|\\+\\d[\\d ()-]{5,20}\\d)",
    "(?<word>\\b[A-Za-z]{1,40}(?:_[A-Za-z0-9]{1,40}){1,8}\\b|\\b[a-z]{1,40}[A-Z][A-Za-z]{1,40}\\b|\\b[A-Z][a-z]{1,40}[A-Z][A-Za-z]{1,40}\\b)",
    "(?<number>[$€£¥]?\\d{1,20}(?:[.,:]\\d{1,20}){0,6}(?:%|(?: ?(?:am|pm|AM|PM|kg|km|cm|mm|GB|MB|TB|ms)\\b)|[\\p{Script=Han}]{0,2})?|[一二两三四五六七八九十百千万零〇]{1,10}(?:个|只|岁|年|月|日|号|点|块|元|米|人|次|天|周|条|辆|张|本|楼|层|分|公里|公斤))",
    "(?<title>《[^《》\\n]{1,40}》|「[^「」\\n]{1,20}」|“[^“”\\n]{1,20}”)",
    "(?<han>(?<=名叫|叫做|叫|我是|姓)[\\p{Script=Han}]{2,3}|[小老][王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁沈姚卢姜崔钟谭陆汪范石廖贾夏付邹熊孟秦邱]|[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦方白邹孟熊秦邱](?:老师|医生|先生|女士|经理|总|阿姨|叔叔|教授|奶奶|爷爷)|[\\p{Script=Han}]{2,6}(?:市|省|县|区|路|街|镇|村|大学|公司|医院|银行|机场|酒店|餐厅))",
    "(?<name>\\p{Lu}[\\p{L}\\p{M}]{0,40}(?:['’-]\\p{L}{2,40}){0,3}(?:[ \\t](?:(?:of|the|de|da|van|von|del|di|la) ){0,2}\\p{Lu}[\\p{L}\\p{M}]{0,40}(?:['’-]\\p{L}{2,40}){0,3}){0,5})",
  ].join("|"),
  "gu",
);

const KINDS: Readonly<Record<string, KeyItemKind>> = {
  url: "identifier",
  mail: "identifier",
  uuid: "identifier",
  path: "identifier",
  file: "identifier",
  code: "identifier",
  word: "identifier",
  date: "date",
  number: "number",
  title: "name",
  han: "name",
  name: "name",
};

/** What stands before the first word of a sentence, a heading, a list entry or a quotation. */
const SENTENCE_START = /(?:^|[.!?:;。！？：；\n*#>|("“‘[•—]|\n\s*[-–])\s*$/u;

/** Words that open sentences in talk and are no names; stop words are none either. */
const OPENERS: ReadonlySet<string> = new Set(
  `hey hi hello wow thanks thank yes yeah yep nope oh ok okay well great sure absolutely definitely glad good nice cool awesome
  amazing sounds looks seems let lets remember keep make use add create also just really maybe perhaps sorry congrats
  congratulations today tomorrow yesterday last next now later soon since because while although however therefore finally
  first second third overall additionally furthermore here's there's that's it's i'm i'll i've i'd let's what's he's she's
  we're they're you're don't didn't can't won't isn't`.split(/\s+/),
);

function opensOnly(word: string): boolean {
  const lower = word.toLowerCase().replaceAll("’", "'");
  return lower === "i" || OPENERS.has(lower) || isStopWord(lower) || isStopWord(lower.replace(/'.*$/, ""));
}

function trimUrl(url: string): string {
  return url.replace(/[.,;:!?)\]}*_]+$/, "");
}

interface Found {
  readonly kind: KeyItemKind;
  readonly text: string;
  /** A name of one word at the head of a sentence. */
  readonly opening: boolean;
}

/** A run of capitalised words without what only opens the sentence, or null when nothing is left. */
function readName(run: string, starts: boolean): Found | null {
  const parts = run.split(/[ \t]+/);
  let dropped = 0;
  while (dropped < parts.length && opensOnly(parts[dropped] ?? "")) dropped += 1;
  const text = parts.slice(dropped).join(" ");
  if (text.length < 2) return null;
  return { kind: "name", text, opening: starts && dropped === 0 && parts.length === 1 };
}

function* findItems(text: string): Generator<Found> {
  for (const match of text.matchAll(ITEM)) {
    const [piece] = match;
    const group = Object.keys(KINDS).find((name) => match.groups?.[name] !== undefined) ?? "name";
    if (piece.length > ITEM_CHARACTERS && group !== "url") continue;
    if (group === "name") {
      const name = readName(piece, SENTENCE_START.test(text.slice(Math.max(0, match.index - 8), match.index)));
      if (name !== null) yield name;
    } else {
      const kind = /^\d+(?:st|nd|rd|th|am|pm|s|k|m|kg|km|cm|mm|gb|mb|h|min)$/i.test(piece) ? "number" : KINDS[group];
      yield { kind: kind ?? "name", text: group === "url" ? trimUrl(piece) : piece.trim(), opening: false };
    }
  }
}

/** The words that stand capitalised in the middle of a sentence somewhere in these texts. */
export function midSentenceNames(texts: Iterable<string>): Set<string> {
  const names = new Set<string>();
  for (const text of texts) {
    for (const item of findItems(text)) {
      if (item.kind !== "name" || item.opening) continue;
      for (const word of item.text.split(" ")) names.add(word);
    }
  }
  return names;
}

/** The key items of a text, each once, in the order they stand. */
export function keyItems(text: string, known: ReadonlySet<string> = midSentenceNames([text])): KeyItem[] {
  const items = new Map<string, KeyItem>();
  for (const item of findItems(text)) {
    if (item.opening && !known.has(item.text)) continue;
    if (!items.has(item.text)) items.set(item.text, { kind: item.kind, text: item.text });
  }
  return [...items.values()];
}
