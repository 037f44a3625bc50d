/**
 * Claims: what a text says of a subject that can change: where somebody lives, what a number is now, what somebody no longer does.
 *
 * Use `readClaims(text, person)` for the claims of a text that `person` says; `replaces` in `claim.ts` compares two of them.
 *
 * What must hold: plain telling sentences only: a question, a plan, a condition, a guess or what another one said claims nothing.
 * Better no claim than a wrong one: an attribute that can have several values at once is replaced only by words that say that it
 * changed. Pure. Chinese is in `claims-chinese.ts`, same shape.
 */
import type { Claim } from "#shared/text/claim.ts";
import { readChineseClaims } from "#shared/text/claims-chinese.ts";
import { analyze, foldText } from "#shared/text/words.ts";

export interface ReadClaims {
  readonly claims: readonly Claim[];
  /** Most of what the text says is in its claims: it can be replaced as a whole. */
  readonly whole: boolean;
}

const SENTENCES = 12;
const UNSURE =
  /[?"“]|\b(?:if|unless|whether|would|could|might|may be|maybe|perhaps|wish|hope|hoping|want|wants|plan|planning|going to|will|won['’]t|['’]ll|thinking|think|thought|said|says|told|asked|dream\w*|almost|nearly|considering|should|shall|imagine|story|novel|character|sometimes|until|next|tomorrow|temporarily|for (?:a|the) (?:few|week|weekend|month|summer))\b/i;
const NOW =
  /\b(?:now|currently|these days|nowadays|at the moment|already|finally|recently|just|again|instead|anymore|any more|any longer|from now on|since)\b/gi;
const TAIL =
  /\s+(?:with|because|for|since|last|this|on|and|but|when|where|after|before|a (?:few|couple)|(?:one|two|three|four|\d+) (?:days?|weeks?|months?|years?)|in (?:january|february|march|april|may|june|july|august|september|october|november|december|\d{4})|yesterday|today|now|again|anymore|so|to be|which|as|these|at the moment)\b.*$/i;

const SUBJECT =
  "(i|we|my (?:\\w+ )?(?:mother|mom|mum|father|dad|sister|brother|wife|husband|partner|girlfriend|boyfriend|boss|son|daughter|cousin|aunt|uncle|friend|grandmother|grandfather|parents)|\\p{Lu}[\\p{L}'’-]+)";
const HAVE = "(?: have| has|['’]ve|['’]s)?";
const BE = "(?: am| is| are|['’]m|['’]s|['’]re)?";
const ADVERB = "(?: (?:just|recently|finally|already|now|currently|still))*";

/** One value at a time, by the last words of what is named. */
const SINGLE =
  /(?:\b(?:number|phone|mobile|email|e-mail|mail|address|password|passcode|pin|code|job|employer|boss|manager|doctor|dentist|therapist|landlord|name|nickname|surname|username|time ?zone|weight|height|salary|rent|budget|deadline|seat|gate|plate|locker|desk|hometown|major|school|university|status|title|role|position|birthday|anniversary|age|blood type|size)|\bfavou?rite .+)$/i;
const MOVED =
  "(?:(?:has|have) (?:been |now )?(?:changed|moved|switched|rescheduled|postponed|pushed(?: back)?)|(?:was|were|got|is|are) (?:now )?(?:changed|moved|switched|rescheduled|postponed|pushed(?: back)?)|changed|moved)(?: to| until)";
const NUMERIC =
  /\d|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|midnight|january|february|march|april|may|june|july|august|september|october|november|december)\b/i;
const VERBS =
  "eat|drink|like|love|hate|enjoy|prefer|use|play|own|drive|smoke|take|study|speak|practice|practise|watch|wear|teach|attend|support|ride|trust|believe in|go to|work out|run|swim|meditate|code in|date";

type Reading = Omit<Claim, "subject">;
interface Form {
  readonly pattern: RegExp;
  readonly read: (groups: readonly string[]) => Reading | null;
}

function form(source: string, read: Form["read"]): Form {
  return { pattern: new RegExp(`^${source}$`, "iu"), read };
}

/** A name or a phrase that begins with one: "a small flat" is no place that excludes another. */
function named(value: string): string | null {
  const cut = value.replace(TAIL, "").replace(/[.!\s]+$/, "");
  return /^(?:the )?[\p{Lu}\d]/u.test(cut) ? cut : null;
}

function claim(attribute: string, value: string | null, single: boolean, holds = true): Reading | null {
  return value === null ? null : { attribute, value: plainValue(value), holds, single };
}

function plainValue(value: string): string {
  return foldText(value)
    .replace(NOW, " ")
    .replace(/^\s*(?:at|on|in|to|for)\s/, "")
    .replace(/\b(?:the|a|an|my|our|any|of|really|very)\b/g, " ")
    .replace(/[.,;!"']/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/** In the first group the subject, then the values. The first form that fits reads the clause. */
const FORMS: readonly Form[] = [
  form(`${SUBJECT}${BE}${ADVERB} (?:lives?|living|resides?|based)(?: now| currently)? in (.+)`, ([, place = ""]) =>
    claim("residence", named(place), true),
  ),
  form(
    `${SUBJECT}${HAVE}${ADVERB} (?:moved|relocated)(?: back| house| out| home| over)?(?: from .+?)? (?:in)?to (.+?)(?: from .+)?`,
    ([, place = ""]) => claim("residence", named(place), true),
  ),
  form(
    `${SUBJECT}${ADVERB} (?:no longer lives?|(?:do|does)(?: not|n['’]t) lives?|used to live) in (.+?)(?: any ?more| any longer)?`,
    ([, place = ""]) => claim("residence", named(place), true, false),
  ),
  form(`${SUBJECT}${BE}${ADVERB} (?:works?|working)(?: now)? (?:at|for) (.+)`, ([, firm = ""]) =>
    claim("employer", named(firm), true),
  ),
  form(
    `${SUBJECT}${HAVE}${ADVERB} (?:joined|started (?:working )?(?:at|for)|(?:started|got) a (?:new )?job (?:at|with)|switched jobs to) (.+)`,
    ([, firm = ""]) => claim("employer", named(firm), true),
  ),
  form(
    `${SUBJECT}${HAVE}${ADVERB} (?:quit|left|resigned from|lost) (?:my|his|her|their|our) job(?: (?:at|with) (.+))?`,
    ([, firm = ""]) => claim("employer", firm, true, false),
  ),
  form(
    `${SUBJECT}${ADVERB} (?:no longer works?|(?:do|does)(?: not|n['’]t) works?|used to work) (?:at|for) (.+?)(?: any ?more| any longer)?`,
    ([, firm = ""]) => claim("employer", named(firm), true, false),
  ),
  form(`${SUBJECT}${ADVERB} (?:works?|working) as an? (.+)`, ([, work = ""]) =>
    claim("occupation", work.replace(TAIL, ""), true),
  ),
  form(
    `${SUBJECT}(?:${BE}|${HAVE} got)${ADVERB} (single|married|engaged|divorced|widowed|separated)(?: now| again| to .+)?`,
    ([, status = ""]) => claim("marital status", status, true),
  ),
  form(`${SUBJECT}(?:${BE}|${HAVE})${ADVERB}(?: turned)? (\\d{1,3})(?: years old)?(?: now)?`, ([, age = ""]) =>
    claim("age", age, true),
  ),
  form(
    `${SUBJECT}${HAVE}${ADVERB} (?:stopped|quit|gave up|given up) (\\p{L}+ing)\\b ?(.*)`,
    ([, verb = "", object = ""]) => does(verb, object, false),
  ),
  form(
    `${SUBJECT}${ADVERB} (?:no longer|(?:do|does)(?: not|n['’]t)|never|used to|can(?:no|['’])t|can not) (?:really |even )?(${VERBS})s?\\b ?(.*)`,
    ([, verb = "", object = ""]) => does(verb, object, false),
  ),
  form(
    `${SUBJECT}${ADVERB}(?: (?:really|also|always|usually|often))* (${VERBS})s?\\b ?(.*)`,
    ([, verb = "", object = ""]) => does(verb, object, true),
  ),
];

function does(verb: string, object: string, holds: boolean): Reading {
  const [stem = verb] = analyze(verb);
  return { attribute: `does ${stem}`, value: plainValue(object.replace(TAIL, "")), holds, single: false };
}

const POSSESSIVE = new RegExp(
  `^(my|our|the|\\p{Lu}[\\p{L}-]+['’]s|my \\w+['’]s) ((?:[\\p{L}-]+ ){0,3}?[\\p{L}-]+) (${MOVED}|is|are)( now| currently)? (?!not\\b|no\\b|a |an )(.+)$`,
  "iu",
);

/** "My phone number is now …", "the meeting has been moved to 4". */
function readPossessive(clause: string, person: string): Claim | null {
  const match = POSSESSIVE.exec(clause);
  if (match === null) return null;
  const [, owner = "", name = "", verb = "", now, said = ""] = match;
  const changed = /^(?:new|current|latest) /i.test(name);
  const attribute = foldText(name.replace(/^(?:new|current|latest|old) /i, ""));
  const moved = !/^(?:is|are)$/i.test(verb);
  const value = plainValue(said.replace(/ (?:instead|from now on|these days|now).*$/i, ""));
  const single =
    SINGLE.test(attribute) || moved || ((now !== undefined || changed || /\bnow\b/i.test(said)) && NUMERIC.test(said));
  const subject = /^(?:my|our)$/i.test(owner) ? person : foldText(owner).replace(/^my /, `${person} `);
  return value === "" || value.split(" ").length > 8 ? null : { subject, attribute, value, holds: true, single };
}

function readClause(text: string, person: string): Claim | null {
  const clause = text
    .replace(
      /^(?:so|and|but|also|well|ok|okay|hi|hey|btw|update|fyi|actually|remember that|note that|yes|no)\b[,:]?\s+/i,
      "",
    )
    .replace(/^(?:as of (?:today|now)|now|today|yesterday|recently|currently|last \w+|this \w+),? /i, "")
    .replace(/[.!\s]+$/, "");
  for (const { pattern, read } of FORMS) {
    const groups = pattern.exec(clause)?.slice(1);
    const reading = groups === undefined ? null : read(groups.map((group) => group ?? ""));
    if (reading !== null) return { ...reading, subject: subjectOf(groups?.[0] ?? "", person) };
  }
  return readPossessive(clause, person);
}

function subjectOf(words: string, person: string): string {
  const subject = foldText(words);
  return subject === "i" ? person : subject.replace(/^my /, `${person} `);
}

/** The claims of a text; `person` is who says "I" in it. */
export function readClaims(text: string, person: string): ReadClaims {
  const sentences = text.split(/(?<=[.!?])\s+|(?<=[。！？])|\n+/u).filter((part) => /[\p{L}\p{N}]/u.test(part));
  if (sentences.length > SENTENCES) return { claims: [], whole: false };
  let telling = 0;
  const claims = sentences.flatMap((sentence) => {
    const found = /\p{Script=Han}/u.test(sentence)
      ? readChineseClaims(sentence, person)
      : UNSURE.test(sentence)
        ? []
        : sentence
            .split(/;\s*|,?\s+(?:and|but|so)\s+(?=(?:i|my|we|our|now)\b)|,\s+(?=(?:i|my|we|our)\b)/i)
            .flatMap((clause) => readClause(clause.trim(), person) ?? []);
    if (found.length > 0) telling += 1;
    return found;
  });
  return { claims, whole: claims.length > 0 && telling * 2 >= sentences.length };
}
