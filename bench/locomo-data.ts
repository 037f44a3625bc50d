/**
 * Reader of the LoCoMo conversations: typed turns and questions out of the untyped JSON.
 *
 * Use: `locomoDirectory()` says where the data would be, `readConversation(n)` reads one file or returns null when it is absent.
 * Data is only measured with, never copied; the folder is `$BENCH_DATA` or `../shared/data` seen from the repository root.
 *
 * What must hold: a turn's text is the spoken text plus ` [image: caption]`; the `query` field is never read, because it leaks
 * how the data was annotated; evidence ids are normalised to `D<session>:<turn>`; integer answers become text.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseWrittenDate } from "#shared/text/dates.ts";

export interface LocomoTurn {
  /** `D1:3`: session 1, turn 3. */
  readonly id: string;
  readonly session: number;
  readonly speaker: string;
  /** What was said, and the caption of the picture sent with it, if any; `text` has both. */
  readonly said: string;
  readonly caption: string | null;
  readonly text: string;
  /** Wall clock as UTC milliseconds, null when the session's date does not parse. */
  readonly at: number | null;
}

/** 1 multi-hop, 2 temporal, 3 open domain, 4 single-hop, 5 adversarial (nothing supports an answer). */
export type LocomoCategory = 1 | 2 | 3 | 4 | 5;

export interface LocomoQuestion {
  readonly question: string;
  readonly answer: string | null;
  readonly category: LocomoCategory;
  readonly evidence: readonly string[];
  /** As labelled, one entry an id, malformed ones too: the official recall counts them as misses. */
  readonly labels: readonly string[];
}

export interface LocomoConversation {
  readonly name: string;
  readonly speakers: readonly string[];
  readonly turns: readonly LocomoTurn[];
  readonly questions: readonly LocomoQuestion[];
}

export const locomoNumbers: readonly number[] = [0, 2, 4, 6, 8];

export function locomoDirectory(): string {
  return join(process.env.BENCH_DATA ?? "../shared/data", "locomo");
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : null;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : null;
}

function evidenceIds(value: unknown): string[] {
  const ids = list(value).flatMap((entry) => [...(text(entry) ?? "").matchAll(/D:?(\d+):(\d+)/g)]);
  return [...new Set(ids.map((match) => `D${String(Number(match[1]))}:${String(Number(match[2]))}`))];
}

function readTurns(conversation: Record<string, unknown>): LocomoTurn[] {
  const sessions = Object.keys(conversation)
    .flatMap((key) => /^session_(\d+)$/.exec(key)?.[1] ?? [])
    .map(Number)
    .sort((left, right) => left - right);
  return sessions.flatMap((session) => {
    const at = parseWrittenDate(text(conversation[`session_${String(session)}_date_time`]) ?? "")?.at ?? null;
    return list(conversation[`session_${String(session)}`]).flatMap((entry) => {
      const turn = record(entry);
      const id = text(turn?.dia_id);
      const speaker = text(turn?.speaker);
      const said = text(turn?.text);
      if (id === null || speaker === null || said === null) return [];
      const caption = text(turn?.blip_caption);
      const shown = caption === null ? said : `${said} [image: ${caption}]`;
      return [{ id, session, speaker, at, said, caption, text: shown }];
    });
  });
}

function category(value: unknown): LocomoCategory | null {
  return value === 1 || value === 2 || value === 3 || value === 4 || value === 5 ? value : null;
}

function readQuestions(rows: readonly unknown[]): LocomoQuestion[] {
  return rows.flatMap((row) => {
    const entry = record(row);
    const question = text(entry?.question);
    const kind = category(entry?.category);
    if (entry === null || question === null || kind === null) return [];
    return [
      {
        question,
        category: kind,
        answer: text(entry.answer),
        evidence: evidenceIds(entry.evidence),
        labels: list(entry.evidence).map((label) => text(label) ?? ""),
      },
    ];
  });
}

/** One conversation, or null when its file is absent. */
export function readConversation(number: number, directory = locomoDirectory()): LocomoConversation | null {
  const path = join(directory, `conversation-${String(number)}.json`);
  if (!existsSync(path)) return null;
  const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
  const file = record(parsed);
  const conversation = record(file?.conversation);
  if (file === null || conversation === null) throw new Error(`${path} is not a LoCoMo conversation`);
  const speakers = [conversation.speaker_a, conversation.speaker_b].flatMap((name) => text(name) ?? []);
  return {
    name: `conversation-${String(number)}`,
    speakers,
    turns: readTurns(conversation),
    questions: readQuestions(list(file.qa)),
  };
}
