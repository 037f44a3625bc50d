/**
 * Figure "scale": one process with 1,000, 10,000 and 100,000 pages: searching, adding, cold starts, memory, and bodies from D1.
 *
 * Use `npm run bench -- scale [pages …]`. A process's object runs in real workerd (`bench/scale/worker.ts`) with the real kernel
 * and a local D1, and grows from one size to the next by the import that the HTTP route uses. The same index is measured in
 * Node too, by its words alone, where a clock runs while it computes. In the object it has its latent space.
 * How times are taken: in the object, between two waits, because workerd's clock stands still while an object computes; one
 * millisecond fine, so short work is repeated and divided. In Node, processor time of the thread beside the wall clock: the
 * machine has other work, and medians and processor time say more than a single span.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { z } from "zod";
import { percentile, ROOT, row, writeReport, type Row } from "#bench/report.ts";
import { startWorker } from "#bench/server.ts";
import { randomSource, syntheticPage, syntheticQuestion } from "#bench/synthetic.ts";
import { encodeSegment, loadSegment, type SegmentPage } from "#kernel/vm/search/index-segment.ts";
import { indexEntry, SearchIndex } from "#kernel/vm/search/search-index.ts";
import { SEGMENT_CHARACTERS } from "#shared/limits.ts";

const SIZES = [1_000, 10_000, 100_000];
const FILL_PAGES = 1_000;
const SEARCHES = 200;
const PAGED_IN = 20;
const MEGABYTE = 1_048_576;

interface Object {
  call(call: string, more?: object): Promise<unknown>;
  /** Bytes of memory of the workerd process. */
  memory(): number;
  close(): Promise<void>;
}

const spansShape = z.object({ spans: z.array(z.number()), count: z.number().optional() });
const statsShape = z.object({
  pages: z.number(),
  indexBytes: z.number(),
  segments: z.number(),
  segmentBytes: z.number(),
  longestSegment: z.number(),
});

async function openObject(): Promise<Object> {
  const { url, pid, close } = await startWorker("scale");
  const call = async (name: string, more: object = {}): Promise<unknown> => {
    const response = await fetch(`${url}/`, { method: "POST", body: JSON.stringify({ call: name, ...more }) });
    if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return { call, memory: () => memoryOf(pid), close };
}

/** Resident bytes of the workerd below a process. */
function memoryOf(root: number): number {
  const lines = execFileSync("ps", ["-eo", "pid=,ppid=,rss=,comm="]).toString("utf8").trim().split("\n");
  const rows = lines.map((line) => line.trim().split(/\s+/));
  const below = new Set([String(root)]);
  for (const [pid = "", parent = ""] of rows) if (below.has(parent)) below.add(pid);
  const resident = rows.filter(([pid = "", , , name]) => below.has(pid) && name === "workerd");
  return 1024 * Math.max(0, ...resident.map(([, , kilobytes]) => Number(kilobytes)));
}

async function spans(object: Object, call: string, more: object = {}): Promise<number[]> {
  return spansShape.parse(await object.call(call, more)).spans;
}

function migrations(): string[] {
  const folder = join(ROOT, "migrations/memory");
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  return files.sort().flatMap((name) => readFileSync(join(folder, name), "utf8").split("--> statement-breakpoint"));
}

async function fill(object: Object, from: number, to: number): Promise<Row> {
  let spent = 0;
  for (let first = from; first < to; first += FILL_PAGES)
    for (const span of await spans(object, "fill", { from: first, pages: Math.min(FILL_PAGES, to - first) }))
      spent += span;
  const settled = await spans(object, "settle");
  console.log(`scale: ${to} pages are in (${Math.round(spent)} ms, then ${settled.join()} ms until D1 had them)`);
  return row(`import, up to ${to} pages`, ((to - from) / spent) * 1000, "pages/s");
}

function timeRows(figure: string, times: readonly number[], p50: number | null, p99: number | null): Row[] {
  const target = (aim: number | null): object => (aim === null ? {} : { aim, lowerIsBetter: true });
  return [
    row(`${figure}, p50`, percentile(times, 0.5), "ms", target(p50)),
    row(`${figure}, p99`, percentile(times, 0.99), "ms", target(p99)),
  ];
}

/** The object ends and is asked again: what its first search takes, and what its memory grows by. */
async function coldRows(object: Object, pages: number): Promise<Row[]> {
  const cold: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await object.call("die").catch(() => null);
    cold.push(...(await spans(object, "first-search")));
  }
  await object.call("forget-segments");
  await object.call("die").catch(() => null);
  const rebuilt = await spans(object, "first-search");
  return [
    row(`first search of a cold object, ${pages} pages`, percentile(cold, 0.5), "ms"),
    row(`first search without segments, ${pages} pages`, rebuilt[0] ?? 0, "ms"),
  ];
}

async function objectRows(object: Object, from: number, pages: number): Promise<Row[]> {
  const rows = [await fill(object, from, pages)];
  const times = pages >= 50_000 ? 1 : pages >= 5_000 ? 4 : 20;
  const learned = await spans(object, "learn");
  rows.push(row(`learn the latent space, when idle, ${pages} pages`, learned[0] ?? 0, "ms"));
  await spans(object, "search", { rounds: 20, times, seed: 1 });
  const searches = await spans(object, "search", { rounds: SEARCHES, times, seed: 2 });
  rows.push(...timeRows(`search in the object, ${pages} pages`, searches, 20, 100));
  const whole = await spans(object, "search-pages", { rounds: SEARCHES, seed: 3 });
  rows.push(...timeRows(`search with bodies, ${pages} pages`, whole, null, null));
  const paged = spansShape.parse(await object.call("page-in", { rounds: 40, pages: PAGED_IN }));
  rows.push(...timeRows(`page-in of ${PAGED_IN} bodies from D1, ${pages} pages`, paged.spans, null, null));
  rows.push(row(`queries to D1 of one page-in, ${pages} pages`, paged.count ?? 0, "", { aim: 1, lowerIsBetter: true }));
  rows.push(...(await coldRows(object, pages)));
  const appended = await spans(object, "append", { rounds: 20, times: 10 });
  rows.push(row(`add a page, ${pages} pages`, percentile(appended, 0.5), "ms"));
  const stats = statsShape.parse(await object.call("stats"));
  rows.push(
    row(`index in memory, ${pages} pages`, stats.indexBytes / MEGABYTE, "MiB", { aim: 60, lowerIsBetter: true }),
    row(`index on disk, ${pages} pages`, stats.segmentBytes / MEGABYTE, "MiB"),
    row(`longest segment, ${pages} pages`, stats.longestSegment / MEGABYTE, "MiB", { aim: 1, lowerIsBetter: true }),
    row(`workerd resident, ${pages} pages`, object.memory() / MEGABYTE, "MiB"),
  );
  return rows;
}

/** Wall milliseconds of each piece of work, and processor milliseconds of one on average: that clock is too coarse for one alone. */
function timed(works: readonly (() => unknown)[]): { walls: number[]; processor: number } {
  const used = process.threadCpuUsage();
  const walls = works.map((work) => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  const { user, system } = process.threadCpuUsage(used);
  return { walls, processor: (user + system) / 1000 / works.length };
}

/** So that what is left is what is held. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

function nodeRows(pages: number): Row[] {
  const random = randomSource(pages);
  const index = new SearchIndex();
  const segments: Uint8Array[] = [];
  let batch: SegmentPage[] = [];
  let characters = 0;
  for (let page = 1; page <= pages; page += 1) {
    const entry = indexEntry(syntheticPage(page, random));
    index.add(entry);
    batch.push({ entry, evidence: true });
    characters += JSON.stringify(entry).length;
    if (characters < SEGMENT_CHARACTERS && page < pages) continue;
    segments.push(encodeSegment(batch));
    [batch, characters] = [[], 0];
  }
  const asked = Array.from({ length: SEARCHES + 20 }, () => syntheticQuestion(random));
  const searching = asked.map((text) => (): unknown => index.search({ text, limit: 10 }));
  timed(searching.slice(0, 20));
  const searches = timed(searching.slice(20));
  const entries = Array.from({ length: 1_000 }, (_, added) => indexEntry(syntheticPage(pages + 1 + added, random)));
  const added = timed(entries.map((entry) => (): unknown => index.add(entry)));
  const removed = timed(
    entries.map(
      ({ page, terms }) =>
        (): unknown =>
          index.remove(page, terms),
    ),
  );
  const cold = new SearchIndex();
  collectGarbage();
  const before = process.memoryUsage();
  const loaded = timed([() => segments.forEach((segment) => loadSegment(segment, cold))]);
  cold.search({ text: asked[0] ?? "", limit: 10 });
  collectGarbage();
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  const bounded = { aim: 60, lowerIsBetter: true };
  return [
    ...timeRows(`search in Node, ${pages} pages`, searches.walls, 20, 100),
    row(`search in Node, processor time, ${pages} pages`, searches.processor, "ms", { aim: 20, lowerIsBetter: true }),
    row(`index a page in Node, processor time, ${pages} pages`, added.processor, "ms"),
    row(`remove a page in Node, processor time, ${pages} pages`, removed.processor, "ms"),
    row(`load segments in Node, processor time, ${pages} pages`, loaded.processor, "ms"),
    row(`index in Node, as it counts itself, ${pages} pages`, cold.bytes / MEGABYTE, "MiB", bounded),
    row(`index in Node, what memory grew by, ${pages} pages`, grown / MEGABYTE, "MiB", bounded),
  ];
}

export async function run(args: readonly string[]): Promise<void> {
  const sizes = args.length === 0 ? SIZES : args.map(Number);
  const rows = sizes.flatMap(nodeRows);
  const object = await openObject();
  try {
    await object.call("migrate", { statements: migrations() });
    let from = 1;
    for (const pages of sizes) {
      rows.push(...(await objectRows(object, from, pages)));
      from = statsShape.parse(await object.call("stats")).pages + 1;
    }
  } finally {
    await object.close();
  }
  rows.push(row("load average of the machine at the end", loadavg()[0] ?? 0, `of ${availableParallelism()}`));
  writeReport("scale", rows);
}

if (import.meta.main) await run(process.argv.slice(2));
