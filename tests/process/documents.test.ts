/**
 * Documents on a real server: a connection that is cut in the middle, a PDF, and memory that does not grow with the document.
 */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasEnvironment, liveProcesses } from "#scripts/processes.mjs";
import { makePdf, printed } from "#tests/fixtures/pdf.ts";
import { call } from "#tests/process/client.ts";
import { startServer, stopAll, type Server } from "#tests/process/server.ts";

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(stopAll);

interface Document {
  readonly document: string;
  readonly state: string;
  readonly bytes: number;
  readonly pages: number;
}

const encode = (text: string): Buffer => Buffer.from(text);

/** Markdown of about `bytes` bytes, no two paragraphs alike. */
function manuscript(bytes: number): Buffer {
  const parts: string[] = [];
  for (let length = 0, paragraph = 0; length < bytes; paragraph += 1) {
    const heading = paragraph % 12 === 0 ? `## Section ${paragraph / 12}\n\n` : "";
    const part = `${heading}${`Paragraph ${paragraph} speaks of item ${paragraph % 977} and of place ${paragraph % 313}. `.repeat(6)}\n\n`;
    parts.push(part);
    length += part.length;
  }
  return encode(parts.join(""));
}

async function send(
  method: string,
  path: string,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<Document> {
  const response = await fetch(`${server.address}/v1/memory/documents${path}`, {
    method,
    headers: { authorization: `Bearer ${server.key}`, "content-type": "text/markdown", ...headers },
    body: new Uint8Array(body),
  });
  const text = await response.text();
  expect([200, 201], text).toContain(response.status);
  return JSON.parse(text) as Document;
}

/** Begins to send a document and cuts the connection behind its first `cut` bytes. */
async function sendAndCut(path: string, body: Buffer, cut: number, headers: Record<string, string>): Promise<void> {
  const sending = request(`${server.address}/v1/memory/documents${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "text/markdown", ...headers },
  });
  sending.on("error", () => undefined);
  await new Promise((resolve) => sending.write(body.subarray(0, cut), resolve));
  await sleep(3_000);
  sending.destroy();
}

async function documents(): Promise<Document[]> {
  return (await call(server, "GET", "/v1/memory/documents")).body["items"] as Document[];
}

/** Megabytes of resident memory of the server's workerd processes. */
function memory(): number {
  return liveProcesses()
    .filter(
      ({ pid, command }) =>
        command.includes("workerd") && hasEnvironment(pid, `LAMINA_SERVER_HOME=${server.home}`) === true,
    )
    .map(({ pid }) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024)
    .reduce((sum, size) => sum + size, 0);
}

describe("a document on a real server", () => {
  it.each([["chunked"], ["of a known length"]])("goes on after its connection was cut (%s)", async (how) => {
    const body = manuscript(700_000);
    const headers: Record<string, string> = { "idempotency-key": `cut ${how}` };
    const length: Record<string, string> = how === "chunked" ? {} : { "content-length": String(body.byteLength) };
    await sendAndCut(`?name=${encodeURIComponent(how)}`, body, 500_000, { ...headers, ...length });
    await sleep(500);
    const open = (await documents()).at(-1);
    expect(open).toMatchObject({ state: "open", name: how });
    expect(open?.bytes).toBeGreaterThan(0);
    const done = await send("POST", `?name=${encodeURIComponent(how)}`, body, headers);
    expect(done).toMatchObject({ document: open?.document, state: "done", bytes: body.byteLength });
    const whole = await send("POST", `?name=whole`, body);
    expect(done.pages).toBe(whole.pages);
  });

  it("is taken in several requests without holding it in memory", async () => {
    const body = manuscript(6_000_000);
    const half = 3_000_000;
    const before = memory();
    const first = await send("POST", `?name=long.md&size=${body.byteLength}`, body.subarray(0, half));
    expect(first).toMatchObject({ state: "open", bytes: half });
    const last = await send("PUT", `/${first.document}?offset=${half}`, body.subarray(half));
    expect(last).toMatchObject({ state: "done", bytes: body.byteLength });
    expect(last.pages).toBeGreaterThan(3_000);
    const grown = memory() - before;
    console.log(`6 MB imported; workerd grew by ${grown.toFixed(0)} MiB`);
    expect(grown).toBeLessThan(256);
  }, 240_000);

  it("may be a PDF", async () => {
    const pdf = Buffer.from(
      makePdf([
        printed([
          ["Bees", 20],
          ["They live in hives.", 11],
        ]),
      ]),
    );
    expect(await send("POST", "?name=b.pdf", pdf, { "content-type": "application/pdf" })).toMatchObject({ pages: 1 });
    const found = await call(server, "GET", "/v1/memory/search?q=where%20do%20bees%20live&k=1");
    expect(found.body["items"]).toMatchObject([
      { source: "b.pdf#page=1", text: expect.stringContaining("hives") as string },
    ]);
  });
});
