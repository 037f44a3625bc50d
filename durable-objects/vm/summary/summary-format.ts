/**
 * Summary format: how the text of a summary page is written, and read again when the next summary is made from it.
 *
 *     - p3 user 2023-05-08: My sister Ana lives in Porto. She works at Ikea.       what was said, in order
 *     Details:
 *     - p4: AC-1234; 42 euros                                                       items no sentence above carries
 *     Lookup hints:
 *     - p3..p9: sister, Ana, Porto                                                  where to find what
 *
 * Every line that carries somebody's words begins with "- ", so no words can pass for a heading. A text of another form (a
 * model wrote it) reads as sentences without a handle.
 */
export const DETAILS_HEADING = "Details:";
export const HINTS_HEADING = "Lookup hints:";

/** Whose words they are: `p3 user 2023-05-08`, any part of it missing when it is not known. */
export interface SummaryLine {
  readonly label: string;
  readonly text: string;
}

export interface SummaryHint {
  /** First and last handle of a stretch of the conversation. */
  readonly from: string;
  readonly to: string;
  readonly topics: readonly string[];
}

export interface SummaryParts {
  readonly said: readonly SummaryLine[];
  readonly details: readonly SummaryLine[];
  readonly hints: readonly SummaryHint[];
}

const LABELLED = /^- ((?:p[0-9a-z]{1,13})?(?: ?(?:user|assistant|tool|system))?(?: ?\d{4}-\d{2}-\d{2})?): (.*)$/s;
const HINT = /^(?:- )?(p[0-9a-z]{1,13})(?:\.\.(p[0-9a-z]{1,13}))?: (.+)$/s;

function readLine(line: string): SummaryLine {
  const match = LABELLED.exec(line);
  return match === null
    ? { label: "", text: line.replace(/^- /, "") }
    : { label: match[1] ?? "", text: match[2] ?? "" };
}

/** The handle a label begins with, or null. */
export function handleOf(label: string): string | null {
  return /^p[0-9a-z]{1,13}(?= |$)/.exec(label)?.[0] ?? null;
}

export function readHint(line: string): SummaryHint | null {
  const match = HINT.exec(line.trim());
  if (match === null) return null;
  const [, from = "", to = from, topics = ""] = match;
  return { from, to, topics: topics.split(", ").filter((topic) => topic !== "") };
}

/** Reads a summary; anything that is not of the form is a sentence without a handle. */
export function parseSummary(summary: string): SummaryParts {
  const said: SummaryLine[] = [];
  const details: SummaryLine[] = [];
  const hints: SummaryHint[] = [];
  let section: "said" | "details" | "hints" = "said";
  for (const line of summary.split("\n")) {
    const hint = section === "hints" ? readHint(line) : null;
    if (line.trim() === "") continue;
    if (line === DETAILS_HEADING) section = "details";
    else if (/^#{0,4} ?\**lookup hints:?\**:?$/i.test(line.trim())) section = "hints";
    else if (hint !== null) hints.push(hint);
    else if (section === "details") details.push(readLine(line));
    else said.push(readLine(line));
  }
  return { said, details, hints };
}

export function writeLine(line: SummaryLine): string {
  const bare = `- ${line.text}`;
  return line.label === "" && !LABELLED.test(bare) ? bare : `- ${line.label}: ${line.text}`;
}

export function writeHint(hint: SummaryHint): string {
  return `${hint.from === hint.to ? hint.from : `${hint.from}..${hint.to}`}: ${hint.topics.join(", ")}`;
}

export function writeSummary(parts: SummaryParts): string {
  return [
    ...parts.said.map(writeLine),
    ...(parts.details.length === 0 ? [] : [DETAILS_HEADING, ...parts.details.map(writeLine)]),
    ...(parts.hints.length === 0 ? [] : [HINTS_HEADING, ...parts.hints.map((hint) => `- ${writeHint(hint)}`)]),
  ].join("\n");
}
