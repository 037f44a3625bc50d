/**
 * Figure "load": many calls of a slow model at once, through the system and straight to the provider.
 *
 * A fake provider on this machine (tests/fakes/provider) answers every call after 0.2 s or 2 s, as many at once as come. CALLS are
 * sent in one moment: straight to it; through a Worker that only sends them on, which is what the local runtime itself costs;
 * through a driver; through the real Pool and a driver; and as instructions to a whole server, one process each. Wall time until the
 * last answer is there, all ways in turns, median of ROUNDS. Everything shares the machine's processors, the provider and this
 * client too.
 */
import { percentile, row, writeReport, type Row } from "#bench/report.ts";
import { openServer, post, startWorker, type Server } from "#bench/server.ts";
import { startProvider } from "#tests/fakes/provider/server.ts";

const CALLS = 250;
const ROUNDS = 3;
const USERS = CALLS;
const SECONDS = [0.2, 2] as const;
/** Wall seconds of AIOS for 250 calls of these lengths, on a machine with as many processors (its default, and 32 threads). */
const AIOS = { 0.2: 55.5, 2: 25.6 } as const;

type Way = (seconds: number, index: number) => Promise<unknown>;

interface Opened {
  readonly ways: ReadonlyMap<string, Way>;
  close(): Promise<void>;
}

function modelOf(seconds: number): string {
  return `fake/steady?delayMs=${seconds * 1_000}`;
}

function providers(url: string): string {
  const models = Object.fromEntries(SECONDS.map((seconds) => [modelOf(seconds).replace("fake/", ""), {}]));
  return JSON.stringify({ fake: { baseUrl: `${url}/v1`, models } });
}

async function sent(url: string, body: unknown): Promise<void> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok || text === "") throw new Error(`${url}: ${response.status} ${text.slice(0, 200)}`);
}

async function userKeys(server: Server): Promise<string[]> {
  const keys: string[] = [];
  for (let user = 0; user < USERS; user += 1) keys.push(await server.makeKey(`load-${user}`));
  return keys;
}

async function open(): Promise<Opened> {
  const provider = await startProvider();
  const settings = providers(provider.url);
  const worker = await startWorker("load", `PROVIDERS=${settings}\n`);
  const server = await openServer(`PROVIDERS=${settings}\n`);
  const keys = await userKeys(server);
  const instruct: Way = (seconds, index) =>
    post(server.url, keys[index % USERS] ?? "", "/v1/instructions", {
      input: "Where did Nadia put the spare keys?",
      thread: `thread-${index}`,
      model: `lamina/${modelOf(seconds)}`,
      stream: false,
    });
  const query = (seconds: number, index: number): string =>
    `model=${encodeURIComponent(modelOf(seconds))}&user=${index % USERS}`;
  const straight = (seconds: number): unknown => ({
    model: modelOf(seconds).replace("fake/", ""),
    stream: true,
    messages: [{ role: "user", content: "Where did Nadia put the spare keys?" }],
  });
  const ways = new Map<string, Way>([
    ["straight to the provider", (seconds) => sent(`${provider.url}/v1/chat/completions`, straight(seconds))],
    ["through a bare Worker", (seconds, index) => sent(`${worker.url}/relay?${query(seconds, index)}`, {})],
    ["through a driver", (seconds, index) => sent(`${worker.url}/driver?${query(seconds, index)}`, {})],
    ["through the Pool and a driver", (seconds, index) => sent(`${worker.url}/pool?${query(seconds, index)}`, {})],
    ["as instructions of the whole system", instruct],
  ]);
  const close = async (): Promise<void> => {
    await Promise.all([server.close(), worker.close()]);
    await provider.close();
  };
  return { ways, close };
}

/** Seconds until CALLS calls that were sent at once are all answered. */
async function wall(way: Way, seconds: number): Promise<number> {
  const began = performance.now();
  await Promise.all(Array.from({ length: CALLS }, (_, index) => way(seconds, index)));
  return (performance.now() - began) / 1_000;
}

function rowsOf(seconds: (typeof SECONDS)[number], walls: ReadonlyMap<string, readonly number[]>): Row[] {
  const median = (name: string): number => percentile(walls.get(name) ?? [], 0.5);
  const [direct = "", relay = "", driver = "", ...ours] = walls.keys();
  const rows = [...walls.keys()].map((name) =>
    row(
      `${CALLS} calls of ${seconds} s, ${name}`,
      median(name),
      "s",
      ours.at(-1) === name ? { baseline: AIOS[seconds] } : {},
    ),
  );
  const aim = { aim: 1.3, lowerIsBetter: true };
  for (const name of ours) rows.push(row(`${seconds} s: ${name} ÷ ${direct}`, median(name) / median(direct), "x", aim));
  const bare = ours.map((name) => row(`${seconds} s: ${name} ÷ ${relay}`, median(name) / median(relay), "x"));
  const pool = ours[0] ?? "";
  rows.push(...bare, row(`${seconds} s: ${pool} ÷ ${driver}`, median(pool) / median(driver), "x"));
  return rows;
}

export async function run(): Promise<void> {
  const { ways, close } = await open();
  try {
    const rows: Row[] = [];
    for (const way of ways.values()) await wall(way, SECONDS[0]); // the first calls make processes, threads and connections
    for (const seconds of SECONDS) {
      const walls = new Map<string, number[]>([...ways.keys()].map((name) => [name, []]));
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const [name, way] of ways) walls.get(name)?.push(await wall(way, seconds));
      }
      rows.push(...rowsOf(seconds, walls));
    }
    writeReport("load", rows);
  } finally {
    await close();
  }
}

if (import.meta.main) await run();
