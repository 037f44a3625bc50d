/**
 * Claim: one thing that a text says of a subject and that can change, and when a newer one takes its place.
 *
 * Use `replaces(newer, older)` for two claims of the same `subject` and `attribute`. Claims are read by `claims.ts`.
 *
 * What must hold: pure; two claims that can both be true at once replace nothing.
 */
export interface Claim {
  /** Lower case; the person who speaks for "I". */
  readonly subject: string;
  /** What is said of the subject: "residence", "phone number", "does eat". */
  readonly attribute: string;
  /** Folded; "" where the claim ends whatever held. */
  readonly value: string;
  /** False for "no longer". */
  readonly holds: boolean;
  /** The attribute has one value at a time, or the sentence says that it changed. */
  readonly single: boolean;
}

/** The words of one stand in the other. */
function holdsWords(whole: string, part: string): boolean {
  if (/\p{Script=Han}/u.test(whole)) return whole.includes(part);
  const words = new Set(whole.split(" "));
  return part.split(" ").every((word) => words.has(word));
}

/** Whether a newer claim takes the place of an older one of the same subject and attribute. */
export function replaces(newer: Claim, older: Claim): boolean {
  if (newer.holds && older.holds) return newer.single && newer.value !== older.value;
  if (newer.holds === older.holds) return false;
  if (newer.value === "" || (older.value === "" && !older.holds)) return true;
  return newer.value === older.value || holdsWords(older.value, newer.value) || (newer.holds && newer.single);
}
