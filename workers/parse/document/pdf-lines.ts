/**
 * PDF lines: the pieces of text of a printed page as lines, and what the first pages tell of the whole document.
 *
 * A PDF knows no headings: a line that is set larger than the running text is one. Lines that repeat at the same height on most
 * pages (running heads, page numbers) are no text.
 */
export interface PdfItem {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** Height of the letters, in points. */
  readonly size: number;
  /** The line ends behind it. */
  readonly ends: boolean;
}

export interface PdfLine {
  readonly text: string;
  readonly size: number;
  readonly y: number;
}

export interface PdfProfile {
  /** Size of the running text. */
  readonly body: number;
  /** Sizes of headings, the largest first. */
  readonly headings: readonly number[];
  /** Lines that repeat, as `runningKey` writes them. */
  readonly running: ReadonlySet<string>;
}

const HEADING_SHARE = 1.15;
const HEADING_CHARACTERS = 200;
const HEADING_LEVELS = 6;
/** Share of the pages on which a line must stand to be a running one, and the least of pages. */
const RUNNING_SHARE = 0.6;
const RUNNING_PAGES = 3;
const PAGE_NUMBER =
  /^[^\p{L}\d]*(?:\p{L}{1,8}[^\p{L}\d]*)?\d{1,5}(?:[^\p{L}\d]*\p{L}{0,4}[^\p{L}\d]*\d{1,5})?[^\p{L}\d]*$/u;

/** The lines of a page, in the order of the file. */
export function pdfLines(items: readonly PdfItem[]): PdfLine[] {
  const lines: PdfLine[] = [];
  let held: PdfItem[] = [];
  const flush = (): void => {
    const text = held
      .map((item) => item.text)
      .join("")
      .replace(/\s+/gu, " ")
      .trim()
      .toWellFormed()
      .replaceAll("\0", "");
    const sized = held.filter((item) => item.text.trim() !== "" && item.size > 0);
    const first = sized[0];
    if (text !== "" && first !== undefined) {
      lines.push({ text, size: Math.max(...sized.map((item) => item.size)), y: first.y });
    }
    held = [];
  };
  for (const item of items) {
    const last = held.findLast((one) => one.text.trim() !== "");
    const moved =
      last !== undefined && item.text.trim() !== "" && Math.abs(item.y - last.y) > Math.max(last.size, 1) * 0.6;
    if (moved) flush();
    held.push(item);
    if (item.ends) flush();
  }
  flush();
  return lines;
}

/** What makes two lines the same running line: their height and words, and of a page number only that it is one. */
export function runningKey(line: PdfLine): string {
  return `${Math.round(line.y)} ${line.text.replace(PAGE_NUMBER, "#")}`;
}

const round = (size: number): number => Math.round(size * 2) / 2;

/** What the lines of the first pages tell. */
export function pdfProfile(pages: readonly (readonly PdfLine[])[]): PdfProfile {
  const characters = new Map<number, number>();
  const repeated = new Map<string, number>();
  for (const lines of pages) {
    for (const line of lines)
      characters.set(round(line.size), (characters.get(round(line.size)) ?? 0) + line.text.length);
    for (const key of new Set(lines.map(runningKey))) repeated.set(key, (repeated.get(key) ?? 0) + 1);
  }
  const body = [...characters].toSorted((one, other) => other[1] - one[1])[0]?.[0] ?? 0;
  const larger = [...characters.keys()].filter((size) => size >= body * HEADING_SHARE);
  // What is set as large as a heading is one, however often it is said.
  const large = new Set(pages.flat().flatMap((line) => (line.size >= body * HEADING_SHARE ? [runningKey(line)] : [])));
  const least = Math.max(RUNNING_PAGES, pages.length * RUNNING_SHARE);
  return {
    body,
    headings: larger.toSorted((one, other) => other - one).slice(0, HEADING_LEVELS),
    running: new Set([...repeated].filter(([key, count]) => count >= least && !large.has(key)).map(([key]) => key)),
  };
}

/** The level of a line as a heading, from 1; 0 for running text. */
export function headingLevel(line: PdfLine, profile: PdfProfile): number {
  if (line.size < profile.body * HEADING_SHARE || line.text.length > HEADING_CHARACTERS) return 0;
  if (!/\p{L}/u.test(line.text)) return 0;
  const level = profile.headings.findIndex((size) => size <= line.size + 0.25);
  return level < 0 ? Math.max(1, profile.headings.length) : level + 1;
}
