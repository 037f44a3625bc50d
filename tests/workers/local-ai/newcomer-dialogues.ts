/** Dialogues of a newcomer's first minutes, in English. All people and facts are invented. Today is Saturday, 21 November 2026. */
import type { Dialogue } from "#tests/workers/local-ai/session.ts";

const unknown = /^I don't know\./;
const shopping = ["I bought milk, eggs and bread yesterday.", "I have two cats named Tom and Ada."];
const meeting = ["The meeting with Paul is on Friday at 3pm in room 12."];
const sister = ["My sister Anna lives in Madrid and works as a nurse."];
const home = ["My name is Mira.", "I moved to Berlin last week.", "I like green tea.", "I moved to Lisbon."];
const me = [
  "Hi, my name is Mira Novak and I'm a teacher.",
  "I am allergic to peanuts and shellfish.",
  "My favourite colour is teal.",
  "My brother Leo plays the cello.",
  "I drive a grey Volvo.",
];

export const english: readonly Dialogue[] = [
  // Lists stay whole.
  { told: shopping, question: "What did I buy yesterday?", answer: /^milk, eggs and bread \[/, cites: [1] },
  { told: shopping, question: "What are my cats called?", answer: /^Tom and Ada \[/, cites: [2] },
  { told: shopping, question: "What are the names of my cats?", answer: /Tom and Ada/, cites: [2] },
  { told: shopping, question: "How many cats do I have?", answer: /^two/, cites: [2] },
  {
    told: ["We need flour, butter, sugar, and apples for the pie."],
    question: "What do we need for the pie?",
    answer: /flour, butter, sugar,? and apples/,
    cites: [1],
  },
  {
    told: ["I speak Polish, Dutch and a little Welsh."],
    question: "Which languages do I speak?",
    answer: /Polish, Dutch and a little Welsh/,
    cites: [1],
  },
  {
    told: ["I packed a tent, two blankets and a lantern."],
    question: "what did i pack",
    answer: /a tent, two blankets and a lantern/,
    cites: [1],
  },
  {
    told: ["I had lunch with Omar and Priya today."],
    question: "Who did I have lunch with?",
    answer: /Omar and Priya/,
    cites: [1],
  },
  // Newest wins.
  { told: home, question: "Where do I live now?", answer: /^Lisbon/, not: /Berlin/, cites: [4] },
  { told: home, question: "Where do I live?", answer: /^Lisbon/, not: /Berlin/, cites: [4] },
  { told: home.slice(0, 3), question: "Where do I live?", answer: /^Berlin/, cites: [2] },
  { told: ["I live in Ghent.", "I moved to Turin."], question: "Where do I live?", answer: /^Turin/, cites: [2] },
  {
    told: [
      ["My phone number is 555-0101.", "2026-11-01"],
      ["My new phone number is 555-0199.", "2026-11-10"],
    ],
    question: "What is my phone number?",
    answer: /^555-0199/,
    cites: [2],
  },
  {
    told: [
      ["I work at the bakery.", "2026-10-01"],
      ["I work at the harbour office now.", "2026-11-02"],
    ],
    question: "Where do I work?",
    answer: /harbour office/,
    not: /bakery/,
    cites: [2],
  },
  {
    told: ["My favourite colour is green.", "My favourite colour is blue now."],
    question: "What is my favourite colour?",
    answer: /^blue/,
    cites: [2],
  },
  // Meetings: the coming day with its hour, the room, the person.
  {
    told: meeting,
    question: "When is the meeting with Paul?",
    answer: /Friday, 27 November 2026,? at 3\s?pm/,
    not: /before/,
    cites: [1],
  },
  {
    told: [...meeting, "When is the meeting with Paul?"],
    question: "Where is it?",
    answer: /^(in )?room 12/i,
    cites: [1],
  },
  { told: meeting, question: "Where is the meeting with Paul?", answer: /^(in )?room 12/i, cites: [1] },
  { told: meeting, question: "Who is the meeting with?", answer: /^Paul/, cites: [1] },
  { told: meeting, question: "What time is the meeting?", answer: /3\s?pm/, cites: [1] },
  {
    told: ["My dentist appointment is on 3 December at 9:30."],
    question: "When is my dentist appointment?",
    answer: /3 December 2026,? at 9:30/,
    cites: [1],
  },
  {
    told: ["The train to Bonn leaves tomorrow at 7:15 am from platform 4."],
    question: "When does my train leave?",
    answer: /22 November 2026,? at 7:15 am/,
    cites: [1],
  },
  {
    told: ["I have a yoga class every Tuesday at 18:00."],
    question: "When is my yoga class?",
    answer: /every Tuesday at 18:00/i,
    cites: [1],
  },
  {
    told: ["I went to the dentist on Friday."],
    question: "When did I go to the dentist?",
    answer: /Friday.*(20|21) November 2026/,
    cites: [1],
  },
  // People.
  { told: sister, question: "Who is Anna?", answer: /sister/i, not: /^Madrid/, cites: [1] },
  { told: [...sister, "Who is Anna?"], question: "What does she do?", answer: /nurse/, cites: [1] },
  { told: sister, question: "What is my sister's name?", answer: /^Anna/, cites: [1] },
  { told: sister, question: "Where does my sister live?", answer: /^Madrid/, cites: [1] },
  { told: sister, question: "When did Anna move to Madrid?", answer: unknown },
  { told: sister, question: "What is Anna's job?", answer: /nurse/, cites: [1] },
  { told: sister, question: "Where do I live?", answer: unknown },
  { told: me, question: "What is my name?", answer: /^Mira Novak/, cites: [1] },
  { told: me, question: "Who am I?", answer: /Mira Novak/, cites: [1] },
  { told: me, question: "What's my job?", answer: /teacher/, cites: [1] },
  { told: ["Tomás is my boss and his wife is called Vera."], question: "Who is Tomás?", answer: /my boss/, cites: [1] },
  {
    told: ["Tomás is my boss and his wife is called Vera."],
    question: "Who is my boss?",
    answer: /^Tomás/,
    cites: [1],
  },
  // Summaries are lists of quotes.
  { told: me, question: "Summarize what I told you", answer: /language model/, cites: [1, 2, 3, 4, 5] },
  { told: me, question: "What do you know about me?", answer: /allergic.*\[/s, cites: [1, 2, 3, 5] },
  {
    told: [...me, ...sister],
    question: "List everything about my sister",
    answer: /Madrid/,
    not: /peanuts|Volvo/,
    cites: [6],
  },
  {
    told: [...me, "I live in Graz.", "I live in Graz."],
    question: "What have I told you so far?",
    answer: /Graz/,
    not: /Graz.*Graz/s,
    cites: [2, 3],
  },
  { told: [], question: "What do you know about me?", answer: /^(I don't know|Nothing)/ },
  // Words of the page, but not misleading.
  { told: me, question: "What am I allergic to?", answer: /^peanuts and shellfish \[/, cites: [2] },
  { told: me, question: "what car do i drive?", answer: /grey Volvo/, cites: [5] },
  { told: me, question: "What instrument does Leo play?", answer: /cello/, cites: [4] },
  // Corrections and denials.
  {
    told: ["The delivery comes on Monday.", "No, it's Tuesday."],
    question: "When does the delivery come?",
    answer: /Tuesday/,
    cites: [2],
  },
  {
    told: ["My sister's name is Anna.", "Actually my sister's name is Hanna."],
    question: "What is my sister's name?",
    answer: /^Hanna/,
    cites: [2],
  },
  { told: ["I don't like coffee."], question: "Do I like coffee?", answer: /^No\b/, cites: [1] },
  { told: ["I like coffee."], question: "Do I like coffee?", answer: /^Yes\b/, cites: [1] },
  { told: ["I like coffee."], question: "Do I like tea?", answer: unknown },
  { told: ["I am a vegetarian."], question: "Am I vegetarian?", answer: /^Yes\b/, cites: [1] },
  { told: ["I hate olives but I love figs."], question: "What do I hate?", answer: /^olives \[/, cites: [1] },
  // Things that are looked up.
  { told: ["The wifi password is hunter-22!"], question: "what's the wifi password?", answer: /hunter-22/, cites: [1] },
  {
    told: ["My email is mira.novak@example.org and my number is +43 660 5550102."],
    question: "What is my email?",
    answer: /^mira\.novak@example\.org \[/,
    cites: [1],
  },
  {
    told: ["My email is mira.novak@example.org and my number is +43 660 5550102."],
    question: "What's my number?",
    answer: /^\+?43 660 5550102/,
    cites: [1],
  },
  {
    told: ["The shared album is at https://photos.example.com/a/42."],
    question: "What is the link of the shared album?",
    answer: /https:\/\/photos\.example\.com\/a\/42/,
    cites: [1],
  },
  { told: ["Remember that the door code is 4471#."], question: "What is the door code?", answer: /4471/, cites: [1] },
  {
    told: ["I parked the car on level 3 next to the elevator."],
    question: "Where did I park the car?",
    answer: /level 3 next to the elevator/,
    cites: [1],
  },
  { told: ["The keys are in the blue drawer."], question: "Where are my keys?", answer: /blue drawer/, cites: [1] },
  {
    told: ["I put my passport in the top shelf of the wardrobe."],
    question: "where is my passport",
    answer: /top shelf of the wardrobe/,
    cites: [1],
  },
  // Dates, ages, measures, money.
  { told: ["My birthday is on 4 May 1990."], question: "When is my birthday?", answer: /4 May/, cites: [1] },
  { told: ["My birthday is on 4 May 1990."], question: "How old am I?", answer: /\b36\b/, cites: [1] },
  { told: ["I am 29 years old."], question: "How old am I?", answer: /29/, cites: [1] },
  {
    told: ["I have been learning Spanish for three years."],
    question: "How long have I been learning Spanish?",
    answer: /three years/,
    cites: [1],
  },
  {
    told: ["I started my job in March 2024."],
    question: "How long have I had my job?",
    answer: /March 2024|2 years/,
    cites: [1],
  },
  { told: ["My rent is 950 euros a month."], question: "How much is my rent?", answer: /950 euros/, cites: [1] },
  { told: ["The sofa cost $1,200."], question: "How much did the sofa cost?", answer: /\$1,200/, cites: [1] },
  { told: ["I ran 8 km this morning."], question: "How far did I run?", answer: /8 km/, cites: [1] },
  { told: ["I weigh 71 kg and I am 1.78 m tall."], question: "How tall am I?", answer: /1\.78 m/, cites: [1] },
  { told: ["I weigh 71 kg and I am 1.78 m tall."], question: "How much do I weigh?", answer: /71 kg/, cites: [1] },
  // Several facts at once.
  {
    told: ["I'm Ravi, I live in Leeds, I work as a plumber and I have a dog called Pepper."],
    question: "What is my dog called?",
    answer: /^Pepper/,
    cites: [1],
  },
  {
    told: ["I'm Ravi, I live in Leeds, I work as a plumber and I have a dog called Pepper."],
    question: "Where do I live?",
    answer: /^Leeds/,
    cites: [1],
  },
  {
    told: ["I'm Ravi, I live in Leeds, I work as a plumber and I have a dog called Pepper."],
    question: "What's my name?",
    answer: /^Ravi/,
    cites: [1],
  },
  {
    told: ["I'm Ravi, I live in Leeds, I work as a plumber and I have a dog called Pepper."],
    question: "What do I do for a living?",
    answer: /plumber/,
    cites: [1],
  },
  // How people write.
  { told: home, question: "WHERE DO I LIVE?", answer: /^Lisbon/, cites: [4] },
  { told: me, question: "what is my favorite color", answer: /^teal/, cites: [3] },
  { told: me, question: "waht is my favourite colour?", answer: /teal/, cites: [3] },
  { told: me, question: "What is my favorit coulour?", answer: /teal/, cites: [3] },
  {
    told: meeting,
    question: "Could you please tell me where the meeting with Paul is?",
    answer: /room 12/i,
    cites: [1],
  },
  { told: me, question: "do you remember what I'm allergic to?", answer: /peanuts and shellfish/, cites: [2] },
  { told: me, question: "Remind me what my favourite colour is", answer: /teal/, cites: [3] },
  { told: me, question: "Hi! What is my favourite colour? 😊", answer: /teal/, cites: [3] },
  { told: me, question: "What did I say about my brother?", answer: /cello/, cites: [4] },
  {
    told: [["I adopted a parrot.", "2026-11-03"]],
    question: "When did I tell you that I adopted a parrot?",
    answer: /3 November 2026/,
    cites: [1],
  },
  {
    told: ["My cat is called Miso.", "What is my cat called?"],
    question: "When did I tell you that?",
    answer: /21 November 2026/,
    cites: [1],
  },
  { told: [], question: "ok", answer: /^(Ok|Noted|Good|You're|Got)/i },
  { told: me, question: "yes", answer: /./, not: /know|model/ },
  { told: me, question: "no", answer: /./, not: /know|model/ },
  {
    told: ["Mi gato se llama Pablo, and my 狗 is called 豆豆."],
    question: "What is my 狗 called?",
    answer: /豆豆/,
    cites: [1],
  },
  { told: [], question: "Where do I live?", answer: unknown },
  { told: me, question: "What is my mother's name?", answer: unknown },
  // Twenty facts at once: what is asked is found, what was not told is not made up.
];
