/**
 * Split: cuts a text into parts below a byte limit, at the best place there is.
 *
 * Paragraph ends first, then line ends, then sentence ends, then spaces, then anywhere between two characters. Nothing is
 * lost: the parts joined are the text (white space at a cut stays with the part before it).
 */
import { utf8Bytes } from "#shared/tokens.ts";

const BOUNDARIES = [/\n\s*\n/gu, /\n/gu, /(?:[.!?](?=\s)|[。！？])\s*/gu, /\s+/gu];

/** UTF-8 bytes of one code point; a lone surrogate is written as U+FFFD. */
function utf8BytesOf(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

/** The largest number of UTF-16 units of `text` that fit into `bytes`, never inside a surrogate pair. */
function unitsThatFit(text: string, bytes: number): number {
  let used = 0;
  let units = 0;
  for (const character of text) {
    used += utf8BytesOf(character.codePointAt(0) ?? 0);
    if (used > bytes) break;
    units += character.length;
  }
  return units;
}

function cutBefore(text: string, limit: number): number {
  for (const boundary of BOUNDARIES) {
    let best = 0;
    for (const match of text.slice(0, limit).matchAll(boundary)) best = match.index + match[0].length;
    if (best > limit / 2) return best;
  }
  return limit;
}

/** Parts of at most `bytes` UTF-8 bytes. A text that fits is its own only part. */
export function splitText(text: string, bytes: number): string[] {
  const parts: string[] = [];
  let rest = text;
  while (utf8Bytes(rest) > bytes) {
    const cut = cutBefore(rest, Math.max(1, unitsThatFit(rest, bytes)));
    parts.push(rest.slice(0, cut));
    rest = rest.slice(cut);
  }
  if (rest !== "") parts.push(rest);
  return parts;
}
