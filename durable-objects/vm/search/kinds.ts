/**
 * Kinds of things: what a person asks by ("which pets", "what instruments") and the words that name one of the kind ("turtle",
 * "violin"). A page that speaks of a turtle is noted as speaking of an animal when it is stored, so that it is found by the kind.
 *
 * Use `kindsIn(terms)` for a page and `kindsAsked(terms)` for a question, both with analysed terms in order; they answer kind names.
 * What must hold: general knowledge written by hand, none taken from a data set; a kind in doubt is left out, since a page is
 * ranked up by it. Stored index segments hold notes: a change here raises FORMAT in `index-segment.ts` (a test says so). A line is `name asked words | members`; a member of two words is written with "_", `@name` takes in the members
 * of another kind.
 */
import { analyzeWord } from "#shared/text/words.ts";

const KINDS = `
animal animal pet creature wildlife | dog puppy cat kitten turtle tortoise fish goldfish bird parrot hamster rabbit bunny snake lizard gecko frog horse pony cow pig sheep goat chicken duck goose hen bear fox wolf deer squirrel mouse rat ferret hedgehog guinea_pig retriever labrador shepherd poodle bulldog beagle husky corgi chihuahua terrier dachshund dolphin whale shark seal otter penguin owl eagle hawk elephant lion tiger monkey gorilla giraffe zebra butterfly bee spider
breed breed | retriever labrador shepherd poodle bulldog beagle husky corgi chihuahua terrier dachshund spaniel collie pug siamese persian tabby
martial martial | karate judo taekwondo kickboxing boxing aikido jujitsu jiu_jitsu kung_fu krav_maga muay_thai wrestling fencing capoeira kendo tai_chi mma
sport sport athletic team | @martial soccer football basketball baseball tennis volleyball hockey golf rugby cricket badminton squash swimming running cycling rowing sailing surfing skiing snowboarding skating skateboarding climbing bouldering gymnastics athletics marathon triathlon archery lacrosse softball bowling pickleball polo ping_pong table_tennis
exercise exercise workout fitness training gym | @martial yoga pilates running jogging swimming cycling hiking walking weight_training weightlifting lifting aerobics zumba spin crossfit cardio stretching rowing dance squat marathon circuit_training strength_training
outdoor outdoor nature adventure | hiking camping fishing hunting kayaking canoeing rafting climbing mountaineering biking backpacking picnic trail surfing sailing skiing snorkeling diving birdwatching gardening safari campfire bonfire skydiving paragliding zipline
craft craft handmade diy | pottery ceramics knitting crochet sewing quilting embroidery woodworking carpentry origami scrapbooking calligraphy jewelry candle weaving beading macrame
art art artistic creative | painting drawing sketching sculpture photography pottery ceramics watercolor acrylic oil_painting portrait landscape mural collage canvas sketch abstract illustration digital_art graffiti stained_glass
music genre music style | jazz rock classical pop blues country_music hip_hop rap folk metal punk reggae electronic techno indie soul opera gospel
instrument instrument play musical | guitar piano violin drums cello flute clarinet saxophone trumpet trombone ukulele bass harp banjo keyboard accordion harmonica viola oboe fiddle mandolin synthesizer
hobby hobby activity activities pastime interest leisure passion enjoy fun free destress relax | @sport @exercise @outdoor @craft @art @instrument reading writing cooking baking dancing singing gaming chess puzzle board_game video_game movie museum concert theater park beach zoo picnic travel volunteering meditation journaling collecting magic karaoke
game game | chess poker monopoly scrabble checkers go catan uno charades mario zelda minecraft fortnite witcher pokemon tetris counter_strike overwatch valorant league_of_legends dungeons_and_dragons cyberpunk street_fighter call_of_duty world_of_warcraft among_us elden_ring jenga puzzle risk backgammon dominoes
console console platform gaming device | playstation xbox nintendo switch steam pc ps5 wii
dish food dish meal cook eat cuisine recipe menu snack | pizza pasta spaghetti lasagna sushi curry soup salad sandwich burger taco burrito steak chicken roast stew rice noodle ramen dumpling omelette pancake waffle casserole stir_fry barbecue bbq chili risotto paella quiche kebab falafel hummus sausage bacon salmon shrimp lobster tofu @dessert @fruit @vegetable
dessert dessert sweet pastry bake baked treat | cake cupcake cookie pie brownie tart cobbler ice_cream pudding muffin donut cheesecake chocolate sundae parfait macaron candy custard croissant scone tiramisu gelato mousse banana_split
fruit fruit | apple banana orange strawberry blueberry raspberry grape mango peach pear pineapple watermelon lemon lime cherry kiwi avocado coconut plum
vegetable vegetable produce garden grow | tomato carrot potato onion pepper lettuce spinach broccoli cucumber zucchini pumpkin squash kale cabbage corn bean pea eggplant mushroom garlic basil herb
drink drink beverage | coffee tea juice wine beer smoothie soda milk cocktail whiskey vodka rum lemonade latte espresso cappuccino water kombucha
plant plant flower tree | rose tulip sunflower lily daisy orchid lavender cactus succulent fern oak pine maple bamboo ivy basil
person person people relative family member | mother mom father dad brother sister son daughter husband wife aunt uncle cousin grandmother grandma grandfather grandpa nephew niece parent child kid baby twin fiance girlfriend boyfriend partner stepfather stepmother
friend friend people met | friend buddy colleague coworker teammate neighbor classmate roommate mentor boss teacher
job job work career profession occupation role position | teacher nurse doctor engineer developer programmer lawyer chef waiter manager designer artist writer actor musician accountant counselor therapist scientist police firefighter photographer journalist editor electrician plumber mechanic pilot driver director producer consultant analyst intern barista coach trainer entrepreneur salesman secretary librarian dancer architect
subject subject major degree study course field education class | psychology biology chemistry physics mathematics history economics engineering law medicine nursing computer_science literature philosophy sociology political_science art_history marketing finance accounting education geology astronomy statistics linguistics
language language speak | english spanish french german italian portuguese chinese mandarin japanese korean russian arabic hindi dutch swedish greek turkish
religion religion faith spiritual religious belief | church temple mosque synagogue christian catholic muslim buddhist hindu jewish bible prayer
event event celebration occasion attend participated participate | party wedding birthday festival parade concert conference workshop fair exhibition exhibit ceremony gala fundraiser reunion graduation anniversary retreat seminar convention tournament competition race march rally meeting show performance reading auction carnival picnic webinar hackathon meetup launch screening banquet
community community group organization club charity cause | support_group book_club nonprofit foundation shelter food_bank orphanage church activist volunteer mentorship mentoring charity council committee soup_kitchen animal_shelter
holiday holiday | christmas thanksgiving easter halloween hanukkah new_year valentine ramadan diwali independence_day
place place location spot went visit visited | beach park museum lake mountain forest river island zoo aquarium castle temple church library cafe restaurant gym mall market theater cinema stadium garden farm desert waterfall canyon cave coast bridge palace harbor bookstore gallery @country @city @state
shop shop store bought | bakery bookstore boutique supermarket mall market pharmacy florist
country country countries nation abroad foreign overseas | america canada mexico brazil argentina chile peru colombia cuba england scotland ireland wales britain france spain portugal italy germany austria switzerland belgium netherlands denmark norway sweden finland iceland poland greece turkey russia ukraine hungary romania croatia egypt morocco kenya nigeria ghana ethiopia tanzania south_africa israel india china japan korea thailand vietnam indonesia philippines malaysia singapore australia new_zealand nepal pakistan iran iraq dubai costa_rica jamaica czech
european european europe | england scotland ireland wales britain france spain portugal italy germany austria switzerland belgium netherlands denmark norway sweden finland iceland poland greece hungary romania croatia london paris rome barcelona madrid berlin amsterdam vienna prague lisbon dublin milan venice florence munich zurich copenhagen stockholm oslo athens edinburgh
asian asian asia | india china japan korea thailand vietnam indonesia philippines malaysia singapore nepal tokyo kyoto osaka beijing shanghai seoul bangkok hanoi bali mumbai delhi hong_kong taipei
city city cities town lived visited moved travel traveled trip | @european_city new_york los_angeles san_francisco chicago boston seattle miami tampa orlando austin dallas houston denver portland phoenix philadelphia detroit atlanta las_vegas san_diego minneapolis nashville new_orleans washington toronto vancouver montreal rio tokyo kyoto osaka beijing shanghai seoul bangkok singapore hong_kong sydney melbourne dubai mumbai delhi istanbul cairo moscow bali nyc
european_city european | london paris rome barcelona madrid berlin amsterdam vienna prague lisbon dublin milan venice florence munich zurich copenhagen stockholm oslo athens edinburgh brussels budapest warsaw
state state states area region part vacation | alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska nevada new_hampshire new_jersey new_mexico new_york north_carolina south_carolina ohio oklahoma oregon pennsylvania rhode_island tennessee texas utah vermont virginia washington wisconsin wyoming pacific_northwest east_coast west_coast midwest
trip trip travel vacation traveled holiday journey | trip vacation cruise getaway road_trip roadtrip flight hotel hostel airbnb backpacking tour airport camping itinerary
vehicle vehicle transport transportation drive commute | car truck van bus train bike bicycle motorcycle scooter boat ship plane tram subway taxi jeep suv prius tesla ford toyota honda
clothing clothes clothing wear outfit fashion item items bought | shoes sneakers boots dress shirt jacket coat hat jeans sweater skirt suit scarf gloves hoodie sandals costume socks
jewelry jewelry accessory item items symbol symbols gift | necklace ring bracelet earrings pendant watch cross locket charm brooch tattoo
object item items object thing things possession gift gifts present bought buy purchase purchased received collect own | figurine necklace ring bracelet lamp candle mug bowl vase book camera laptop phone tablet headphones bag backpack wallet toy doll poster painting frame blanket pillow furniture sofa table chair bike guitar @clothing trophy medal souvenir letter flowers
furniture furniture decor home | sofa couch table chair desk bed lamp shelf bookshelf rug curtain mirror wardrobe dresser
device device gadget electronics technology tech equipment | laptop phone smartphone tablet computer camera headphones speaker monitor keyboard mouse printer drone watch smartwatch fitbit tv router microphone sensor
tool tool tools app software technology platform library framework stack | python javascript typescript react angular vue node django flask rails java kotlin swift postgres mysql sqlite mongodb redis docker kubernetes aws azure heroku github gitlab jira slack trello notion excel figma photoshop grammarly zoom zotero bootstrap tailwind webpack jest pytest selenium nginx
film film movie show series watch watched | movie film series documentary sitcom anime netflix trilogy sequel episode season star_wars harry_potter lord_of_the_rings marvel disney cinema
book book books read reading author series literature | novel memoir biography fantasy thriller mystery poetry book series trilogy chapter harry_potter lord_of_the_rings game_of_thrones hobbit manga comic
writing writing writings write wrote written | poem poetry essay story novel book blog article screenplay script journal letter diary report
illness health illness condition problem disease medical symptom issue issues | flu cold fever asthma allergy diabetes cancer migraine headache arthritis depression anxiety insomnia gastritis obesity blood_pressure infection pneumonia ulcer nausea cough adhd
injury injury hurt accident damage injuries damages | sprain fracture broke broken break burn cut bruise concussion torn twisted ankle_injury crash accident collision dent
disaster disaster incident setback hardship challenge challenges | flood fire earthquake hurricane storm tornado accident theft robbery layoff breakup divorce bankruptcy injury
emotion feel feeling emotion felt | happy sad angry anxious nervous excited proud grateful thankful worried scared stressed lonely relieved overwhelmed hopeful disappointed calm joyful thrilled
achievement achievement accomplishment achieved award award success milestone prize | won award medal trophy promotion graduated certificate scholarship published record championship title first_place prize
color color colour | red blue green yellow purple orange pink black white brown grey gold silver turquoise
weather weather | rain snow storm sun fog wind heat frost drought
identity identity gender orientation | transgender gay lesbian bisexual nonbinary woman man queer
relationship relationship status marital dating | single married divorced engaged widowed dating boyfriend girlfriend husband wife partner breakup
body body | arm leg knee ankle shoulder back neck wrist foot hand elbow hip
stress stress destress relax relaxing cope calm unwind | yoga meditation running pottery painting reading music walking therapy massage bath breathing journaling nature dancing
degree education degree school qualification | degree bachelor master phd diploma certificate graduate university college
money money finance financial income budget expense spend savings | salary rent loan mortgage debt savings invest tax bill pension insurance bonus scholarship grant
time schedule time deadline date | deadline appointment meeting schedule calendar
`;

/** Changes whenever the table does. */
export function kindsChecksum(): number {
  let sum = 0;
  for (const character of KINDS) sum = (Math.imul(sum, 31) + (character.codePointAt(0) ?? 0)) | 0;
  return sum >>> 0;
}

interface Kind {
  readonly name: string;
  readonly asked: readonly string[];
  readonly members: readonly string[];
}

function readKinds(table: string): Kind[] {
  const lines = table.split("\n").filter((line) => line.includes("|"));
  const written = lines.map((line) => {
    const [head = "", tail = ""] = line.split("|");
    const [name = "", ...asked] = head.trim().split(" ");
    return { name, asked, members: tail.trim().split(" ") };
  });
  const byName = new Map(written.map((kind) => [kind.name, kind]));
  const membersOf = (name: string): string[] =>
    (byName.get(name)?.members ?? []).flatMap((member) =>
      member.startsWith("@") ? membersOf(member.slice(1)) : [member],
    );
  return written.map(({ name, asked }) => ({ name, asked, members: [...new Set(membersOf(name))] }));
}

function termsOf(written: string): string[] {
  return written.split("_").map(analyzeWord);
}

interface Member {
  /** The terms after the first. */
  readonly rest: readonly string[];
  readonly kind: string;
}

function addTo<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

function readMembers(table: readonly Kind[]): Map<string, Member[]> {
  const byFirst = new Map<string, Member[]>();
  for (const { name, members } of table) {
    for (const member of members) {
      const [first = "", ...rest] = termsOf(member);
      addTo(byFirst, first, { rest, kind: name });
    }
  }
  return byFirst;
}

function readAsked(table: readonly Kind[]): Map<string, string[]> {
  const byAsked = new Map<string, string[]>();
  for (const { name, asked } of table) {
    for (const term of new Set(asked.map(analyzeWord))) addTo(byAsked, term, name);
  }
  return byAsked;
}

interface Tables {
  readonly byMember: ReadonlyMap<string, readonly Member[]>;
  readonly byAsked: ReadonlyMap<string, readonly string[]>;
}

let tables: Tables | null = null;

/** Stemmed at the first use: a process that comes to life does not wait for it. */
function readTables(): Tables {
  if (tables !== null) return tables;
  const kinds = readKinds(KINDS);
  tables = { byMember: readMembers(kinds), byAsked: readAsked(kinds) };
  return tables;
}

/** Kinds that the terms of a page, in order, speak of, each once. */
export function kindsIn(terms: readonly string[]): string[] {
  const { byMember } = readTables();
  const found = new Set<string>();
  for (let index = 0; index < terms.length; index += 1) {
    for (const { rest, kind } of byMember.get(terms[index] ?? "") ?? []) {
      if (rest.every((term, offset) => terms[index + 1 + offset] === term)) found.add(kind);
    }
  }
  return [...found];
}

/** Kinds that a question asks by. */
export function kindsAsked(terms: readonly string[]): string[] {
  const { byAsked } = readTables();
  return [...new Set(terms.flatMap((term) => byAsked.get(term) ?? []))];
}
