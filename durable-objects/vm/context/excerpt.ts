/**
 * Excerpt: the stretch of a long page that has most of a query's words in it, verbatim.
 *
 * Use: `excerpt(text, query, tokens)`; a text that fits comes back whole. Pure: the same arguments give the same stretch. It
 * begins and ends at ends of lines or sentences where there are any, and says where something was left out.
 */
import { analyze } from "#shared/text/words.ts";
import { estimateTokens } from "#shared/tokens.ts";

const PIECE = /[^\n.!?。！？]+(?:[.!?。！？]+["'”’)\]]*|\n+|$)\s*|[\n.!?。！？]+\s*/gu;

interface Piece {
  readonly text: string;
  readonly tokens: number;
  readonly terms: readonly string[];
}

export function excerpt(text: string, query: string, tokens: number): string {
  if (estimateTokens(text) <= tokens) return text;
  const wanted = new Set(analyze(query));
  const pieces = (text.match(PIECE) ?? [text]).map((piece): Piece => ({
    text: piece,
    tokens: estimateTokens(piece),
    terms: analyze(piece).filter((term) => wanted.has(term)),
  }));
  const [start, end] = bestStretch(pieces, tokens);
  const cut = pieces
    .slice(start, end)
    .map((piece) => piece.text)
    .join("")
    .trim();
  if (cut === "") return `${head(text, tokens)}…`;
  return `${start > 0 ? "…" : ""}${end === start + 1 ? head(cut, tokens) : cut}${end < pieces.length ? "…" : ""}`;
}

/** The stretch within the budget that has the most different words of the query; the first of equals. */
function bestStretch(pieces: readonly Piece[], budget: number): [start: number, end: number] {
  let best: [number, number] = [0, 1];
  let most = -1;
  let end = 0;
  let tokens = 0;
  const held = new Map<string, number>();
  for (let start = 0; start < pieces.length; start += 1) {
    for (let next = pieces[end]; next !== undefined && tokens + next.tokens <= budget; next = pieces[end]) {
      tokens += next.tokens;
      for (const term of next.terms) held.set(term, (held.get(term) ?? 0) + 1);
      end += 1;
    }
    if (held.size > most && end > start) {
      most = held.size;
      best = [start, end];
    }
    const leaves = pieces[start];
    if (leaves === undefined || end <= start) {
      end = start + 1;
      continue;
    }
    tokens -= leaves.tokens;
    for (const term of leaves.terms) {
      const times = (held.get(term) ?? 1) - 1;
      if (times > 0) held.set(term, times);
      else held.delete(term);
    }
  }
  return best;
}

/** As many whole characters from the beginning as fit. */
function head(text: string, tokens: number): string {
  if (estimateTokens(text) <= tokens) return text;
  const characters = Array.from(text);
  let low = 0;
  let high = characters.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (estimateTokens(characters.slice(0, middle).join("")) <= tokens) low = middle;
    else high = middle - 1;
  }
  return characters.slice(0, low).join("");
}
