/**
 * Cut: where to cut a text that is too long for one page.
 *
 * `cutProse` prefers the end of a paragraph, then of a sentence (Chinese and Japanese too), then of a line, of a clause, of a word;
 * `cutLines` (code, tables, lists) prefers the end of a line. Both answer a place in 1…`limit` that is never inside a surrogate
 * pair; white space at a cut stays with the part before it.
 */
const PARAGRAPH = /\n[^\S\n]*\n\s*/gu;
const SENTENCE = /(?:[.!?]+["'”’)\]]*(?=\s)|[。！？…]+[」』”’）】》]*)\s*/gu;
const LINE = /\n/gu;
const CLAUSE = /[，、；：;,](?:\s+|(?=\p{L}))/gu;
const SPACE = /\s+/gu;

/** A kind of place, and the share of the limit that the part before it must fill to be worth a cut there. */
type Boundary = readonly [pattern: RegExp, share: number];

const PROSE: readonly Boundary[] = [
  [PARAGRAPH, 0.5],
  [SENTENCE, 0.3],
  [LINE, 0.5],
  [CLAUSE, 0.5],
  [SPACE, 0.5],
];
const LINES: readonly Boundary[] = [
  [LINE, 0.3],
  [SENTENCE, 0.5],
  [SPACE, 0.5],
];

export function cutProse(text: string, limit: number): number {
  return cutAt(text, limit, PROSE);
}

export function cutLines(text: string, limit: number): number {
  return cutAt(text, limit, LINES);
}

/** `text` must be longer than `limit`: what follows the limit decides whether a sentence ends there. */
function cutAt(text: string, limit: number, boundaries: readonly Boundary[]): number {
  const head = text.slice(0, limit + 1);
  for (const [pattern, share] of boundaries) {
    let best = 0;
    for (const match of head.matchAll(pattern)) {
      const end = match.index + match[0].length;
      if (end <= limit) best = end;
    }
    if (best > 0 && best >= limit * share) return best;
  }
  return beforePair(text, limit);
}

/** `place`, or one less when it lies inside a surrogate pair. */
export function beforePair(text: string, place: number): number {
  const unit = text.charCodeAt(place - 1);
  const inside = place < text.length && unit >= 0xd800 && unit <= 0xdbff;
  return inside && place > 1 ? place - 1 : place;
}

/** The number of UTF-16 units of `text`, from its start, that are estimated at `tokens` at most; at least one character. */
export function unitsWithin(text: string, tokens: number): number {
  let quarters = tokens * 4;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 128) quarters -= 1;
    else if (unit < 0xdc00 || unit > 0xdfff) quarters -= 4;
    if (quarters < 0) return index > 0 ? index : String.fromCodePoint(text.codePointAt(0) ?? 0).length;
  }
  return text.length;
}
