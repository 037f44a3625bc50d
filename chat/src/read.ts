/**
 * Read: the shapes the page expects in replies, read from `unknown` without trust. What is missing or of another type
 * becomes empty, so that a newer server cannot break an older page.
 */
import type { RunState } from "#shared/abi.ts";

export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}

/** A citation as the page shows it. */
export interface Source {
  readonly handle: string;
  readonly quote: string;
  readonly source: string;
  readonly at: string;
}

export function readSource(value: unknown): Source {
  const read = fields(value);
  return {
    handle: text(read["handle"]),
    quote: text(read["quote"]),
    source: text(read["source"]),
    at: text(read["at"]),
  };
}

/** What the page needs of a run that it did not start itself. */
export interface KnownRun {
  readonly run: string;
  readonly thread: string;
  readonly status: RunState | "";
  readonly input: string;
  readonly error: string;
  readonly sources: readonly Source[];
}

export function readRun(value: unknown): KnownRun {
  const read = fields(value);
  return {
    run: text(read["run"]),
    thread: text(read["thread"]),
    status: text(read["status"]) as RunState | "",
    input: text(read["input"]),
    error: text(fields(read["error"])["detail"]),
    sources: list(read["citations"]).map(readSource),
  };
}

/** A date as people here write it: the day, and the time when one was given. */
export function shownDate(at: string): string {
  if (at === "") return "";
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const options: Intl.DateTimeFormatOptions = {
    dateStyle: "medium",
    ...(at.includes("T") ? { timeStyle: "short" } : {}),
  };
  return new Intl.DateTimeFormat(document.documentElement.lang, options).format(date);
}
