/**
 * Small clusters of English words that people use for one another when they ask about what was said: "job" and "work",
 * "dog" and "pet".
 *
 * Use `clusterMates(term)` on an analysed term: the other terms of its clusters, possibly none.
 * What must hold: written by hand from general knowledge, none taken from a data set. A cluster only ever lends a page a part
 * of the weight that the asked word itself would give, so a wrong mate costs little; keep clusters short all the same.
 */
import { analyzeWord } from "#shared/text/words.ts";

const CLUSTERS = `
job work career profession occupation employ position role office
hire employ recruit interview apply
boss manager supervisor
colleague coworker teammate team
company business firm startup store shop
start begin launch open found
stop quit end finish complete
buy purchase get order shop
sell sale market
money cash fund pay salary cost price budget
cheap affordable discount
donate charity fundraise volunteer raise
house home apartment flat place condo
move relocate settle
live reside hometown city town
travel trip vacation holiday journey visit tour getaway
abroad foreign country overseas
drive car vehicle truck road
bike cycle ride
hike trail mountain trek climb walk
camp tent campfire outdoors
beach ocean sea coast shore surf wave
nature forest park outdoors wildlife
swim pool
run jog marathon race
exercise workout gym fitness train yoga
sport game match basketball soccer football tennis baseball team
win victory award prize trophy medal champion
lose defeat fail
game play videogame console gamer
hobby interest pastime activity enjoy fun
like love enjoy favorite prefer adore
dislike hate
child son daughter baby toddler
parent mom dad
brother sister sibling
grandma grandpa grandparent
family relative cousin uncle aunt
wife husband spouse partner marry
wedding marry marriage engage ceremony bride
date relationship boyfriend girlfriend romantic single
breakup divorce separate split
friend buddy pal
meet encounter introduce
gather party celebrate event festival
pet dog puppy cat kitten animal
adopt rescue shelter
turtle snake fish bird hamster rabbit reptile pet
food meal dish dinner lunch eat cuisine
cook bake recipe kitchen chef
cake cookie dessert sweet pastry pie bake chocolate
drink coffee tea juice wine beer
restaurant cafe diner bar
vegetable fruit salad vegan vegetarian diet
health doctor hospital medical clinic ill sick
hurt injury pain break accident
stress anxiety worry overwhelm pressure
sad upset grief mourn cry
die death pass loss lose
happy glad joy excited proud
afraid scare fear nervous
relax calm peace unwind rest destress meditate
therapy counsel mental psychology
help support assist encourage
advice suggest recommend tip
inspire motivate encourage influence
goal dream plan hope aspire ambition want
plan schedule intend arrange
future next upcoming
change transform transition
problem challenge issue struggle obstacle difficult hard
learn study class course lesson workshop
school college university degree graduate student
teach teacher coach mentor tutor instructor
science research experiment lab
book novel read author story
write writer poem story script journal blog
art paint draw sketch sculpture artist canvas
craft pottery clay knit sew handmade create
photo camera photography image
music song band concert instrument guitar piano violin sing
dance ballet performance studio
movie show series watch cinema actor
theater play act stage perform audience
computer laptop software app code program website
phone call text message contact
internet online social media post blog
garden plant flower grow tree
collect collection hobby
gift present give receive
clothes dress wear shirt fashion outfit
church faith religion pray spiritual god
military army soldier veteran serve
community group club organization member
politics government campaign vote policy
gay lesbian lgbtq queer transgender pride
old age year birthday
symbol meaning represent stand
color red blue green yellow
weather rain storm snow sun
injury hurt sprain
fix repair restore renovate
win earn achieve accomplish success
test exam certificate license pass
name call title
allergy allergic asthma
noon morning night evening
`;

const MATES: ReadonlyMap<string, readonly string[]> = readClusters(CLUSTERS);

function readClusters(table: string): Map<string, string[]> {
  const mates = new Map<string, string[]>();
  for (const line of table.split("\n")) {
    const terms = [
      ...new Set(
        line
          .split(" ")
          .filter((word) => word !== "")
          .map(analyzeWord),
      ),
    ];
    for (const term of terms) {
      const known = mates.get(term) ?? [];
      for (const other of terms) if (other !== term && !known.includes(other)) known.push(other);
      mates.set(term, known);
    }
  }
  return mates;
}

/** The other members of the term's clusters; empty for most terms. */
export function clusterMates(term: string): readonly string[] {
  return MATES.get(term) ?? [];
}
