/**
 * Spans of Chinese sentences: the clause that answers, cut by the kind of question.
 *
 * Use: `answerChinese(selection)` for who, where, why and what; null when there is no sentence.
 *
 * What must hold: verbatim text of one sentence; when no pattern fits, the whole clause is the answer.
 */
import type { ScoredSentence, Selection } from "#workers/local-ai/select.ts";

export interface ChineseAnswer {
  readonly text: string;
  readonly source: ScoredSentence;
}

const place =
  /(?:住在|搬到了?|搬去了?|来自|去(?!年)过?了?|到了?|回到?|在)((?:(?![，。！？、的了过买吃玩看上工住认见学开当做拍参出遇碰聚旅]).){1,10}(?:的家|市|省|国|县|区|镇|村|大学|公司|学校|医院)?)/;
const person =
  /(?:和|跟|与|同|是|叫|给|陪)((?:我的?|他的?|她的?)?[\p{Script=Han}A-Za-z]{1,6}?)(?=一起|去|见面|结婚|吃|送|的|，|。|$)/u;
const name = /(?:叫做?|名叫|名字是|名字叫|取名|起名叫?)([\p{Script=Han}A-Za-z0-9·]{1,12}?)(?=[，。！？的]|$)/u;
const reason = /(?:因为|由于|为了)([^，。！？]+)/;

function clauses(text: string): string[] {
  return text
    .replace(/[。！!.\s]+$/, "")
    .split(/[，,；;]/)
    .map((clause) => clause.trim())
    .filter((clause) => clause !== "");
}

/** The clause with most of the question's words. */
function bestClause(scored: ScoredSentence, selection: Selection): string {
  const parts = clauses(scored.sentence.text);
  let best = { text: parts.join("，"), hits: 0 };
  for (const text of parts) {
    const hits = selection.question.terms.filter((term) => text.includes(term.stem)).length;
    if (hits > best.hits) best = { text, hits };
  }
  return best.text;
}

/** "我最喜欢的颜色是蓝色": what follows 是, 叫 or the verb that was asked with. */
function afterVerb(clause: string, question: string): string | null {
  const verb = /([\p{Script=Han}]{1,2})(?:了|过)?(?:什么|哪些|哪个|哪种|几)/u.exec(question)?.[1] ?? "";
  for (const marker of [...(/工作|职业/.test(question) ? ["当", "做"] : []), verb, verb.slice(-1), "是", "叫"]) {
    const index = marker === "" ? -1 : clause.lastIndexOf(marker);
    const rest = index === -1 ? "" : clause.slice(index + marker.length).replace(/^[了过着的]+/, "");
    if (rest !== "") return rest;
  }
  return null;
}

export function answerChinese(selection: Selection): ChineseAnswer | null {
  const source =
    selection.sentences.find((scored) => !scored.sentence.asks && scored.fit >= 0) ?? selection.sentences[0];
  if (source === undefined) return null;
  const { text } = source.sentence;
  const clause = bestClause(source, selection);
  const { question } = selection;
  const cut =
    question.type === "where"
      ? (place.exec(clause)?.[1] ?? place.exec(text)?.[1])
      : question.type === "who"
        ? (person.exec(clause)?.[1] ?? person.exec(text)?.[1])
        : question.type === "why"
          ? reason.exec(text)?.[1]
          : /叫什么|名字/.test(question.text)
            ? (name.exec(clause)?.[1] ?? name.exec(text)?.[1])
            : question.type === "what"
              ? afterVerb(/工作|职业/.test(question.text) ? text.replace(/[。！]+$/, "") : clause, question.text)
              : null;
  return { text: cut === null || cut === undefined || cut === "" ? clause : cut.trim(), source };
}
