/**
 * PDF documents: headings by size, page numbers as sources, several scripts, and clear words for what cannot be read.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { DOCUMENT_PDF_BYTES } from "#shared/limits.ts";
import { makePdf, printed, type PrintedLine } from "#tests/fixtures/pdf.ts";
import { newUser, type Reply, type User } from "#tests/workers/edge-client.ts";

const PDF = { "content-type": "application/pdf" };

let user: User;
beforeAll(async () => {
  user = await newUser("pdfs");
});

const post = (who: User, query: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Reply> =>
  who.call("POST", `/v1/memory/documents?${query}`, body, { ...PDF, ...headers });

interface Found {
  readonly text: string;
  readonly source: string;
}

async function pagesOf(who: User): Promise<Found[]> {
  return (await who.call("GET", "/v1/memory?limit=500")).body["items"] as Found[];
}

const running = (page: number): PrintedLine[] => [
  { text: "Annual report of the orchard", size: 8, y: 810 },
  { text: `Page ${page}`, size: 8, y: 30 },
];

describe("a PDF", () => {
  it("becomes pages under the headings it prints, with the page numbers as sources", async () => {
    const made = await post(
      user,
      "name=report.pdf",
      makePdf(
        [
          [
            ...running(1),
            ...printed([
              ["Orchard report", 24],
              ["Trees", 16],
              ["We planted forty apple", 11],
              ["trees in the north field, and the har-", 11],
            ]),
          ],
          [
            ...running(2),
            ...printed([
              ["vest was good.", 11],
              ["Bees", 16],
              ["The hives stand by the brook.", 11],
            ]),
          ],
          [
            ...running(3),
            ...printed([
              ["蜜蜂", 16],
              ["蜜蜂喜欢三叶草。", 11],
              ["它们住在这里。", 11],
            ]),
          ],
        ],
        { title: "Orchard" },
      ),
    );
    expect([made.status, made.body], made.text).toMatchObject([
      201,
      { title: "Orchard", state: "done", headings: 4, pages: 3 },
    ]);
    expect((await pagesOf(user)).map(({ text, source }) => [source, text])).toEqual([
      [
        "report.pdf#page=1",
        "Orchard report › Trees\n\nOrchard report\n\nTrees\n\nWe planted forty apple trees in the north field, and the harvest was good.",
      ],
      ["report.pdf#page=2", "Orchard report › Bees\n\nBees\n\nThe hives stand by the brook."],
      ["report.pdf#page=3", "Orchard report › 蜜蜂\n\n蜜蜂\n\n蜜蜂喜欢三叶草。它们住在这里。"],
    ]);
    const found = await user.call("GET", "/v1/memory/search?q=where%20are%20the%20hives&k=1");
    expect((found.body["items"] as Found[])[0]?.source).toBe("report.pdf#page=2");
  });

  it("is taken once however often it is sent, and no other one under its key", async () => {
    const who = await newUser("pdfs-again");
    const long = makePdf(
      Array.from({ length: 40 }, (_, page) =>
        printed([
          [`Chapter ${page + 1}`, 18],
          [`Sentence number ${page + 1} of the book.`, 11],
        ]),
      ),
    );
    const first = await post(who, "name=book.pdf", long, { "idempotency-key": "book", accept: "text/event-stream" });
    expect(first.text.match(/data-document-progress/g)?.length).toBeGreaterThan(1);
    const again = await post(who, "name=book.pdf", long, { "idempotency-key": "book" });
    expect(again.body).toMatchObject({ state: "done", pages: 40, bytes: long.byteLength });
    expect(await pagesOf(who)).toHaveLength(40);
    const other = await post(who, "name=book.pdf", makePdf([printed([["Other", 11]])]), { "idempotency-key": "book" });
    expect(other.status).toBe(409);
  });

  it("says why it cannot be read, and leaves nothing behind", async () => {
    const who = await newUser("pdfs-bad");
    const cases: [Uint8Array, number, string][] = [
      [makePdf([printed([["x", 11]])], { encrypted: true }), 400, "encrypted"],
      [new TextEncoder().encode("%PDF-1.7 and nothing more"), 400, "damaged"],
      [makePdf([[]]), 400, "scan"],
      [new Uint8Array(DOCUMENT_PDF_BYTES + 1), 413, "in one request"],
    ];
    for (const [bytes, status, words] of cases) {
      const reply = await post(who, "name=x.pdf", bytes);
      expect([reply.status, reply.text]).toEqual([status, expect.stringContaining(words)]);
    }
    const parts = await post(who, "name=x.pdf&size=5000", makePdf([printed([["x", 11]])]));
    expect(parts.status).toBe(400);
    expect((await who.call("GET", "/v1/memory/documents")).body).toEqual({ items: [] });
  });
});
