/**
 * Days: whole days since 1970 in UTC, by which usage is counted and quotas begin anew. Pure.
 */
const DAY_MS = 86_400_000;

/** The day of a time in milliseconds since 1970. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** The first millisecond of a day. */
export function dayStart(day: number): number {
  return day * DAY_MS;
}

/** `2026-01-31`. */
export function dayText(day: number): string {
  return new Date(dayStart(day)).toISOString().slice(0, 10);
}

/** Reads `2026-01-31`, which the caller has checked to be a date. */
export function readDay(text: string): number {
  return dayOf(Date.parse(`${text}T00:00:00Z`));
}

/** The first day of a day's month, and the first of the next. */
export function monthAround(day: number): { readonly first: number; readonly next: number } {
  const date = new Date(dayStart(day));
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { first: dayOf(Date.UTC(year, month, 1)), next: dayOf(Date.UTC(year, month + 1, 1)) };
}
