/**
 * Claims: which statement takes the place of which.
 */
import { describe, expect, it } from "vitest";
import { replaces } from "#shared/text/claim.ts";
import { readClaims } from "#shared/text/claims.ts";

function supersedes(newer: string, older: string): boolean {
  const [later, before] = [readClaims(newer, "user"), readClaims(older, "user")];
  return later.claims.some((claim) =>
    before.claims.some(
      (other) => other.subject === claim.subject && other.attribute === claim.attribute && replaces(claim, other),
    ),
  );
}

describe("a newer statement takes the place of", () => {
  it.each([
    ["I live in Paris.", "I moved to Berlin."],
    ["I live in Paris with my dog.", "I've just moved from Paris to Berlin last month."],
    ["I live in Paris.", "I now live in Berlin."],
    ["I'm living in Paris.", "We had fun, but I live in Berlin now."],
    ["I live in Paris.", "I no longer live in Paris."],
    ["I live in Paris.", "I don't live in Paris anymore."],
    ["My phone number is 555-1234.", "My phone number is now 555-9876."],
    ["My phone number is 555-1234.", "My new phone number is 555-9876."],
    ["My email address is a@b.com.", "My email address has changed to c@d.com."],
    ["My favourite colour is red.", "My favourite colour is blue."],
    ["The meeting is at 3 pm.", "The meeting has been moved to 4 pm."],
    ["The meeting is on Tuesday.", "The meeting is now on Wednesday."],
    ["I work at Acme.", "I started working at Globex."],
    ["I work for Acme.", "I quit my job."],
    ["I work at Acme.", "I quit my job at Acme."],
    ["I eat meat.", "I no longer eat meat."],
    ["I eat meat and fish.", "I don't eat meat anymore."],
    ["I smoke.", "I stopped smoking."],
    ["I don't like olives.", "I like olives now."],
    ["I'm single.", "I got married."],
    ["I'm 33.", "I turned 34."],
    ["Ann lives in Rome.", "Ann moved to Milan."],
    ["My sister lives in Rome.", "My sister has moved to Milan."],
    ["我住在上海。", "我搬到北京了。"],
    ["我现在住在上海", "我上个月搬去了北京"],
    ["我的手机号是13800000000", "我的手机号换成了13900000000"],
    ["我的新密码是abc", "我的密码改成了xyz"],
    ["我在腾讯工作", "我跳槽到阿里了"],
    ["我吃肉", "我不再吃肉了"],
    ["我抽烟", "我戒烟了"],
    ["会议在三点", "会议改到四点了"],
    ["我妈妈住在南京", "我妈妈搬到杭州了"],
    ["我最喜欢的颜色是红色", "我最喜欢的颜色是蓝色"],
  ])("%s ← %s", (older, newer) => expect(supersedes(newer, older)).toBe(true));
});

describe("nothing is replaced by", () => {
  it.each([
    ["I live in Paris.", "I live in Paris."],
    ["I live in Paris.", "I'm thinking about moving to Berlin."],
    ["I live in Paris.", "I will move to Berlin."],
    ["I live in Paris.", "If I moved to Berlin, I would be happy."],
    ["I live in Paris.", "Should I say that I moved to Berlin?"],
    ["I live in Paris.", "Ann moved to Berlin."],
    ["I live in Paris.", "My sister moved to Berlin."],
    ["I live in Paris.", "I live in a small flat."],
    ["I live in Paris.", "I lived in Berlin."],
    ["I live in Paris.", "I moved to the marketing team."],
    ["I live in Paris.", "We visited Berlin."],
    ["My phone number is 555.", "My sister's phone number is 777."],
    ["My phone number is 555.", "My office phone number is 777."],
    ["My cat is Fig.", "My cat is Bean."],
    ["My dog is hungry.", "My dog is asleep now."],
    ["The meeting is on Tuesday.", "The party has been moved to Wednesday."],
    ["I eat meat.", "I don't eat fish anymore."],
    ["I like tea.", "I like coffee."],
    ["I work at Acme.", "My brother quit his job."],
    ["I live in Paris.", 'He said "I moved to Berlin".'],
    ["我住在上海。", "我打算搬到北京。"],
    ["我住在上海。", "我想搬到北京"],
    ["我住在上海。", "我妈妈搬到北京了。"],
    ["我住在上海。", "我去了北京"],
    ["我喜欢茶", "我喜欢咖啡"],
    ["我的手机号是138", "我妈妈的手机号是139"],
  ])("%s | %s", (older, newer) => expect(supersedes(newer, older)).toBe(false));
});

describe("a text", () => {
  it("can be replaced as a whole when most of it is claims", () => {
    expect(readClaims("I live in Paris.", "user").whole).toBe(true);
    expect(readClaims("I live in Paris. It rains a lot.", "user").whole).toBe(true);
    expect(readClaims("I live in Paris. It rains. I met Ann. We ate.", "user").whole).toBe(false);
    expect(readClaims("Hello there.", "user")).toEqual({ claims: [], whole: false });
  });

  it("is read in bounded time whatever it holds", () => {
    const began = Date.now();
    readClaims(`My ${"very ".repeat(2_000)}long name is ${"x ".repeat(5_000)}`, "user");
    readClaims("我".repeat(5_000), "user");
    expect(Date.now() - began).toBeLessThan(1_000);
  });
});
