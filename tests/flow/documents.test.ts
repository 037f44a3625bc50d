/**
 * Documents: imported in one request or many, again after a broken connection, found by their headings, listed and deleted.
 */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { DOCUMENT_PART_BYTES, DOCUMENTS } from "#shared/limits.ts";
import type { DocumentView } from "#shared/schema/documents.ts";
import { flush } from "#kernel/vm/flush.ts";
import { everythingStored, inKernel, installSeam, rows } from "#tests/kernel/kernel-seam.ts";
import { callerOf } from "#tests/kernel/process-client.ts";
import { newUser, type Reply, type User } from "#tests/workers/edge-client.ts";

installSeam();

let user: User;
beforeAll(async () => {
  user = await newUser("documents");
});

const GUIDE = `# Bee guide

Bees live in hives.

## Spring

${"In spring the queen lays up to two thousand eggs a day. ".repeat(80)}

## Autumn

Feed the colony with sugar syrup before the first frost. The vermilion hive is in the orchard.
`;

const MARKDOWN = { "content-type": "text/markdown; charset=utf-8" };

const post = (
  who: User,
  query: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Reply> => who.call("POST", `/v1/memory/documents?${query}`, body, { ...MARKDOWN, ...headers });

const view = (reply: Reply): DocumentView => {
  expect([200, 201], reply.text).toContain(reply.status);
  return reply.body as DocumentView;
};

async function pagesOf(who: User): Promise<{ text: string; source: string; kind: string }[]> {
  const items: { text: string; source: string; kind: string }[] = [];
  for (let cursor = ""; ;) {
    const reply = await who.call("GET", `/v1/memory?limit=100${cursor}`);
    items.push(...(reply.body["items"] as typeof items));
    if (reply.body["cursor"] === undefined) return items;
    cursor = `&cursor=${reply.body["cursor"] as string}`;
  }
}

describe("importing a document", () => {
  it("makes pages under their headings, that search finds by them", async () => {
    const made = view(await post(user, "name=guide.md&tags=bees&at=2024-05-06", GUIDE, { "idempotency-key": "guide" }));
    expect(made).toMatchObject({ name: "guide.md", title: "Bee guide", state: "done", headings: 3, tags: ["bees"] });
    expect(made).toMatchObject({ at: "2024-05-06", bytes: GUIDE.length, size: GUIDE.length });
    const pages = await pagesOf(user);
    expect(pages).toHaveLength(made.pages);
    expect(pages.length).toBeGreaterThan(3);
    expect(pages.every((page) => page.kind === "document")).toBe(true);
    expect(pages.at(-1)).toMatchObject({ source: "guide.md#autumn" });
    expect(pages.at(-1)?.text).toMatch(/^Bee guide › Autumn\n\n## Autumn\n\nFeed the colony/);
    const found = await user.call("GET", "/v1/memory/search?q=what%20to%20do%20in%20autumn&k=1");
    expect((found.body["items"] as { source: string }[])[0]?.source).toBe("guide.md#autumn");
    expect((await user.call("GET", `/v1/memory/documents/${made.document}`)).body).toEqual(made);
    expect((await user.call("GET", "/v1/memory/documents")).body).toEqual({ items: [made] });
  });

  it("takes a document that comes again once, and refuses another one under its key", async () => {
    const before = (await pagesOf(user)).length;
    const again = view(
      await post(user, "name=guide.md&tags=bees&at=2024-05-06", GUIDE, { "idempotency-key": "guide" }),
    );
    expect(again.state).toBe("done");
    expect(await pagesOf(user)).toHaveLength(before);
    const other = await post(user, "name=other.md", GUIDE, { "idempotency-key": "guide" });
    expect(other.body).toMatchObject({ status: 409, code: "conflict" });
    const query = "name=guide.md&tags=bees&at=2024-05-06";
    const changed = await post(user, query, GUIDE.replace("Bees", "Cows"), { "idempotency-key": "guide" });
    expect(changed.body).toMatchObject({ status: 409, code: "conflict" });
    const longer = await post(user, query, `${GUIDE}More.`, { "idempotency-key": "guide" });
    expect(longer.body).toMatchObject({ status: 409, code: "conflict" });
  });

  it("goes on over several requests as if it were one, whatever is sent twice", async () => {
    const whole = await newUser("documents-whole");
    const parts = await newUser("documents-parts");
    const text = `# Märchen\n\n${"Es war einmal eine Biene 🐝 im Garten. ".repeat(300)}\n\n\`\`\`\n# kein Kapitel\n\`\`\`\n\n## Ende\n\n蜜蜂。`;
    const bytes = new TextEncoder().encode(text);
    view(await post(whole, "name=m", bytes));
    const cuts = [0, 1_001, 1_002, 7_777, bytes.length - 4];
    const first = view(await post(parts, `name=m&size=${bytes.length}`, bytes.slice(0, 1_001)));
    expect(first).toMatchObject({ state: "open", bytes: 1_001, size: bytes.length });
    const put = (from: number, to: number): Promise<Reply> =>
      parts.call("PUT", `/v1/memory/documents/${first.document}?offset=${from}`, bytes.slice(from, to), MARKDOWN);
    expect((await put(5_000, 6_000)).body).toMatchObject({
      status: 409,
      detail: expect.stringContaining("1001") as string,
    });
    for (const [index, cut] of cuts.entries()) {
      const next = cuts[index + 1] ?? bytes.length;
      view(await put(cut, next));
      view(await put(cut, next)); // again
      view(await put(0, next)); // and once more from the start
    }
    expect((await parts.call("GET", `/v1/memory/documents/${first.document}`)).body).toMatchObject({
      state: "done",
      bytes: bytes.length,
      title: "Märchen",
    });
    expect(await pagesOf(parts)).toMatchObject(
      (await pagesOf(whole)).map(({ text: body, source }) => ({ text: body, source })),
    );
  });

  it("keeps what was brought when something in the middle is no text", async () => {
    const who = await newUser("documents-broken");
    const bytes = new TextEncoder().encode(`# Long\n\n${"A sentence about the river and its banks. ".repeat(8_000)}`);
    const broken = bytes.slice();
    broken[250_000] = 0xff;
    const refused = await post(who, "name=long", broken, { "idempotency-key": "long" });
    expect(refused.body).toMatchObject({ status: 400, detail: expect.stringContaining("after byte 24") as string });
    const [open] = (await who.call("GET", "/v1/memory/documents")).body["items"] as DocumentView[];
    expect(open).toMatchObject({ state: "open" });
    expect(open?.bytes).toBeGreaterThan(100_000);
    expect(open?.pages).toBeGreaterThan(30);
    const done = view(await post(who, "name=long", bytes, { "idempotency-key": "long" }));
    expect(done).toMatchObject({ document: open?.document, state: "done", bytes: bytes.length });
    const joined = (await pagesOf(who)).map((page) => page.text.split("\n\n").slice(1).join(" ")).join(" ");
    expect(joined.match(/river/g)).toHaveLength(8_000);
  });

  it("tells its progress while it goes on", async () => {
    const who = await newUser("documents-progress");
    const reply = await post(who, "name=p", "One paragraph of some length, for the progress.\n\n".repeat(9_000), {
      accept: "text/event-stream",
      "content-type": "text/plain",
    });
    const events = reply.text
      .split("\n\n")
      .filter((event) => event.startsWith("data: {"))
      .map((event) => JSON.parse(event.slice(6)) as { type: string; data: DocumentView });
    const progress = events.filter((event) => event.type === "data-document-progress");
    expect(progress.length).toBeGreaterThan(1);
    const bytes = progress.map((event) => event.data.bytes);
    expect(bytes).toEqual(bytes.toSorted((left, right) => left - right));
    expect(events.at(-1)).toMatchObject({ type: "data-document", data: { state: "done" } });
    expect(reply.text.trimEnd().endsWith("data: [DONE]")).toBe(true);
  });

  it("says what it cannot read", async () => {
    const cases: [string, Record<string, string>, string | Uint8Array, number][] = [
      ["name=x", { "content-type": "application/msword" }, "x", 400],
      ["name=x", { "content-type": "text/plain; charset=gbk" }, "x", 400],
      ["name=x", { "content-type": "text/plain" }, new Uint8Array([0xff, 0xfe, 0x41]), 400],
      ["name=x", { "content-type": "text/plain" }, "a\u0000b", 400],
      ["name=x&size=3", { "content-type": "text/plain" }, "four", 413],
      [`name=${"x".repeat(201)}`, { "content-type": "text/plain" }, "x", 400],
      ["name=x&at=yesteryear", { "content-type": "text/plain" }, "x", 400],
      [`name=x`, { "content-type": "text/plain", "content-length": String(DOCUMENT_PART_BYTES + 1) }, "x", 413],
      ["process=nobody", { "content-type": "text/plain" }, "x", 404],
    ];
    for (const [query, headers, body, status] of cases) {
      const reply = await post(user, query, body, headers);
      expect([query, headers, reply.status], reply.text).toEqual([query, headers, status]);
      expect(reply.headers.get("content-type")).toContain("problem+json");
    }
    expect((await user.call("GET", "/v1/memory/documents/doc_0000")).status).toBe(404);
    const unknown = "/v1/memory/documents/doc_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    expect((await user.call("GET", unknown)).status).toBe(404);
    expect((await user.call("DELETE", unknown)).status).toBe(404);
    expect((await user.call("PUT", `${unknown}?offset=0`, "x", MARKDOWN)).status).toBe(404);
  });

  it("takes the smallest sections there can be, within the batches' limit", async () => {
    const who = await newUser("documents-tiny");
    const made = view(await post(who, "name=t", "#\nb\n".repeat(3_000)));
    expect(made).toMatchObject({ state: "done", pages: 3_000, headings: 3_000 });
  });

  it("accepts an empty document", async () => {
    const who = await newUser("documents-empty");
    expect(view(await post(who, "name=e", ""))).toMatchObject({ state: "done", bytes: 0, pages: 0 });
  });
});

describe("a document as a whole", () => {
  it("is deleted with all its pages, and leaves others alone", async () => {
    const who = await newUser("documents-deleted");
    const caller = callerOf("documents-deleted");
    const kept = view(await post(who, "name=kept.md", "# Kept\n\nThis stays."));
    const gone = view(await post(who, "name=gone.md", GUIDE));
    await who.call("POST", "/v1/memory", { text: "A fact that stays." });
    const asked = await who.call("POST", "/v1/instructions", { input: "Where is the vermilion hive?", stream: false });
    expect(asked.text).toContain("orchard");
    const reply = await who.call("DELETE", `/v1/memory/documents/${gone.document}`);
    expect(reply.body).toEqual({ forgotten: gone.document, pages: gone.pages, done: true });
    expect((await who.call("GET", `/v1/memory/documents/${gone.document}`)).status).toBe(404);
    await inKernel(caller, (kernel) => flush(kernel));
    expect(await everythingStored(caller)).not.toMatch(/thousand eggs|orchard|gone\.md/);
    const { results } = await env.MEM_0.prepare("SELECT * FROM pages WHERE owner = ?").bind("documents-deleted").all();
    expect(JSON.stringify(results)).not.toMatch(/thousand eggs|orchard/);
    expect((await pagesOf(who)).filter((page) => page.kind !== "turn").map((page) => page.text)).toEqual([
      "Kept\n\n# Kept\n\nThis stays.",
      "A fact that stays.",
    ]);
    expect((await who.call("GET", `/v1/memory/documents/${kept.document}`)).body).toEqual(kept);
  });

  it("counts a page less when one is forgotten", async () => {
    const who = await newUser("documents-page");
    const made = view(await post(who, "name=g", GUIDE));
    await who.call("DELETE", "/v1/memory/p1");
    const left = view(await who.call("GET", `/v1/memory/documents/${made.document}`));
    expect(left.pages).toBe(made.pages - 1);
    expect(left.tokens).toBeLessThan(made.tokens);
  });

  it("comes back from an export, half taken ones too, to go on with", async () => {
    const from = await newUser("documents-from");
    const to = await newUser("documents-to");
    const done = view(await post(from, "name=g", GUIDE));
    const bytes = new TextEncoder().encode(GUIDE);
    const open = view(await post(from, `name=half&size=${bytes.length}`, bytes.slice(0, 3_000)));
    const exported = (await from.call("GET", "/v1/memory/export")).text;
    const report = await to.call("POST", "/v1/memory/import", exported, { "content-type": "application/x-ndjson" });
    expect(report.body).toMatchObject({ skippedRows: 0 });
    expect((await to.call("GET", "/v1/memory/export")).text).toBe(exported);
    expect((await to.call("GET", "/v1/memory/documents")).body).toEqual({ items: [done, open] });
    const rest = await to.call(
      "PUT",
      `/v1/memory/documents/${open.document}?offset=3000`,
      bytes.slice(3_000),
      MARKDOWN,
    );
    expect(view(rest)).toMatchObject({ state: "done", pages: done.pages });
    const sessions = await rows<{ session: string; pages: number }>(
      callerOf("documents-to"),
      "SELECT session, COUNT(*) AS pages FROM pages GROUP BY session",
    );
    expect(sessions).toEqual([
      { session: done.document, pages: done.pages },
      { session: open.document, pages: done.pages },
    ]);
  });

  it("belongs to its user: others find nothing of it", async () => {
    const made = view(await post(await newUser("documents-alice"), "name=g", GUIDE));
    const mallory = await newUser("documents-mallory");
    const path = `/v1/memory/documents/${made.document}`;
    expect((await mallory.call("GET", path)).status).toBe(404);
    expect((await mallory.call("DELETE", path)).status).toBe(404);
    expect((await mallory.call("PUT", `${path}?offset=0`, "x", MARKDOWN)).status).toBe(404);
    expect((await mallory.call("GET", "/v1/memory/documents")).body).toEqual({ items: [] });
    const reader = await newUser("documents-scope", ["run"]);
    expect((await post(reader, "name=g", GUIDE)).status).toBe(403);
  });

  it("is refused beyond the number of documents of a process", async () => {
    const who = await newUser("documents-many");
    view(await post(who, "name=first", "x"));
    await inKernel(callerOf("documents-many"), (kernel) => {
      kernel.sql.exec(
        `INSERT INTO documents (id, name, media_type, state, created_at, updated_at)
         WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
         SELECT 'doc_' || printf('%026d', n), 'x', 'text/plain', 'done', 0, 0 FROM numbers`,
        DOCUMENTS,
      );
    });
    expect((await post(who, "name=more", "x")).body).toMatchObject({ code: "quota_exceeded" });
  });
});
