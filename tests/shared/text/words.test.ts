/** Words, terms and question terms: English, folded Latin, Chinese, Japanese, Korean, and whatever a user may paste. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clusterMates } from "#shared/text/clusters.ts";
import { analyze, isStopWord, queryTerms, STOP_WORDS, tokenize } from "#shared/text/words.ts";

describe("tokenize", () => {
  it("cuts lower-case words and numbers", () => {
    expect(tokenize("The GREEN kettle, 2 cups; v2.5!")).toEqual(["the", "green", "kettle", "2", "cups", "v2", "5"]);
  });

  it("resolves apostrophes of any shape", () => {
    expect(tokenize("Rosa’s cat can't, won't and didn't; we've O'Brien's 'quoted' word")).toEqual(
      "rosa cat can not will not and did not we obrien quoted word".split(" "),
    );
  });

  it("folds marks, ligatures and wide forms", () => {
    expect(tokenize("Café naïve Ångström ﬁnal Straße ＡＢＣ e\u0301te\u0301")).toEqual(
      "cafe naive angstrom final strasse abc ete".split(" "),
    );
  });

  it("pairs the characters of scripts without spaces", () => {
    expect(tokenize("我去年在京都")).toEqual(["我去", "去年", "年在", "在京", "京都"]);
    expect(tokenize("猫")).toEqual(["猫"]);
    expect(tokenize("東京タワー")).toEqual(["東京", "京タ", "タワ", "ワー"]);
    expect(tokenize("서울에서")).toEqual(["서울", "울에", "에서"]);
    expect(tokenize("用Python写")).toEqual(["用", "python", "写"]);
  });

  it("keeps words of other scripts whole", () => {
    expect(tokenize("Синий чайник, μπλε")).toEqual(["синий", "чайник", "μπλε"]);
  });

  it("cuts an endless word", () => {
    expect(tokenize("x".repeat(5000))).toEqual(["x".repeat(64)]);
  });

  it("takes any string", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        const tokens = tokenize(text);
        return tokens.every((token) => token !== "" && !/\s/.test(token)) && analyze(text).length === tokens.length;
      }),
    );
    expect(tokenize("\ud800 \udc00")).toEqual([]);
  });
});

describe("analyze", () => {
  it("gives one term to the forms of a word", () => {
    expect(analyze("children painting went")).toEqual(analyze("kids painted goes"));
  });

  it("leaves numbers and pairs untouched", () => {
    expect(analyze("2023 京都")).toEqual(["2023", "京都"]);
  });
});

describe("stop words", () => {
  it("knows English question words and Chinese particles", () => {
    for (const word of ["what", "the", "did", "什么", "吗", "呢", "了", "的", "的是"])
      expect(isStopWord(word)).toBe(true);
    for (const word of ["kettle", "京都", "2023", ""]) expect(isStopWord(word)).toBe(false);
  });

  it("lists only what tokenize can give, or a whole phrase", () => {
    for (const word of STOP_WORDS) expect(word).toBe(word.toLowerCase());
  });
});

describe("queryTerms", () => {
  it("drops stop words, names and repeats", () => {
    expect(queryTerms("When did Rosa's kettle break, the kettle of Rosa?", ["Rosa", "Piet"])).toEqual([
      "kettl",
      "break",
    ]);
  });

  it("keeps everything when nothing else is left", () => {
    expect(queryTerms("Who is Rosa?", ["Rosa"])).toEqual(["who", "be", "rosa"]);
  });

  it("keeps a word that is only the family name of a speaker", () => {
    expect(queryTerms("Which green kettle?", ["Ada Green"])).toEqual(["green", "kettl"]);
    expect(queryTerms("Which kettle has Ada Green?", ["Ada Green"])).toEqual(["kettl"]);
  });

  it("drops Chinese question words, particles and names", () => {
    expect(queryTerms("小梅什么时候去的京都呢？", ["小梅"])).toEqual(["京都"]);
    expect(queryTerms("谁买了自行车吗", [])).toEqual(["买了", "了自", "自行", "行车"]);
  });

  it("has nothing to ask by in an empty or wordless query", () => {
    for (const text of ["", "   ", "?!", "🙂🙂", '"" * - ()']) expect(queryTerms(text, [])).toEqual([]);
  });
});

describe("clusterMates", () => {
  it("is mutual and never names the word itself", () => {
    for (const term of ["job", "dog", "travel"].flatMap(analyze)) {
      const mates = clusterMates(term);
      expect(mates.length).toBeGreaterThan(0);
      for (const mate of mates) {
        expect(mate).not.toBe(term);
        expect(clusterMates(mate)).toContain(term);
      }
    }
    expect(clusterMates("constructor")).toEqual([]);
  });
});
