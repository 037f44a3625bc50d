/**
 * Summary sentences: cuts a message into the pieces that a summary keeps or drops whole.
 *
 * A piece is a sentence or a line, white space collapsed. A piece that is too long is cut at a clause, else at a space, else
 * between two characters, but never inside a surrogate pair; a run that long without spaces is no sentence and stays whole up to the limit only.
 */
const PIECE_CHARACTERS = 280;

const BOUNDARY = /(?<=[.!?]["'”’)\]]{0,2})\s+(?=\S)|(?<=[。！？；]["”’」』）]{0,2})|\s*\n\s*/u;
const CLAUSE = /[,;:，、；：]\s*|\s+[-–—]\s+/gu;

function cutAt(text: string): number {
  const head = text.slice(0, PIECE_CHARACTERS);
  let clause = 0;
  for (const match of head.matchAll(CLAUSE)) clause = match.index + match[0].length;
  if (clause > PIECE_CHARACTERS / 3) return clause;
  const space = head.lastIndexOf(" ");
  if (space > PIECE_CHARACTERS / 3) return space + 1;
  const unit = text.charCodeAt(PIECE_CHARACTERS - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? PIECE_CHARACTERS - 1 : PIECE_CHARACTERS;
}

/** The sentences of a text in order. */
export function splitSentences(text: string): string[] {
  const sentences: string[] = [];
  for (const piece of text.split(BOUNDARY)) {
    let rest = piece.replace(/\s+/gu, " ").trim();
    while (rest.length > PIECE_CHARACTERS) {
      const cut = cutAt(rest);
      sentences.push(rest.slice(0, cut).trim());
      rest = rest.slice(cut);
    }
    if (rest !== "") sentences.push(rest);
  }
  return sentences;
}
