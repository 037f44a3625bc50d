/**
 * `kill -9` of the whole server in the middle of its work, then a start: what was acknowledged is finished or marked, no
 * page is lost, nothing is done twice, and nobody was shown an event that the crash took back.
 */
import { afterEach, describe, expect, it } from "vitest";
import type { ServerSentEvent } from "#shared/wire.ts";
import { call, numbered, openRun, readEvents, replay, runOf } from "#tests/process/client.ts";
import { killServer, startServer, stopAll, type Server } from "#tests/process/server.ts";

/** Enough that many are still queued when the server dies: each thread runs its own in order. */
const INSTRUCTIONS = 60;
const THREADS = 2;

/** Acknowledgements after which the plug is pulled. */
const ACKNOWLEDGED = 12;
const SETTLE_MS = 30_000;

afterEach(stopAll);

describe("kill -9 in the middle of runs", () => {
  it("loses nothing that was acknowledged and does nothing twice", async () => {
    const server = await startServer();
    const written = await call(server, "POST", "/v1/memory", { text: "This page was acknowledged before the crash." });
    expect(written.status).toBeLessThan(300);
    const seen = await sendAndKill(server);
    // Else the plug was pulled too late and this proves nothing.
    expect(seen.filter(({ events }) => events.at(-1)?.data !== "[DONE]").length).toBeGreaterThan(0);

    const again = await startServer(server.home, server.port);
    const states = new Map<number, string>();
    for (const { number, events } of seen) states.set(number, await settledState(again, runOf(events)));
    expect([...states.values()].filter((state) => state !== "done" && state !== "interrupted")).toEqual([]);

    const facts = await factTexts(again);
    expect(facts).toContain("This page was acknowledged before the crash.");
    for (const [number, state] of states) {
      const copies = facts.filter((text) => text.includes(fact(number))).length;
      if (state === "done") expect(copies, fact(number)).toBe(1);
      else expect(copies, fact(number)).toBeLessThanOrEqual(1);
    }

    for (const { events } of seen) {
      const told = numbered(events);
      expect(numbered(await replay(again, runOf(events))).slice(0, told.length)).toEqual(told);
    }
  });
});

function fact(number: number): string {
  return `locker ${number} holds item ${number * 7 + 1000}`;
}

/** Sends all instructions at once and pulls the plug after a few acknowledgements; answers what each client was told. */
async function sendAndKill(server: Server): Promise<{ number: number; events: ServerSentEvent[] }[]> {
  let acknowledged = 0;
  const killed: Promise<void>[] = [];
  const pullPlug = (event: ServerSentEvent): boolean => {
    if (event.data.includes('"data-run"')) acknowledged += 1;
    if (acknowledged === ACKNOWLEDGED && killed.length === 0) killed.push(killServer(server));
    return false;
  };
  const clients = Array.from({ length: INSTRUCTIONS }, async (_, number) => {
    try {
      const response = await openRun(server, `Remember that ${fact(number)}.`, { thread: `t${number % THREADS}` });
      return { number, events: await readEvents(response, pullPlug) };
    } catch {
      return { number, events: [] }; // never acknowledged
    }
  });
  const seen = await Promise.all(clients);
  await Promise.all(killed);
  return seen.filter(({ events }) => events.some((event) => event.data.includes('"data-run"')));
}

async function settledState(server: Server, run: string): Promise<string> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const { status, body } = await call(server, "GET", `/v1/runs/${run}`);
    if (status !== 200) return `lost (${status})`;
    const state = String(body["status"]);
    if (!["queued", "running"].includes(state) || Date.now() > deadline) return state;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function factTexts(server: Server): Promise<string[]> {
  const { body } = await call(server, "GET", "/v1/memory?kind=fact&limit=500");
  return (body["items"] as { text: string }[]).map((page) => page.text);
}
