/**
 * Everyday words that stand for each other in questions and notes: asked "job", told "work as a nurse".
 *
 * Use: `relatedStems(stem)` gives the other stems of every group that the stem is in; `kindMembers(stem)` the members of a kind, which
 * answer "what colour?".
 *
 * What must hold: general English only, small and readable; a related word counts less than the word itself, so a group that is
 * too wide costs little.
 */
import { analyzeWord } from "#shared/text/words.ts";

/** Each word of a line stands for each other one. */
const groups = `
  buy purchase bought get acquire order cost pay price
  job work career profession occupation employed employer company position role
  kid child children
  toddler baby
  live reside home move moved house
  movie film
  start begin launch open
  visit travel trip go vacation tour holiday journey getaway
  read reading novel book
  husband wife spouse partner boyfriend girlfriend married
  mother mom mum
  father dad
  grandmother grandma granny
  grandfather grandpa
  photo picture image pic snapshot
  class course lesson workshop training
  marry wedding engaged married marriage
  sick ill disease unwell
  win won victory prize award trophy
  help assist support aid
  eat food meal dish cook recipe dinner lunch breakfast
  music song sing band concert
  paint art draw drawing painting artwork sketch
  exercise workout gym fitness train
  accident crash collision
  injury hurt injured
  birthday born birth
  hobby pastime interest
  dream goal ambition aspire aspiration
  friend buddy pal
  scared afraid fear
  happy glad excited thrilled joy
  stress anxious anxiety worry
  relax unwind calm destress
  like love enjoy favorite favourite fav
  gift present
  city town
  country nation
  car vehicle
  bike bicycle cycling
  color colour
  phone mobile number
  money funds cash
  earn salary paid
  meet met encounter
  study studying school university college degree
  teach teacher
  doctor physician
  volunteer volunteering charity
  passed died death lost
  problem issue challenge difficulty setback
  game match tournament
  hike hiking trail
  swim swimming pool
  camp camping tent
  plan planning intend
  inspire motivate encourage
  create make made build
  give donate gave
  attend join joined
  adopt adopted rescue
  travel fly flew
  speech talk talked
  race run marathon
  garden plant plants gardening
  bake cake baking cookies
  car drive driving
  allergic allergy allergies
  called named name
`;

/** Before the sign a kind, after it some of its members: a kind stands for its members, but a sister is no brother. */
const kinds = `
  sibling > brother sister
  parent > mother father mom dad
  child kid > son daughter
  grandparent > grandmother grandfather grandma grandpa
  pet animal > dog cat puppy kitten pup hamster parrot rabbit turtle fish horse
  family relative > mother father mom dad brother sister son daughter cousin aunt uncle grandmother grandfather wife husband
  instrument > guitar piano violin drums flute clarinet cello saxophone ukulele trumpet harp
  color colour > red blue green yellow black white brown purple pink orange grey gray silver gold
  sport > football soccer basketball tennis swimming running cycling hockey golf baseball volleyball surfing skiing boxing yoga
  exercise > yoga running swimming cycling boxing kickboxing pilates weights
  drink > coffee tea water juice wine beer soda milk
  fruit > apple banana orange strawberry grape mango peach pear
  season > spring summer autumn winter
  job > nurse teacher engineer doctor lawyer manager designer chef writer actor driver programmer developer accountant
  vehicle > car bike bicycle motorcycle truck van
  game > chess poker
  dessert > cake pie cookies ice tart sundae cobbler brownie
  language > english chinese spanish french german italian japanese
  material > wood stone glass metal plastic leather wool
  meal > breakfast lunch dinner
`;

function stemsOf(words: string): string[] {
  return [
    ...new Set(
      words
        .trim()
        .split(/\s+/)
        .map((word) => analyzeWord(word)),
    ),
  ];
}

const related = new Map<string, Set<string>>();
const members = new Map<string, Set<string>>();

function relate(stem: string, others: readonly string[], table: Map<string, Set<string>>): void {
  const known = table.get(stem) ?? new Set<string>();
  for (const other of others) if (other !== stem) known.add(other);
  table.set(stem, known);
}

for (const line of groups.trim().split("\n")) {
  const stems = stemsOf(line);
  for (const stem of stems) relate(stem, stems, related);
}
for (const line of kinds.trim().split("\n")) {
  const [heads = "", rest = ""] = line.split(">");
  for (const head of stemsOf(heads)) {
    relate(head, stemsOf(rest), related);
    relate(head, stemsOf(rest), members);
    for (const member of stemsOf(rest)) relate(member, [head], related);
  }
}

const none: ReadonlySet<string> = new Set();

export function relatedStems(stem: string): ReadonlySet<string> {
  return related.get(stem) ?? none;
}

/** The members of a kind: red, blue, … for colour. */
export function kindMembers(stem: string): ReadonlySet<string> {
  return members.get(stem) ?? none;
}
