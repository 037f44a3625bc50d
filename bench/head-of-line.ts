/**
 * Figure "head-of-line": how long ten calls of 0.1 s take that come behind one call of 10 s.
 *
 * A real server with its real Pool, in front of a fake provider over HTTP. The ten are asked at once, each in a thread of its own, half a
 * second after the long one, by pools of different sizes: the default one, one with two slots (the long call holds one), and one with a
 * single slot, where waiting for the long call is all there is. The same ten are sent straight to the provider, in the same run.
 * "Added" is a call's time less the direct one's. It holds what the system does for ten instructions at once, which is measured
 * without a long call too ("alone"); the rest is what the long one costs those behind it. With two slots the ten go through one
 * slot after another, so that 0.45 s of the mean is owed to the slots and no scheduler can save it.
 */
import { mean, row, writeReport, type Row } from "#bench/report.ts";
import { openServer, post, type Server } from "#bench/server.ts";
import { startProvider, type FakeProvider } from "#tests/fakes/provider/server.ts";

const LONG_MS = 10_000;
const SHORT_MS = 100;
const CALLS = 10;
const HEAD_START_MS = 500;
const AIM_S = 0.3;
/** Mean of AIOS on the same test (research note, 2.1). */
const AIOS_S = 10.86;

const POOLS = [
  { name: "default slots", model: "many", limits: null },
  { name: "two slots", model: "two", limits: { slots: 2 } },
  { name: "one slot", model: "one", limits: { slots: 1 } },
] as const;

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
}

/** Seconds of each of ten calls, asked at once. */
function ten(ask: (thread: string) => Promise<unknown>): Promise<number[]> {
  return Promise.all(Array.from({ length: CALLS }, (_, index) => seconds(() => ask(`short-${index}`))));
}

/** The same while a long one runs. */
async function behind(
  provider: FakeProvider,
  model: string,
  ask: (thread: string) => Promise<unknown>,
): Promise<number[]> {
  provider.book.script({ model, replies: [{ delayMs: LONG_MS }], after: { delayMs: SHORT_MS } });
  const long = ask("long");
  await new Promise((resolve) => setTimeout(resolve, HEAD_START_MS));
  const times = await ten(ask);
  await long;
  return times;
}

async function direct(provider: FakeProvider): Promise<number[]> {
  return behind(provider, "direct", async () => {
    const body = { model: "direct", messages: [{ role: "user", content: "Hello." }], stream: true };
    const response = await fetch(`${provider.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(body) });
    await response.text();
  });
}

function through(server: Server, model: string): (thread: string) => Promise<unknown> {
  return (thread) => {
    const body = { input: "Say hello, please.", model: `lamina/fake/${model}`, thread, stream: false };
    return post(server.url, server.key, "/v1/instructions", body);
  };
}

async function measure(provider: FakeProvider, server: Server): Promise<Row[]> {
  const straight = await direct(provider);
  const rows = [row("direct, mean", mean(straight), "s"), row("direct, longest", Math.max(...straight), "s")];
  for (const { name, model } of POOLS) {
    const ask = through(server, model);
    provider.book.script({ model, replies: [], after: { delayMs: SHORT_MS } });
    await ten(ask); // opens the threads
    const alone = await ten(ask);
    const times = await behind(provider, model, ask);
    const [added, most] = [mean(times) - mean(straight), Math.max(...times) - mean(straight)];
    const aim = model === "many" ? { aim: AIM_S, lowerIsBetter: true } : {};
    rows.push(
      row(`${name}, added mean`, added, "s", { baseline: AIOS_S, ...aim }),
      row(`${name}, added most`, most, "s", aim),
      row(`${name}, added mean alone`, mean(alone) - mean(straight), "s"),
      row(`${name}, mean owed to the long call`, mean(times) - mean(alone), "s"),
    );
  }
  return rows;
}

export async function run(): Promise<void> {
  const provider = await startProvider();
  const models = Object.fromEntries(POOLS.map(({ model }) => [model, {}]));
  const limited = POOLS.filter(({ limits }) => limits !== null);
  try {
    const settings = {
      PROVIDERS: { fake: { baseUrl: `${provider.url}/v1`, models } },
      POOL_LIMITS: Object.fromEntries(limited.map(({ model, limits }) => [`fake/${model}`, limits])),
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`);
    const server = await openServer(lines.join(""));
    try {
      writeReport("head-of-line", await measure(provider, server));
    } finally {
      await server.close();
    }
  } finally {
    await provider.close();
  }
}

if (import.meta.main) await run();
