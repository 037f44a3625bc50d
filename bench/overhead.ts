/**
 * Figure "overhead": what the operating system adds to one call of a model.
 *
 * The same engine is called through the whole system (HTTP, authentication, journal, search, paging, pool, verification,
 * write-behind) and straight (HTTP, the `AI` binding), with a prompt of the same content, in turns, in one run on one
 * machine. Reported: added time (difference of medians and of p99), the ratio, and the time to the first event of a stream.
 */
import { z } from "zod";
import { percentile, row, writeReport, type Row } from "#bench/report.ts";
import { get, openServer, post, startWorker, type Server } from "#bench/server.ts";
import { MODEL_TOOLS } from "#shared/calls.ts";
import { PAGES_HEADING, PREAMBLE } from "#kernel/vm/context/preamble.ts";

const CALLS = 300;
const WARM_UP = 30;
const QUESTION = "Where did Nadia put the spare keys?";

const found = z.object({
  items: z.array(
    z.object({
      handle: z.string(),
      kind: z.string(),
      text: z.string(),
      at: z.string().nullable(),
      source: z.string().nullable(),
    }),
  ),
});

const PLACES = ["kitchen", "garden", "attic", "cellar", "office", "hall", "garage", "shed", "porch", "study"];

async function fill(server: Server): Promise<void> {
  const rows = Array.from({ length: 400 }, (_, index) => ({
    text: `Note ${index}: the box number ${index} stands in the ${PLACES[index % PLACES.length] ?? ""}.`,
    source: `note-${index}`,
  }));
  rows.push({ text: "Nadia put the spare keys under the blue flower pot.", source: "keys" });
  await fetch(`${server.url}/v1/memory/import`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "application/x-ndjson" },
    body: rows.map((entry) => `${JSON.stringify(entry)}\n`).join(""),
  });
}

/** The inputs that the kernel gives its binding for this question, built from what search answers. */
async function directInputs(server: Server): Promise<unknown> {
  const query = `/v1/memory/search?k=20&q=${encodeURIComponent(QUESTION)}`;
  const { items } = found.parse(await get(server.url, server.key, query));
  const pages = items.map((item) =>
    JSON.stringify({
      handle: item.handle,
      kind: item.kind,
      at: item.at,
      role: null,
      speaker: null,
      source: item.source,
      text: item.text,
    }),
  );
  const today = new Date().toISOString().slice(0, 10);
  return {
    messages: [
      { role: "system", content: PREAMBLE },
      { role: "system", content: [`Today: ${today} (UTC)`, PAGES_HEADING, ...pages].join("\n") },
      { role: "user", content: QUESTION },
    ],
    tools: MODEL_TOOLS,
    stream: true,
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Milliseconds to the first bytes of a streamed instruction; the stream is then read to its end. */
async function firstEvent(server: Server, thread: string): Promise<number> {
  const started = performance.now();
  const response = await fetch(`${server.url}/v1/instructions`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify({ input: QUESTION, thread }),
  });
  const reader = response.body?.getReader();
  await reader?.read();
  const first = performance.now() - started;
  while ((await reader?.read())?.done === false);
  return first;
}

async function measure(server: Server, directUrl: string): Promise<Row[]> {
  await fill(server);
  const inputs = JSON.stringify(await directInputs(server));
  const direct: number[] = [];
  const through: number[] = [];
  const first: number[] = [];
  for (let call = 0; call < CALLS + WARM_UP; call += 1) {
    const one = await timed(async () => (await fetch(directUrl, { method: "POST", body: inputs })).text());
    const body = { input: QUESTION, thread: `call-${call}`, stream: false };
    const other = await timed(() => post(server.url, server.key, "/v1/instructions", body));
    const opened = await firstEvent(server, `stream-${call}`);
    if (call < WARM_UP) continue;
    direct.push(one);
    through.push(other);
    first.push(opened);
  }
  const added = through.map((value, index) => value - (direct[index] ?? 0));
  return [
    row("engine called directly, p50", percentile(direct, 0.5), "ms"),
    row("engine called directly, p99", percentile(direct, 0.99), "ms"),
    row("instruction through the system, p50", percentile(through, 0.5), "ms"),
    row("instruction through the system, p99", percentile(through, 0.99), "ms"),
    row("added, p50", percentile(added, 0.5), "ms", { baseline: 627, aim: 15, lowerIsBetter: true }),
    row("added, p99", percentile(added, 0.99), "ms"),
    row("ratio of medians", percentile(through, 0.5) / percentile(direct, 0.5), "x"),
    row("first event of a stream, p50", percentile(first, 0.5), "ms"),
  ];
}

/** The figure, measured on a running server. */
export async function overheadRows(server: Server): Promise<Row[]> {
  const direct = await startWorker("direct");
  try {
    return await measure(server, `${direct.url}/`);
  } finally {
    await direct.close();
  }
}

export async function run(): Promise<void> {
  const server = await openServer();
  try {
    writeReport("overhead", await overheadRows(server));
  } finally {
    await server.close();
  }
}

if (import.meta.main) await run();
