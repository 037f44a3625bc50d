/**
 * Reads the measuring data of the search figures: LoCoMo conversations and BEAM chats as pages with questions.
 *
 * Use `locomoCases(folder)` and `beamCases(folder)`; `dataFolder()` is `$BENCH_DATA`, or the shared data beside the repository.
 * What must hold: third-party data is only measured with. Nothing of it is written anywhere, and a missing folder is an empty list.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { SearchIndex, indexEntry } from "#kernel/vm/search/search-index.ts";
import { locomoNumbers, readConversation, type LocomoCategory, type LocomoConversation } from "#bench/locomo-data.ts";
import type { IndexablePage } from "#kernel/vm/search/search-entry.ts";

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

const CATEGORIES: Readonly<Record<LocomoCategory, string>> = {
  1: "multi-hop",
  2: "temporal",
  3: "open-domain",
  4: "single-hop",
  5: "adversarial",
};

/** One page a label: the official protocol reads the first id of each and counts one that names no turn as a miss. */
function evidencePages(labels: readonly string[], pageOf: ReadonlyMap<string, number>): number[] {
  return labels.map((label) => {
    const match = /D:?(\d+):(\d+)/.exec(label);
    return (match === null ? undefined : pageOf.get(`D${Number(match[1])}:${Number(match[2])}`)) ?? -1;
  });
}

function locomoCase({ name, turns, questions }: LocomoConversation): MemoryCase {
  const pageOf = new Map(turns.map((turn, page) => [turn.id, page]));
  return {
    name,
    pageOf,
    pages: turns.map(({ session, speaker, at, said, caption }, page) => ({
      page,
      session: String(session),
      speaker,
      role: null,
      kind: "turn",
      at,
      text: caption === null ? said : `${said}\n${caption}`,
    })),
    questions: questions.map(({ question, category, labels }) => ({
      text: question,
      category: CATEGORIES[category],
      evidence: evidencePages(labels, pageOf),
    })),
  };
}

export function locomoCases(folder: string): MemoryCase[] {
  return locomoNumbers.flatMap((number) => {
    const conversation = readConversation(number, join(folder, "locomo"));
    return conversation === null ? [] : [locomoCase(conversation)];
  });
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
      return [{ ...question, evidence: evidencePages(list(error["correct_evidence"]).map(string), one.pageOf) }];
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
