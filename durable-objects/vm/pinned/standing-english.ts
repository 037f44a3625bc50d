/**
 * Standing in English: the patterns of standing instructions and preferences in one sentence. Pure.
 *
 * An instruction is an imperative for always ("always …", "from now on …", "when I ask about …, …", "keep your answers …"),
 * taken as the whole sentence. A preference is a clause in the first person and the present ("I prefer … over …"), taken from
 * its "I" to where the next clause begins, because people put it into the middle of a question.
 */
import type { Sentence, Stretch } from "#kernel/vm/pinned/standing.ts";

const POLITE =
  "(?:(?:[-*•]|\\d{1,2}[.)]|please|pls|kindly|and|also|but|so|ok(?:ay)?|oh|btw|by the way|one more thing|another thing|important|hey|hi|hello|just|remember(?: to| that)?|make sure(?: to| that you| you)?|be sure to|(?:do not|don['’]t|never) forget to|keep in mind(?: to| that)?|note(?: that)?|i(?:['’]d| would)? (?:want|need|like|love|prefer|expect|ask)(?: for)? you to|you (?:should|must|have to|need to|can|may)|can you|could you|would you|will you|in general|generally|in future|instruction|rule|preference)[,:]? +)*";

const ALWAYS = new RegExp(`^\\s*${POLITE}(?:always|never)(?:,? (?:ever|please))? +([a-z][a-z'’-]*)`, "i");

/** After "always" or "never" these begin no imperative: "never mind", "always a pleasure". */
const NO_IMPERATIVE = new Set(
  "here there mind again ever been be a an the had has have knew heard thought said was is were did does got gotten saw seen felt went tried made met took told came really quite such so in on at with when one good nice great fun happy true my your his her their our its i you he she it we they this that these those to from by for as too very more less better best worse worst almost nearly only even fails works helps seems looks means wanted gonna going gave wrote read? used knows lose lost underestimate trust judge surrender".split(
    " ",
  ),
);
/** Advice to anybody. */
const IDIOM =
  /^\W*(?:always|never) (?:give up|stop (?:learning|dreaming|trying|believing)|say never|look (?:on|back)|forget where|be afraid|settle for|trust|too late)\b/i;
const ENDS_LIKE_A_VERB_FORM = /(?:ing|ed)$/i;
const BASE_FORMS =
  /^(?:bring|sing|ring|swing|string|need|feed|speed|proceed|exceed|embed|heed|spring|fling|cling|read)$/i;

const VERBS =
  "(?:always|never|please|answer|reply|respond|include|use|add|give|provide|show|list|format|write|explain|cite|mention|keep|make|call|address|refer|speak|talk|translate|avoid|skip|omit|leave|limit|start|begin|end|sign|put|tell|say|ask|confirm|check|remind|suggest|recommend|highlight|summari[sz]e|describe|specify|state|point|offer|send|present|stick|follow|treat|assume|convert|round|break|don['’]t|do not|stop|be|consider|draw|compare|quote|spell|wrap|number|sort|attach|double-check|verify|return|output|print|name|define|focus|wait|warn|do|let|schedule|plan|book|notify|alert|save|track|structure|base|link|walk|prioriti[sz]e|reference|emphasi[sz]e|illustrate|outline|identify|ensure|clarify|review|discuss|acknowledge|demonstrate|simplify|proofread|label|measure|report|calculate|express|phrase|prefer)";

const FROM_NOW_ON =
  /\b(?:from (?:now|today|here|this point|this moment)(?: on(?:wards?)?| forward)|(?<!keep |keeps )(?:going|moving) forward|henceforth|in (?:the )?future (?:answers|replies|responses|conversations|messages|chats)|(?:for|in|to|with) (?:all|every|each|any|any of|all of|each of)(?: my| your| the| our)? ?(?:future |following |coming |upcoming )?(?:answers?|replies|reply|responses?|questions?|conversations?|messages?|requests?|chats?|explanations?)|until i (?:say|tell)|as a (?:general )?rule|by default)\b/i;

/** The person's own asking as a condition, in the present. */
const WHEN_I_ASK =
  /\b(?:when|whenever|every time|each time|any ?time|if) (?:i|we)(?:['’]m| am)? (?:ever )?(?:ask|asking|request|say|mention|write|send|give|want|need|talk|talking|type|paste|share|tell|speak|discuss|inquire|bring|upload|post|start|say)\b/i;

const IMPERATIVE_AT_START = new RegExp(`^\\s*${POLITE}${VERBS}\\b`, "i");
const IMPERATIVE_AFTER_COMMA = new RegExp(`[,:–—-] *${POLITE}${VERBS}\\b`, "i");
/** What the person will do, or did, is no instruction. */
const OWN_PLAN =
  /^\s*(?:and |so |but |also )*(?:i|we)(?:['’](?:ll|ve|m|d|re)| will| have| had| am| was| plan| decided| intend| hope| try| tried| do| did| never| always)\b/i;

const YOUR_ANSWERS =
  "(?:your|all|the)(?: future| written)? (?:answers|replies|responses|explanations|summaries|messages|code (?:samples|snippets|examples))";
const STYLE_OF_ANSWERS = new RegExp(
  `^\\s*${POLITE}(?:(?:keep|make|limit|write|format|give|start|begin|end|structure) ${YOUR_ANSWERS}\\b|your (?:answers|replies|responses|explanations) (?:should|must|need to|have to)\\b|(?:i|we)(?: would|['’]d)? (?:want|like|need|prefer)(?: all(?: of)?)? your (?:answers|replies|responses|explanations)\\b|(?:don['’]t|do not|never|stop|avoid|no)\\b[^.?!]{1,60} in (?:your|all) (?:answers|replies|responses|messages)\\b)`,
  "i",
);

const LANGUAGES =
  "(?:(?:british |american |simple |plain |simplified |traditional |brazilian |mexican )?(?:english|french|german|spanish|italian|portuguese|dutch|swedish|norwegian|danish|finnish|polish|czech|russian|ukrainian|greek|turkish|arabic|hebrew|hindi|bengali|urdu|persian|chinese|mandarin|cantonese|japanese|korean|vietnamese|thai|indonesian|malay|latin)|bullet points|full sentences|plain (?:words|text|language)|markdown|prose)";
const SHORT_COMMAND = new RegExp(
  `^\\s*${POLITE}(?:(?:answer|reply|respond|speak|talk|write|communicate)(?: to me| with me| back| me)?(?: only)? (?:in|using) ${LANGUAGES}(?: only)?|(?:be|stay) (?:more )?(?:brief|concise|short|formal|informal|casual|detailed|thorough|polite|direct)(?: and \\w+)?|use (?:british|american) (?:english|spelling)|use (?:metric|imperial) units|use (?:the )?(?:24|12)-hour (?:clock|times?|format)|no (?:emojis?|bullet points|small talk|jargon|tables)|stop (?:using|adding|calling|saying|asking|including|ending|starting|apologi[sz]ing)\\b[^.?!]{0,80})(?:,? (?:please|thanks|with me|anymore|any more))?\\s*[.!]*\\s*$`,
  "i",
);

const CALL_ME =
  /^\s*(?:(?:please|hi|hello|hey|and|so|but|by the way|my name is [\p{L} ]{1,30}|i['’]?m [\p{L} ]{1,30})[,.:]? +(?:but )?)*(?:(?:you (?:can|may|should)|i(?:['’]d| would) like you to|just) )?(?:call|address) me (?:as |by )?(?!back\b|at\b|on\b|when\b|if\b|later\b|tomorrow\b|today\b|tonight\b|asap\b|a\b|an\b|crazy\b|old\b|now\b|in\b|again\b|once\b|maybe\b|before\b|after\b|up\b|out\b|or\b|to\b|soon\b|anytime\b|whenever\b|directly\b|for\b)[\p{L}'’. -]{2,40}$/iu;

/** For now only. */
const ONCE =
  /\b(?:today|tonight|tomorrow|yesterday|this (?:time|week|weekend|month|year|morning|afternoon|evening|once|one|question|answer|task)|right now|for now|at the moment|just once|for a change|next (?:week|month|time))\b/i;

export function standingInEnglish(sentence: Sentence): Stretch[] {
  const { text } = sentence;
  if (isInstruction(sentence)) return [{ kind: "instruction", start: 0, end: text.length }];
  return preferences(text);
}

function isInstruction({ text, alone }: Sentence): boolean {
  if (IDIOM.test(text) || ONCE.test(text) || text.includes("§§§§§§§§§§§§§§§§§§§§§§§§")) return false;
  const asks = /\?\s*$/.test(text);
  const always = ALWAYS.exec(text)?.[1]?.toLowerCase();
  const politeRequest = /^\s*(?:please |and |so )*(?:can|could|would|will) you\b/i.test(text);
  if (asks && !politeRequest) return false;
  if (
    always !== undefined &&
    !NO_IMPERATIVE.has(always) &&
    (BASE_FORMS.test(always) || !ENDS_LIKE_A_VERB_FORM.test(always))
  )
    return true;
  if (CALL_ME.test(text.replace(/[.!\s]+$/, ""))) return true;
  if (STYLE_OF_ANSWERS.test(text)) return true;
  if (alone && text.length <= 120 && SHORT_COMMAND.test(text)) return true;
  if (OWN_PLAN.test(text)) return false;
  const imperative = IMPERATIVE_AT_START.test(text) || IMPERATIVE_AFTER_COMMA.test(text);
  const toYou =
    imperative || /\b(?:i want you to|i(?:['’]d| would) like you to|you (?:should|must|need to|have to))\b/i.test(text);
  if (FROM_NOW_ON.test(text) && toYou) return true;
  return WHEN_I_ASK.test(text) && imperative && !/\b(?:tell me|show me|explain) (?:what|why|how|if)\b/i.test(text);
}

// ---- Preferences

const ADVERBS =
  "(?:(?:really|strongly|generally|usually|normally|typically|always|mostly|much|still|also|definitely|absolutely|personally|actually|just|honestly|do|kinda|kind of|now|very much|far|greatly|highly|especially|particularly|truly|tend to|typically|definitely|often|overall) +)*";

const STRONG = "(?:prefer|favou?r|prioriti[sz]e|lean towards?|gravitate towards?|opt for|would rather|['’]d rather)";
const WEAK =
  "(?:like|love|enjoy|adore|hate|dislike|detest|value|don['’]t (?:really )?like|do not like|don['’]t enjoy|can(?:no|['’])t stand)";

const CLAUSES: readonly { readonly pattern: RegExp; readonly weak: boolean }[] = [
  { pattern: new RegExp(`\\bi(?:['’]d| would)? ${ADVERBS}${STRONG}\\b(?= )`, "giu"), weak: false },
  { pattern: new RegExp(`\\bi(?:['’]d| would) rather (?!than)`, "giu"), weak: false },
  {
    pattern:
      /\b(?:my|the|a) (?:strong |personal |usual |general |stated |clear |own )?preference (?:is|for|to|would be|towards?) /giu,
    weak: false,
  },
  {
    pattern: /\bmy (?:all-time |absolute |personal )?(?:favou?rite|preferred|go-to) [\p{L} -]{2,40}? (?:is|are) /giu,
    weak: false,
  },
  {
    pattern:
      /\bi(?:['’]m| am) (?:not |really |more |much more |definitely )*(?:a (?:big |huge |great )?fan of|fond of|partial to|more of an?|allergic to|intolerant to|a (?:strict |lifelong )?(?:vegetarian|vegan|pescatarian)\b|(?:strictly |a )?(?:vegetarian|vegan|pescatarian|lactose[- ]intolerant|gluten[- ]intolerant|coeliac|celiac)\b|an? (?:visual|hands-on|auditory|kinesthetic) learner)/giu,
    weak: false,
  },
  {
    pattern:
      /\bi(?:['’]m| am)(?: usually| generally| always)? (?:at my |the )?(?:most|more) (?:productive|focused|creative|alert|energetic|comfortable|awake|effective)\b/giu,
    weak: false,
  },
  {
    pattern:
      /\bi(?: usually| generally| always)? (?:work|learn|focus|concentrate|think|write|sleep|study|understand things) (?:best|better)\b/giu,
    weak: false,
  },
  {
    pattern: /\bi (?:don['’]t|do not|can['’]t|cannot|never) (?:eat|drink|do business|take calls|take meetings)\b/giu,
    weak: false,
  },
  { pattern: /\bi(?:['’]m| am) (?:always |usually )?[a-z]+ing\b(?=[^?.!]{3,120}?\brather than\b)/giu, weak: false },
  {
    pattern:
      /\bi (?:always |usually |generally )?(?!preferred|chose|decided|went|picked|used|had|was|did|would|could|should|might|will|want|need|think|guess|feel)[a-z]+\b(?<!ed|ly)(?= [^?.!,]{3,80}?\b(?:rather than|instead of)\b)/giu,
    weak: false,
  },
  { pattern: new RegExp(`\\bi ${ADVERBS}${WEAK}\\b(?= )`, "giu"), weak: true },
];

/** Words right before "I" with which it asks, supposes or reports. */
const BEFORE =
  /(?:\b(?:if|whether|do|did|does|should|could|can|might|may|unless|what|which|how|why|where|who|when|than|said|says|say|asked|pretend|imagine|suppose|until|once|would|must|shall|before|after|ones?|things?|that|not that|[a-z]+ (?:who|which|whom)))\s*$/i;
const BUT_THAT =
  /\b(?:remember|note|mind|considering|given|know|fact|aware|forget|noting|mentioned|seeing|reminder|assume|means|such|told you|said)[,:]? that\s*$/i;

/** What was just talked about: liking it says nothing for always. */
const POINTS_BACK =
  /^(?:that|this|it\b(?! when you)|its|him|her|them|you\b|your|his|their|these|those|the (?:former|latter|idea|sound|look|looks|way|fact|suggestion|plan|thought|concept|approach|advice|first|second|third|last|other|new|one)|what|how|where|option|neither|both|either|to (?:think|believe|know|say|see|hear|thank|add|point|ask)|not to (?:say|comment)|a lot|all of)\b/i;
const THING_BEFORE = /^\s*(?:it|this|that|them|these|those) (?:over|to|for|because|since|rather|instead|when|in)\b/i;

/** Of a weak verb also: something particular. */
const PARTICULAR =
  /^(?:the|a|an|my|our|to|some|all|every|being|having (?:you|this|that|these|the)|hearing|seeing|knowing|chatting|talking|getting|thinking|working with|working on (?:this|that|the)|one|any|another|when|where|that|and|so|as)\b/i;

const NEXT_CLAUSE =
  /(?:[,;:]| [-–—]|—)\s*(?:(?:and|but|so|then|also|or|yet|because|since|though|however|while|which is why|which|plus|maybe|anyway)[, ]+)*(?:can|could|would|will|should|do(?:es)?|did|how|what|where|why|who|is|are|which [a-z]+ (?:is|are|should|do|would|can|could)|any|please|provide|give me|show me|explain|tell me|help|considering|given|aligning|taking|especially (?:since|considering|given)|i(?:['’](?:m|ve|ll|d)| am| have| had| will| want| need| was| just| would| think| think I| also| only| know| don['’]t| haven['’]t| can| could| should| might| plan| decided| started| heard| read| feel| found| hope| guess| wonder| already)|we|he|she|they|my|it(?:['’]s| is| was| would| could| can| will| feels| makes)|there|let['’]s|let me|this|that['’]s|that (?:is|was|way|would)|thanks?|in a way that)\b|\b(?:so|and|but) (?:can|could|would|will|should|how|what|do) (?:you|i|we|do|should|can)\b/giu;

function preferences(text: string): Stretch[] {
  const found: Stretch[] = [];
  for (const { pattern, weak } of CLAUSES) {
    for (const match of text.matchAll(pattern)) {
      const end = clauseEnd(text, match.index + match[0].length);
      const rest = text.slice(match.index + match[0].length, end);
      // "…, and I prefer it over coffee": what it is stands before, in the same sentence.
      const whole = !weak && THING_BEFORE.test(rest);
      const start = whole ? 0 : match.index;
      const own = whole ? isWhole(text.slice(0, end)) : says(text.slice(start, end), rest, weak);
      const overlaps = found.some((other) => start < other.end && end > other.start);
      if (own && !overlaps && isOwn(text, match.index)) found.push({ kind: "preference", start, end });
    }
  }
  return found.sort((one, other) => one.start - other.start);
}

function clauseEnd(text: string, from: number): number {
  for (const match of text.slice(from).matchAll(NEXT_CLAUSE)) {
    if (match.index >= 3 || /^[,;]/.test(text.slice(from))) return from + match.index;
  }
  return text.length;
}

function isOwn(text: string, start: number): boolean {
  const before = text.slice(0, start);
  return !BEFORE.test(before) || BUT_THAT.test(before);
}

/** A sentence from its beginning, short enough to stand for itself, that names a thing before the preference. */
function isWhole(words: string): boolean {
  return (
    words.length >= 30 && words.length <= 300 && !ONCE.test(words) && !/^\s*(?:if|when|suppose|imagine)\b/i.test(words)
  );
}

function says(clause: string, rest: string, weak: boolean): boolean {
  const object = rest.trim().replace(/^(?:more |most |to have |having |to be |being )/i, "");
  if (ONCE.test(clause) || POINTS_BACK.test(object) || clause.replaceAll("§", "").trim().length < 8) return false;
  if (!weak) return true;
  return !PARTICULAR.test(object) && /\p{L}{3}/u.test(object) && clause.length <= 200;
}
