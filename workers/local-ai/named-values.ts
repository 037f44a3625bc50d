/**
 * Values that are known by their shape: an e-mail address, a link, a phone number, a password.
 *
 * Use: `namedValue(question, scored)`; null when the question asks for none or the sentence holds none.
 *
 * What must hold: verbatim, whole (a number is not cut at a space, a link not at a colon), without the mark that ends the sentence.
 */
import type { Question } from "#workers/local-ai/question.ts";
import type { ScoredSentence } from "#workers/local-ai/select.ts";

const shapes: readonly (readonly [asked: RegExp, value: RegExp])[] = [
  [/\b(?:flight|train) (?:number|no\b)|航班|车次/i, /\b[A-Z][A-Z0-9]{0,2} ?\d{2,4}\b/],
  [/\be-?mails?\b|邮箱|邮件|电邮/i, /[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+/i],
  [
    /\b(?:links?|urls?|websites?|web ?page|homepage|blog|address)\b|链接|网址|网站/i,
    /\bhttps?:\/\/[^\s，。！？、]+[^\s，。！？、.,;!?)]|\bwww\.[^\s，。！？、]+[^\s，。！？、.,;!?)]/i,
  ],
  [
    /\b(?:phone|telephone|mobile|cell|number)\b|手机|电话|号码/i,
    /(?<![\p{Script=Latin}\p{N}])\+?\d[\d ()/-]{4,}\d(?!\p{Script=Latin})/u,
  ],
];
const secret = /\b(?:password|passcode|passphrase|code|pin)\b|密码|口令/i;
const secretValue =
  /(?:\b(?:password|passcode|passphrase|code|pin)\b[^.!?:=]{0,30}?(?:\bis\b(?: (?:now|currently|still|again))?|:|=)|(?:密码|口令)(?:现在|已经)?(?:是|为|:|：|=|改成了?|改为|换成了?)?)\s*["“'‘「]?([^\s"”“’」，。！？]+?)["”'’」]?(?=[.!?,;]?(?:\s|$)|[，。！？])/i;

export function namedValue(question: Question, { sentence, own }: ScoredSentence): string | null {
  for (const [asked, value] of shapes) {
    const found = asked.test(question.text) ? value.exec(sentence.text)?.[0] : undefined;
    if (found !== undefined) return found;
  }
  if (!secret.test(question.text) || own === 0) return null;
  const found = secretValue.exec(sentence.text)?.[1];
  return found === undefined || /^(?:the|a|my|not|in|on)$/i.test(found) ? null : found;
}
