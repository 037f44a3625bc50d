/**
 * Log: one line of JSON per event, for people and for Workers observability.
 *
 * Fields are ids, numbers and codes. Never pass a prompt, a page, a key, a cookie or a stack: `errorName` gives what may be
 * said about an unknown error.
 */
export type LogLevel = "info" | "warn" | "error";

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** Writes one event. */
export function logEvent(event: string, fields: LogFields = {}, level: LogLevel = "warn"): void {
  const line = JSON.stringify({ level, event, at: new Date().toISOString(), ...fields });
  if (level === "error") console.error(line);
  else if (level === "warn") console.warn(line);
  else console.log(line);
}

/** Messages of the platform; any other may quote what a person wrote. */
const PLATFORM_MESSAGE = /^(?:D1_|Network connection|Durable Object|internal error)/i;

/** The name of a thrown value, with the first words of its message when the platform wrote it. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return PLATFORM_MESSAGE.test(error.message) ? `${error.name}: ${error.message.slice(0, 120)}` : error.name;
}
