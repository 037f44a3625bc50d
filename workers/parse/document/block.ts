/**
 * Block: what a document is read as, whatever its format: headings, and stretches of text that belong together.
 *
 * What must hold: the `raw` of all blocks of a document, in order, is the document's whole text; where the bytes of the document
 * were cut on their way never changes a block.
 */
export interface HeadingBlock {
  readonly kind: "heading";
  /** 1 is the highest. */
  readonly level: number;
  readonly title: string;
  readonly raw: string;
}

export interface TextBlock {
  readonly kind: "text";
  readonly raw: string;
  /** Code, a table, a list: kept whole where possible, and cut at line ends. */
  readonly whole: boolean;
}

export type Block = HeadingBlock | TextBlock;

/** Reads one format. Its state is plain JSON in `state`, so that reading goes on in another request. */
export interface BlockReader {
  push(text: string): Block[];
  /** What is left when the document has ended. */
  end(): Block[];
  /** The document's own title, once it is known. */
  readonly title: string | null;
  /** Whether the title stands beside the headings rather than among them. */
  readonly leads: boolean;
  readonly state: unknown;
}

const TITLE_CHARACTERS = 120;

/** A heading's words on one line, without markup that only decorates. */
export function plainTitle(text: string): string {
  const plain = text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/gu, "$1")
    .replace(/<[^>]*>/gu, "")
    .replace(/(\*\*|__|\*|~~|`)(?=\S)(.+?)(?<=\S)\1/gu, "$2")
    .replace(/\s+/gu, " ")
    .trim();
  return Array.from(plain).slice(0, TITLE_CHARACTERS).join("");
}
