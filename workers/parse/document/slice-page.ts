/**
 * Slice page: a slice as the page that is stored: its text under a line that says where it stands, and its source.
 *
 * The line `Title › Chapter › Section` makes the page findable by the words of its headings, and tells a model what it reads.
 */
import { SLICE_CONTEXT_CHARACTERS, SOURCE_CHARACTERS } from "#shared/limits.ts";
import { beforePair } from "#shared/text/cut.ts";
import type { Slice } from "#workers/parse/document/slicer.ts";

export interface SlicePage {
  readonly text: string;
  readonly source: string;
}

/** What is known of the whole document. */
export interface DocumentLabel {
  readonly name: string;
  readonly title: string | null;
}

/** Null when there is nothing to read on the slice. */
export function slicePage(slice: Slice, label: DocumentLabel): SlicePage | null {
  const body = slice.raw.trim();
  if (!/[\p{L}\p{N}\p{S}]/u.test(body)) return null;
  return { text: `${contextLine(slice.path, label)}\n\n${body}`, source: sourceOf(slice, label.name) };
}

function contextLine(path: readonly string[], { name, title }: DocumentLabel): string {
  const first = title ?? (path.length > 0 ? null : name);
  const headings = path[0] === first || first === null ? path : [first, ...path];
  const whole = headings.join(" › ");
  if (whole.length <= SLICE_CONTEXT_CHARACTERS) return whole;
  // The first and the nearest say most.
  const short = [headings[0] ?? "", headings.at(-1) ?? ""].map((heading) =>
    cutTo(heading, SLICE_CONTEXT_CHARACTERS / 2 - 4),
  );
  return short.join(" › … › ");
}

/** `handbook.md#opening-hours`, `report.pdf#page=3`, or `notes.txt#char=1200` where there are no headings. */
function sourceOf({ path, offset, place }: Slice, name: string): string {
  const nearest = path.at(-1);
  const anchor = place ?? (nearest === undefined ? `char=${offset}` : anchorOf(nearest));
  return cutTo(`${name}#${anchor}`, SOURCE_CHARACTERS);
}

/** A heading as the anchors of web pages are written. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s+/gu, "-");
}

function cutTo(text: string, units: number): string {
  return text.length <= units ? text : text.slice(0, beforePair(text, units));
}
