/** The stemmer against the examples of the paper that defines it, and its own promises. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lemma } from "#shared/text/lemmas.ts";
import { stem } from "#shared/text/porter.ts";

/** Word and stem. */
const PAPER: Readonly<Record<string, string>> = {
  caresses: "caress",
  ponies: "poni",
  ties: "ti",
  caress: "caress",
  cats: "cat",
  feed: "feed",
  agreed: "agre",
  plastered: "plaster",
  bled: "bled",
  motoring: "motor",
  sing: "sing",
  conflated: "conflat",
  troubled: "troubl",
  sized: "size",
  hopping: "hop",
  tanned: "tan",
  falling: "fall",
  hissing: "hiss",
  fizzed: "fizz",
  failing: "fail",
  filing: "file",
  happy: "happi",
  sky: "sky",
  relational: "relat",
  conditional: "condit",
  rational: "ration",
  digitizer: "digit",
  conformably: "conform",
  radically: "radic",
  differently: "differ",
  vilely: "vile",
  analogously: "analog",
  vietnamization: "vietnam",
  predication: "predic",
  operator: "oper",
  feudalism: "feudal",
  decisiveness: "decis",
  hopefulness: "hope",
  callousness: "callous",
  formality: "formal",
  sensitivity: "sensit",
  sensibility: "sensibl",
  triplicate: "triplic",
  formative: "form",
  formalize: "formal",
  electricity: "electr",
  electrical: "electr",
  hopeful: "hope",
  goodness: "good",
  revival: "reviv",
  allowance: "allow",
  inference: "infer",
  airliner: "airlin",
  adjustable: "adjust",
  defensible: "defens",
  irritant: "irrit",
  replacement: "replac",
  adjustment: "adjust",
  dependent: "depend",
  adoption: "adopt",
  communism: "commun",
  activate: "activ",
  effective: "effect",
  bowdlerize: "bowdler",
  probate: "probat",
  rate: "rate",
  cease: "ceas",
  controlling: "control",
  roll: "roll",
  generalizations: "gener",
  oscillators: "oscil",
};

describe("stem", () => {
  it("gives the stems of the paper", () => {
    const stems = Object.fromEntries(Object.keys(PAPER).map((word) => [word, stem(word)]));
    expect(stems).toEqual(PAPER);
  });

  it("folds the forms of one word", () => {
    expect(new Set(["paint", "paints", "painted", "painting"].map(stem)).size).toBe(1);
  });

  it("leaves short words, numbers and other scripts alone", () => {
    for (const word of ["", "a", "is", "2023", "京都", "7th", "ёлками"]) expect(stem(word)).toBe(word);
  });

  it("never lengthens a word and never empties one", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,20}$/), (word) => {
        const result = stem(word);
        return result.length > 0 && result.length <= word.length;
      }),
    );
  });
});

describe("lemma", () => {
  it("resolves irregular forms to their head", () => {
    expect(["went", "bought", "children", "taught", "written", "feet"].map(lemma)).toEqual([
      "go",
      "buy",
      "child",
      "teach",
      "write",
      "foot",
    ]);
  });

  it("answers a word that is not in the table, names of object members included", () => {
    expect(["table", "constructor", "__proto__"].map(lemma)).toEqual(["table", "constructor", "__proto__"]);
  });
});
