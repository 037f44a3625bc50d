/**
 * JSON values of free shape from a client: how deep they may be, and their one canonical text.
 *
 * `canonicalJson` sorts keys, so two bodies that mean the same hash the same. Call it only on a value whose `depthOf` was
 * checked: it recurses.
 */
import { JSON_DEPTH } from "#shared/limits.ts";

/** Levels of nesting of a JSON value; stops counting just above `most`. Does not recurse. */
export function depthOf(value: unknown, most: number = JSON_DEPTH): number {
  let level: unknown[] = [value];
  let depth = 0;
  while (level.length > 0 && depth <= most) {
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === "object" && item !== null) for (const child of Object.values(item)) next.push(child);
    }
    if (next.length > 0) depth += 1;
    level = next;
  }
  return depth;
}

/** JSON text with sorted keys; undefined members are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
