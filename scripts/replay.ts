/**
 * Replay: `npm run replay -- [--process init] [--file log.ndjson] [--save log.ndjson] [--low N] [--high N]`.
 *
 * Reads the reference log of a process from the local server (LAMINA_URL, else PORT on this machine; LAMINA_API_KEY, else the
 * key in LAMINA_HOME), or from a file that `--save` wrote, and prints what its own budget would have kept under its own policy,
 * FIFO, CLOCK, SIEVE and Belady. Reads only; the log holds numbers, no text.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { z } from "zod";
import { renderOwn, replayOwn, type Budget, type LoggedRun } from "#bench/own-references.ts";
import { LIST_ITEMS_MOST } from "#shared/limits.ts";
import { listOf } from "#shared/schema/list.ts";
import { contextSchema, vmstatSchema } from "#shared/schema/process.ts";
import { runReferencesSchema } from "#shared/schema/run.ts";
import { keyFile, openHome, readPort } from "./home.mjs";
import { fail } from "./repository.mjs";

const budgetSchema = z.object({
  prefix: z.number(),
  low: z.number().positive(),
  high: z.number().positive(),
  prices: z.object({ write: z.number(), read: z.number() }),
});

const headSchema = z.object({ type: z.literal("process"), process: z.string(), budget: budgetSchema });

interface Log {
  readonly process: string;
  readonly budget: Budget;
  readonly rows: readonly LoggedRun[];
}

/** What a budget is without a server that tells its own. */
const USUAL = { prefix: 1_000, low: 4_000, high: 8_000, prices: { write: 1.25, read: 0.1 } };

const { values } = parseArgs({
  options: {
    process: { type: "string", default: "init" },
    file: { type: "string" },
    save: { type: "string" },
    low: { type: "string" },
    high: { type: "string" },
  },
});

const log = values.file === undefined ? await readServer(values.process) : readLog(values.file);
const budget = {
  ...log.budget,
  ...(values.low === undefined ? {} : { low: tokens("--low", values.low) }),
  ...(values.high === undefined ? {} : { high: tokens("--high", values.high) }),
};
if (budget.low > budget.high) fail("--low is above --high.");
if (values.save !== undefined) saveLog(values.save, { ...log, budget });
process.stdout.write(`process ${log.process}: ${renderOwn(replayOwn(log.rows, budget), budget)}`);

function tokens(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) fail(`${name} must be a whole number of tokens, not "${text}".`);
  return value;
}

async function readServer(name: string): Promise<Log> {
  const base = process.env["LAMINA_URL"] ?? `http://127.0.0.1:${readPort()}`;
  const key = process.env["LAMINA_API_KEY"] ?? readKey();
  const ask = (path: string): Promise<Response> =>
    fetch(`${base}/v1/processes/${encodeURIComponent(name)}${path}`, {
      headers: { authorization: `Bearer ${key}` },
    }).catch(() => fail(`No server answers at ${base}. Start one with: npm start`));
  const get = async (path: string): Promise<unknown> => {
    const response = await ask(path);
    if (!response.ok) fail(`${base} answered ${response.status} to ${path}: ${await response.text()}`);
    return response.json();
  };
  const rows: LoggedRun[] = [];
  const page = listOf(runReferencesSchema);
  for (let after: string | undefined = ""; after !== undefined;) {
    const list: z.infer<typeof page> = page.parse(await get(`/references?limit=${LIST_ITEMS_MOST}${after}`));
    rows.push(...list.items);
    after = list.cursor === undefined ? undefined : `&cursor=${list.cursor}`;
  }
  const stat = vmstatSchema.parse(await get("/vmstat"));
  const context = await ask(`/context?thread=${encodeURIComponent(rows.at(-1)?.thread ?? "main")}`);
  const prefix = context.ok ? prefixOf(await context.json()) : USUAL.prefix;
  const [low, high] = [stat["lowTokens"] ?? USUAL.low, stat["highTokens"] ?? USUAL.high];
  const prices = {
    write: stat["writePrice"] ?? USUAL.prices.write,
    read: stat["readPrice"] ?? USUAL.prices.read,
  };
  return { process: name, rows, budget: { prefix, low, high, prices } };
}

/** Tokens in front of the messages. */
function prefixOf(view: unknown): number {
  const { frames } = contextSchema.parse(view);
  return frames.filter(({ region }) => region === "prefix").reduce((sum, frame) => sum + frame.tokens, 0);
}

function readKey(): string {
  try {
    return readFileSync(keyFile(openHome()), "utf8").trim();
  } catch {
    return fail("There is no key: set LAMINA_API_KEY, or start the local server once.");
  }
}

function readLog(path: string): Log {
  try {
    const [head, ...rest] = readFileSync(path, "utf8").trim().split("\n");
    const { process: name, budget: own } = headSchema.parse(JSON.parse(head ?? ""));
    const rows = rest.map((line) => runReferencesSchema.parse(JSON.parse(line)));
    return { process: name, budget: own, rows: rows };
  } catch (error) {
    return fail(`${path} is not a log that --save wrote: ${error instanceof Error ? error.name : "unreadable"}.`);
  }
}

function saveLog(path: string, { process: name, budget: own, rows }: Log): void {
  const lines = [{ type: "process", process: name, budget: own }, ...rows];
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
