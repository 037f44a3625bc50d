/**
 * Reads the measuring data of the memory search figures: LoCoMo conversations and BEAM chats as pages with questions.
 *
 * Use `locomoCases(folder)` and `beamCases(folder)`; `dataFolder()` is `$BENCH_DATA`, or the shared data beside the repository.
 * What must hold: third-party data is only measured with. Nothing of it is written anywhere, and a missing folder is an empty list.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { SearchIndex, indexEntry } from "#kernel/vm/search-index.ts";
import type { IndexablePage } from "#kernel/vm/search-entry.ts";

export interface MemoryQuestion {
  text: string;
  category: string;
  /** Pages that hold the evidence; -1 for an evidence id that names no page, which is always a miss. */
  evidence: number[];
}

export interface MemoryCase {
  name: string;
  pages: IndexablePage[];
  /** Page of a turn or message by the id that evidence names it by. */
  pageOf: ReadonlyMap<string, number>;
  questions: MemoryQuestion[];
}

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");

export function dataFolder(): string {
  return resolve(ROOT, process.env["BENCH_DATA"] ?? "../shared/data");
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

function readJson(path: string): Json {
  return JSON.parse(readFileSync(path, "utf8")) as Json;
}

function fields(value: Json | undefined): { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function string(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** "1:56 pm on 8 May, 2023" as wall time. */
function sessionTime(header: string): number | null {
  const match = /^(\d+):(\d+) (am|pm) on (.+)$/.exec(header);
  const day = match === null ? Number.NaN : Date.parse(`${match[4] ?? ""} UTC`);
  if (match === null || Number.isNaN(day)) return null;
  const hour = (Number(match[1]) % 12) + (match[3] === "pm" ? 12 : 0);
  return day + (hour * 60 + Number(match[2])) * 60_000;
}

const CATEGORIES: Readonly<Record<number, string>> = {
  1: "multi-hop",
  2: "temporal",
  3: "open-domain",
  4: "single-hop",
  5: "adversarial",
};

function evidencePages(ids: Json | undefined, pageOf: ReadonlyMap<string, number>): number[] {
  return list(ids).map((id) => {
    const match = /D:?(\d+):(\d+)/.exec(string(id));
    return (match === null ? undefined : pageOf.get(`D${Number(match[1])}:${Number(match[2])}`)) ?? -1;
  });
}

function locomoCase(path: string, name: string): MemoryCase {
  const file = fields(readJson(path));
  const conversation = fields(file["conversation"]);
  const pages: IndexablePage[] = [];
  const pageOf = new Map<string, number>();
  for (
    let session = 1;
    conversation[`session_${session}_date_time`] !== undefined || conversation[`session_${session}`] !== undefined;
    session += 1
  ) {
    const at = sessionTime(string(conversation[`session_${session}_date_time`]));
    for (const turn of list(conversation[`session_${session}`]).map(fields)) {
      const caption = string(turn["blip_caption"]);
      const text = caption === "" ? string(turn["text"]) : `${string(turn["text"])}\n${caption}`;
      pageOf.set(string(turn["dia_id"]), pages.length);
      pages.push({
        page: pages.length,
        session: String(session),
        speaker: string(turn["speaker"]),
        role: null,
        kind: "turn",
        at,
        text,
      });
    }
  }
  const questions = list(file["qa"])
    .map(fields)
    .map((question) => ({
      text: string(question["question"]),
      category: CATEGORIES[Number(question["category"])] ?? "other",
      evidence: evidencePages(question["evidence"], pageOf),
    }));
  return { name, pages, pageOf, questions };
}

export function locomoCases(folder: string): MemoryCase[] {
  const path = join(folder, "locomo");
  if (!existsSync(path)) return [];
  const files = readdirSync(path).filter((file) => /^conversation-\d+\.json$/.test(file));
  return files.sort().map((file) => locomoCase(join(path, file), file.replace(".json", "")));
}

/**
 * The same conversations with audited labels: a miscited question gets the right evidence, a question whose expected answer is
 * wrong is left out. `locomo` must come from `locomoCases`.
 */
export function auditedCases(folder: string, locomo: readonly MemoryCase[]): MemoryCase[] {
  const errors = list(readJson(join(folder, "locomo", "audited-errors.json"))).map(fields);
  const byQuestion = new Map(errors.map((error) => [string(error["question_id"]), error]));
  return locomo.map((one) => {
    const number = one.name.replace("conversation-", "");
    const questions = one.questions.flatMap((question, index): MemoryQuestion[] => {
      const error = byQuestion.get(`locomo_${number}_qa${index}`);
      if (error === undefined) return [question];
      if (error["error_type"] !== "WRONG_CITATION") return [];
      return [{ ...question, evidence: evidencePages(error["correct_evidence"], one.pageOf) }];
    });
    return { ...one, questions };
  });
}

interface BeamMessage {
  id: number;
  role: "user" | "assistant";
  text: string;
  anchor: string;
  session: string;
}

function beamMessages(value: Json, session: string, into: BeamMessage[]): void {
  if (Array.isArray(value)) {
    for (const item of value) beamMessages(item, session, into);
    return;
  }
  const item = fields(value);
  if (typeof item["role"] === "string" && typeof item["content"] === "string") {
    const role = item["role"] === "user" ? "user" : "assistant";
    const text = item["content"].replace(/\s*->->[^\n]*$/, "");
    into.push({ id: Number(item["id"]), role, text, anchor: string(item["time_anchor"]), session });
    return;
  }
  const inner = typeof item["batch_number"] === "number" ? item["batch_number"].toFixed(0) : session;
  for (const child of Object.values(item)) beamMessages(child, inner, into);
}

function numbersIn(value: Json | undefined): number[] {
  if (typeof value === "number") return [value];
  if (Array.isArray(value)) return value.flatMap(numbersIn);
  return Object.values(fields(value)).flatMap(numbersIn);
}

function beamCase(folder: string, name: string): MemoryCase {
  const messages: BeamMessage[] = [];
  beamMessages(readJson(join(folder, "chat.json")), "1", messages);
  const pageOf = new Map(messages.map((message, page) => [String(message.id), page]));
  let at: number | null = null;
  const pages = messages.map((message, page): IndexablePage => {
    const time = Date.parse(`${message.anchor.replaceAll("-", " ")} UTC`);
    if (!Number.isNaN(time)) at = time;
    return {
      page,
      session: message.session,
      speaker: null,
      role: message.role,
      kind: message.role === "user" ? "turn" : "assistant",
      at,
      text: message.text,
    };
  });
  const questions = Object.entries(fields(readJson(join(folder, "probing_questions.json")))).flatMap(
    ([category, rows]) =>
      list(rows)
        .map(fields)
        .map((row) => ({
          text: string(row["question"]),
          category,
          evidence: [...new Set(numbersIn(row["source_chat_ids"]))].map((id) => pageOf.get(String(id)) ?? -1),
        }))
        .filter((question) => question.evidence.length > 0),
  );
  return { name, pages, pageOf, questions };
}

export function beamCases(folder: string): MemoryCase[] {
  const path = join(folder, "beam-100k");
  if (!existsSync(path)) return [];
  const names = readdirSync(path).filter((name) => existsSync(join(path, name, "chat.json")));
  return names
    .sort((one, other) => Number(one) - Number(other))
    .map((name) => beamCase(join(path, name), `beam-${name}`));
}

export function indexOf(pages: readonly IndexablePage[]): SearchIndex {
  const index = new SearchIndex();
  for (const page of pages) index.add(indexEntry(page));
  return index;
}
