/**
 * Block edit: what the verbs do to a block's text. Pure.
 *
 * A refusal says what is wrong and what to do next, because whoever reads it may be a model that would otherwise try the same
 * again. Characters are code points; line ends become "\n", so that "exactly as it stands there" means what is shown.
 */
import { failure, type Failure } from "#shared/errors.ts";
import { failed, success, type Result } from "#shared/result.ts";
import type { BlockEdit } from "#shared/schema/blocks.ts";

/** Code points of a text. */
export function characters(text: string): number {
  let counted = 0;
  for (const _ of text) counted += 1;
  return counted;
}

export function normalLines(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n");
}

export interface EditableBlock {
  readonly label: string;
  readonly value: string;
  readonly most: number;
}

/** The value after `replace` or `insert`, not yet held against the limit. */
export function editedValue(block: EditableBlock, edit: BlockEdit): Result<string> {
  const text = normalLines(edit.text ?? "");
  if (edit.verb === "replace") return replaceOnce(block, normalLines(edit.old ?? ""), text);
  return insertLines(block, text, edit.line);
}

function replaceOnce(block: EditableBlock, old: string, text: string): Result<string> {
  const places = occurrences(block.value, old);
  const [place] = places;
  if (place === undefined) {
    return refuse(
      `The words to replace are not in block "${block.label}". Copy them exactly as they stand there, with capitals, spaces and line breaks.`,
    );
  }
  if (places.length > 1) {
    return refuse(
      `The words to replace occur ${places.length} times in block "${block.label}". Give more of the text around the one that is meant.`,
    );
  }
  return success(block.value.slice(0, place) + text + block.value.slice(place + old.length));
}

/** Every place, also those that overlap: "aa" stands twice in "aaa". */
function occurrences(value: string, old: string): number[] {
  const places: number[] = [];
  for (let place = value.indexOf(old); place !== -1 && old !== ""; place = value.indexOf(old, place + 1)) {
    places.push(place);
  }
  return places;
}

function insertLines(block: EditableBlock, text: string, after: number | undefined): Result<string> {
  const lines = block.value === "" ? [] : block.value.split("\n");
  const line = after ?? lines.length;
  if (line > lines.length) {
    return refuse(
      `Block "${block.label}" has ${lines.length} lines; \`line\` must be 0 to ${lines.length}, or absent for the end.`,
    );
  }
  return success([...lines.slice(0, line), ...text.split("\n"), ...lines.slice(line)].join("\n"));
}

/** Null when a value fits; otherwise a refusal that trying again will not change. */
export function overLimit(block: Omit<EditableBlock, "value">, value: string): Failure | null {
  const size = characters(value);
  if (size <= block.most) return null;
  const over = size - block.most;
  return failure(
    "payload_too_large",
    `Block "${block.label}" would hold ${size} characters; its limit is ${block.most}. Nothing was changed, and the same edit will be refused again. Shorten it by at least ${over} characters, or move parts of it to memory_write and keep a short line here.`,
  );
}

function refuse(detail: string): { readonly ok: false; readonly error: Failure } {
  return failed(failure("invalid_request", detail));
}
