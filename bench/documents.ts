/**
 * Documents: a long Markdown file, made up, imported over several requests into one process of a running server.
 *
 * `npm run bench -- documents [MEGABYTES=100] [PARTS=10]`. Reports how fast it goes, what it adds to the memory of workerd (the
 * whole server: edge, objects, D1 and their caches), and how often it tells its progress. The text is drawn from a list of
 * made-up words by their rank (Zipf), so that an index meets as many different words as in a language.
 */
import { readFileSync } from "node:fs";
import { hasEnvironment, liveProcesses } from "#scripts/processes.mjs";
import { percentile, row, writeReport } from "#bench/report.ts";
import { get, openServer, type Server } from "#bench/server.ts";
import { lines, serverSentEvents } from "#shared/wire.ts";

const MEGABYTE = 1_000_000;
const SAMPLE_MS = 200;
const WORDS = 20_000;

/** Numbers from 0 to 1, the same in every run (mulberry32). */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split(" ");

function word(rank: number): string {
  let text = "";
  for (let rest = rank + 20; rest > 0; rest = Math.floor(rest / 20)) text += SYLLABLES[rest % 20] ?? "";
  return text;
}

/** Markdown without end: chapters, sections, paragraphs. */
function* manuscript(): Generator<string> {
  const random = makeRandom(7);
  const draw = (): string => word(Math.min(WORDS - 1, Math.floor(Math.exp(random() * Math.log(WORDS))) - 1));
  const sentence = (): string => `${Array.from({ length: 12 }, draw).join(" ")}. `;
  for (let section = 0; ; section += 1) {
    if (section % 20 === 0) yield `# Chapter ${section / 20 + 1} ${draw()}\n\n`;
    yield `## ${draw()} ${draw()}\n\n`;
    for (let paragraph = 0; paragraph < 8; paragraph += 1)
      yield `${sentence()}${sentence()}${sentence()}${sentence()}\n\n`;
  }
}

/** Bytes of the manuscript in pieces, `part` of them at a time. */
class Manuscript {
  readonly #text = manuscript();
  readonly #encoder = new TextEncoder();
  #rest = new Uint8Array();

  part(bytes: number): ReadableStream<Uint8Array> {
    let left = bytes;
    return new ReadableStream(
      {
        pull: (controller) => {
          const piece = this.#take(Math.min(left, 65_536));
          left -= piece.byteLength;
          controller.enqueue(piece);
          if (left === 0) controller.close();
        },
      },
      { highWaterMark: 1 },
    );
  }

  #take(bytes: number): Uint8Array {
    const pieces: Uint8Array[] = [this.#rest];
    let held = this.#rest.byteLength;
    while (held < bytes) {
      const piece = this.#encoder.encode(this.#text.next().value as string);
      pieces.push(piece);
      held += piece.byteLength;
    }
    const whole = Buffer.concat(pieces);
    this.#rest = Uint8Array.from(whole.subarray(bytes));
    return Uint8Array.from(whole.subarray(0, bytes));
  }
}

interface Memory {
  /** Megabytes of workerd's resident memory. */
  now(): number;
  peak: number;
  stop(): void;
}

/** All workerd processes of the server together: one for the Worker with its objects and D1, one in front of it. */
function watchMemory(home: string): Memory {
  const servers = liveProcesses().filter(
    ({ pid, command }) => /workerd/.test(command) && hasEnvironment(pid, `LAMINA_SERVER_HOME=${home}`) === true,
  );
  if (servers.length === 0) throw new Error("workerd was not found");
  const sizeOf = (pid: number): number => {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return (Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1_024) / MEGABYTE;
  };
  const now = (): number => servers.reduce((sum, { pid }) => sum + sizeOf(pid), 0);
  const memory: Memory = { now, peak: now(), stop: () => clearInterval(timer) };
  const timer = setInterval(() => (memory.peak = Math.max(memory.peak, now())), SAMPLE_MS);
  return memory;
}

interface Progress {
  readonly document: string;
  readonly bytes: number;
  readonly pages: number;
  readonly state: string;
}

/** Sends one request's bytes; answers the document after it and how often it told of itself. */
async function send(
  server: Server,
  method: string,
  path: string,
  body: ReadableStream<Uint8Array>,
): Promise<{ readonly view: Progress; readonly events: number }> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${server.key}`,
      "content-type": "text/markdown",
      accept: "text/event-stream",
    },
    body,
    duplex: "half",
  } as RequestInit);
  if (!response.ok || response.body === null) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  let events = 0;
  let view: Progress | null = null;
  for await (const event of response.body.pipeThrough(lines()).pipeThrough(serverSentEvents())) {
    if (event.data === "[DONE]") break;
    const part = JSON.parse(event.data) as { type: string; data?: Progress; errorText?: string };
    if (part.type === "error") throw new Error(part.errorText);
    events += 1;
    view = part.data ?? view;
  }
  if (view === null) throw new Error(`${path}: no progress`);
  return { view, events };
}

export async function run(args: readonly string[]): Promise<void> {
  const megabytes = Number(args[0] ?? 100);
  const parts = Number(args[1] ?? 10);
  const size = megabytes * MEGABYTE;
  const server = await openServer();
  try {
    if (server.home === null) throw new Error("this figure starts its own server; unset LAMINA_URL");
    const memory = watchMemory(server.home);
    const before = memory.now();
    const text = new Manuscript();
    const perPart = Math.ceil(size / parts);
    const rates: number[] = [];
    let events = 0;
    let view: Progress | null = null;
    const began = performance.now();
    for (let offset = 0; offset < size; offset += perPart) {
      const started = performance.now();
      const bytes = Math.min(perPart, size - offset);
      const path = view === null ? `?name=long.md&size=${size}` : `/${view.document}?offset=${offset}`;
      const sent = await send(server, view === null ? "POST" : "PUT", `/v1/memory/documents${path}`, text.part(bytes));
      view = sent.view;
      events += sent.events;
      rates.push(bytes / MEGABYTE / ((performance.now() - started) / 1_000));
      console.log(
        `${(offset + bytes) / MEGABYTE} MB, ${view.pages} pages, ${rates.at(-1)?.toFixed(2)} MB/s, ${memory.now().toFixed(0)} MB of memory`,
      );
    }
    const seconds = (performance.now() - began) / 1_000;
    const search = await timeSearches(server);
    const forgetting = performance.now();
    await forget(server, view?.document ?? "");
    const forgotten = (performance.now() - forgetting) / 1_000;
    memory.stop();
    writeReport("documents", [
      row("imported", size / MEGABYTE, "MB"),
      row("requests", rates.length, "requests"),
      row("pages", view?.pages ?? 0, "pages"),
      row("throughput, mean", size / MEGABYTE / seconds, "MB/s"),
      row("throughput, slowest request", Math.min(...rates), "MB/s"),
      row("memory of workerd before", before, "MB"),
      row("memory of workerd, peak", memory.peak, "MB"),
      row("memory of workerd, growth", memory.peak - before, "MB"),
      row("progress events", events, "events"),
      row("search afterwards over HTTP, median", search, "ms"),
      row("deleted with all its pages", forgotten, "s"),
    ]);
  } finally {
    await server.close();
  }
}

async function forget(server: Server, document: string): Promise<void> {
  const response = await fetch(`${server.url}/v1/memory/documents/${document}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${server.key}` },
  });
  if (!response.ok) throw new Error(`deleting: ${response.status} ${await response.text()}`);
}

/** Milliseconds of a search over HTTP, after the index is warm. */
async function timeSearches(server: Server): Promise<number> {
  const times: number[] = [];
  for (let asked = 0; asked < 12; asked += 1) {
    const started = performance.now();
    await get(server.url, server.key, `/v1/memory/search?q=${word(asked * 97)}%20${word(asked * 31 + 5)}&k=10`);
    times.push(performance.now() - started);
  }
  return percentile(times.slice(2), 0.5);
}
