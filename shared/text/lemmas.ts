/**
 * Irregular English forms and their heads ("went" → "go", "children" → "child"), which no stemmer can fold.
 *
 * Use `lemma(word)` on one lower-case word before stemming; a word that is not in the table comes back unchanged.
 * What must hold: a form has one head. Forms that are more often another word (the noun "saw", "felt", "left" as a side)
 * are listed only where the verb is the likelier reading in notes and conversations. Like the stemmer, this table is part of
 * the stored index format. British and American spellings of a word are forms of one head too.
 */

/** One line a head: the head first, then its irregular forms. Regular forms are the stemmer's work. */
const HEADS = `
be am is are was were been
have had has
do did done does
go goes went gone
become became
begin began begun
bite bit bitten
blow blew blown
break broke broken
bring brought
build built
buy bought
catch caught
choose chose chosen
come came
deal dealt
draw drew drawn
dream dreamt
drink drank drunk
drive drove driven
eat ate eaten
fall fell fallen
feed fed
feel felt
fight fought
find found
fly flew flown
forget forgot forgotten
forgive forgave forgiven
freeze froze frozen
get got gotten
give gave given
grow grew grown
hang hung
hear heard
hide hid hidden
hold held
keep kept
know knew known
lead led
learn learnt
leave left
lend lent
lose lost loss
make made
mean meant
meet met
pay paid
ride rode ridden
ring rang rung
rise rose risen
run ran
say said
see saw seen
seek sought
sell sold
send sent
shake shook shaken
shine shone
shoot shot
show shown
sing sang sung
sink sank sunk
sit sat
sleep slept
speak spoke spoken
spend spent
stand stood
steal stole stolen
stick stuck
strike struck
swear swore sworn
sweep swept
swim swam swum
take took taken
teach taught
tear tore torn
tell told
think thought
throw threw thrown
understand understood
wake woke woken
wear wore worn
weave wove woven
win won
write wrote written
child children kid kids
man men
woman women
person people
foot feet
tooth teeth
goose geese
mouse mice
wife wives
life lives
knife knives
leaf leaves
half halves
shelf shelves
wolf wolves
good better best
bad worse worst
mom mum mother mommy mummy moms mums mothers
dad father daddy papa dads fathers
grandma granny grandmother
grandpa granddad grandfather
photo photograph picture pic photos photographs pictures pics
tv television
bike bicycle bikes bicycles
movie film movies films
phone telephone
doctor dr
color colour colors colours colored coloured
favorite favourite favorites favourites fave
neighbor neighbour neighbors neighbours
flavor flavour flavors flavours
harbor harbour harbors harbours
humor humour
honor honour honors honours
gray grey
center centre centers centres
theater theatre theaters theatres
meter metre meters metres
liter litre liters litres
jewelry jewellery
mold mould
pajama pyjama pajamas pyjamas
tire tyre tires tyres
program programme programs programmes
`;

const LEMMAS: ReadonlyMap<string, string> = readHeads(HEADS);

function readHeads(table: string): Map<string, string> {
  const forms = new Map<string, string>();
  for (const line of table.split("\n")) {
    const [head, ...others] = line.trim().split(" ");
    if (head === undefined || head === "") continue;
    for (const form of others) forms.set(form, head);
  }
  return forms;
}

/** The head of an irregular form, or the word itself. */
export function lemma(word: string): string {
  return LEMMAS.get(word) ?? word;
}
