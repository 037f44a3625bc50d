/** `POST /v1/fsck`: through the door, for the caller's own process only. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { newUser } from "#tests/workers/edge-client.ts";

describe("POST /v1/fsck", () => {
  it("reports what diverges, repairs it when asked, and then finds nothing", async () => {
    const user = await newUser("fsck-door");
    await user.call("POST", "/v1/memory", { text: "The mill has a wheel." });
    expect((await user.call("POST", "/v1/fsck", {})).body).toEqual({
      checked: 1,
      pending: 1,
      counts: {},
      found: [],
      repaired: 0,
    });
    await env.MEM_0.prepare(
      `INSERT INTO pages (owner, process, handle, version, deleted, kind, body, zoned, tags, created_at, updated_at)
       VALUES ('fsck-door', 'init', 'pzz', 1, 0, 'fact', 'An orphan.', 0, '[]', 0, 0),
              ('fsck-other', 'init', 'pzz', 1, 0, 'fact', 'Another one.', 0, '[]', 0, 0)`,
    ).run();
    const found = { counts: { "orphan-in-d1": 1 }, found: [{ kind: "orphan-in-d1", handle: "pzz" }] };
    expect((await user.call("POST", "/v1/fsck", {})).body).toMatchObject({ ...found, repaired: 0 });
    expect((await user.call("POST", "/v1/fsck", { repair: true })).body).toMatchObject({ ...found, repaired: 1 });
    expect((await user.call("POST", "/v1/fsck", {})).body).toMatchObject({ counts: {} });
    // Nobody else's rows are touched.
    const { results } = await env.MEM_0.prepare(
      "SELECT owner, deleted FROM pages WHERE handle = 'pzz' ORDER BY owner",
    ).all();
    expect(results).toEqual([
      { owner: "fsck-door", deleted: 1 },
      { owner: "fsck-other", deleted: 0 },
    ]);
  });

  it("is a command in both languages", async () => {
    const user = await newUser("fsck-said");
    await user.call("POST", "/v1/memory", { text: "The mill has a wheel." });
    const ask = async (input: string): Promise<unknown> =>
      (await user.call("POST", "/v1/instructions", { input, stream: false })).body["output"];
    expect(await ask("/fsck repair")).toMatch(/^Checked \d+; everything agrees\.$/);
    expect(await ask("/自检")).toMatch(/^检查了 \d+ 处，没有问题。$/);
    expect(await ask("/fsck everything")).toContain("/fsck [repair]");
  });

  it("refuses a wrong cursor, an unknown process, and a key without the scope", async () => {
    const user = await newUser("fsck-refused");
    expect((await user.call("POST", "/v1/fsck", { cursor: "nonsense" })).status).toBe(400);
    expect((await user.call("POST", "/v1/fsck", { repare: true })).status).toBe(400);
    expect((await user.call("POST", "/v1/fsck", { process: "other" })).status).toBe(404);
    const runner = await newUser("fsck-scope", ["run"]);
    expect((await runner.call("POST", "/v1/fsck", {})).status).toBe(403);
  });
});
