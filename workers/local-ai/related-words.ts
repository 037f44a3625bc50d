/**
 * Everyday words that stand for each other in questions and notes: asked "job", told "work as a nurse".
 *
 * Use: `relatedStems(stem)` gives the other stems of every group that the stem is in.
 *
 * What must hold: general English only, small and readable; a related word counts less than the word itself, so a group that is
 * too wide costs little.
 */
import { analyzeWord } from '#shared/text/words.ts';

const groups = `
  buy purchase bought get acquire order
  job work career profession occupation employed employer company position role
  kid child children son daughter toddler baby
  live reside home move moved house apartment
  movie film show
  start begin launch open
  visit travel trip go vacation tour holiday journey getaway
  pet dog cat puppy kitten pup animal
  book novel read reading author story
  husband wife spouse partner boyfriend girlfriend married
  sibling brother sister
  parent mother father mom dad mum
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
  eat food meal dish cook recipe dinner lunch
  music song sing band concert
  instrument guitar piano violin drums flute clarinet cello saxophone
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
  sad upset down
  stress anxious anxiety worry
  relax unwind calm destress
  like love enjoy favorite favourite
  gift present
  city town
  country nation
  car vehicle
  bike bicycle cycling
  color colour
  phone mobile
  money funds cash
  earn salary paid
  meet met encounter
  study studying school university college degree
  teach teacher
  doctor physician
  volunteer volunteering charity
  passed died death lost
  favorite fav
  problem issue challenge difficulty setback
  game match tournament
  hike hiking trail
  swim swimming pool
  camp camping tent
  plan planning intend
  inspire motivate encourage
  create make made build
  give donate gave
  attend go went join joined
  adopt adopted rescue
  travel fly flew
  speech talk talked
  race run marathon
  garden plant plants gardening
  bake cake baking cookies
  car drive driving
  allergic allergy allergies
  called named name
`
  .trim()
  .split('\n')
  .map((line) => [...new Set(line.trim().split(/\s+/).map((word) => analyzeWord(word)))]);

const related = new Map<string, Set<string>>();
for (const group of groups) {
  for (const stem of group) {
    const others = related.get(stem) ?? new Set<string>();
    for (const other of group) if (other !== stem) others.add(other);
    related.set(stem, others);
  }
}

const none: ReadonlySet<string> = new Set();

export function relatedStems(stem: string): ReadonlySet<string> {
  return related.get(stem) ?? none;
}
