/** A stop and a start: everything is found again, ids still mean the same, streams replay exactly. */
import { afterEach, describe, expect, it } from "vitest";
import { call, instruct, numbered, openRun, readEvents, replay, runOf } from "#tests/process/client.ts";
import { startServer, stopAll, stopServer } from "#tests/process/server.ts";

afterEach(stopAll);

describe("restart", () => {
  it("finds pages, threads, runs and the key", async () => {
    const server = await startServer();
    await instruct(server, "/remember The workshop is on 3 March 2027 in Lisbon.");
    const asked = await instruct(server, "Where is the workshop?");
    const messages = await call(server, "GET", "/v1/processes/init/threads/main/messages");
    const pages = await call(server, "GET", "/v1/memory");
    await stopServer(server);

    const again = await startServer(server.home, server.port);
    expect(again.key).toBe(server.key);
    expect(await call(again, "GET", "/v1/processes/init/threads/main/messages")).toEqual(messages);
    expect(await call(again, "GET", "/v1/memory")).toEqual(pages);
    const run = await call(again, "GET", `/v1/runs/${String(asked.body["run"])}`);
    expect(run.body).toMatchObject({ status: "done", output: asked.body["output"] });
    const answer = await instruct(again, "Where is the workshop?");
    expect(answer.body["output"]).toContain("Lisbon");
  });

  it("answers the same idempotency key with the same run", async () => {
    const server = await startServer();
    const key = { "idempotency-key": "restart-1" };
    const first = await instruct(server, "/remember The lamp in the hall is green.", {}, key);
    await stopServer(server);

    const again = await startServer(server.home, server.port);
    const second = await instruct(again, "/remember The lamp in the hall is green.", {}, key);
    expect(second.body["run"]).toBe(first.body["run"]);
    const other = await instruct(again, "/remember The lamp in the hall is red.", {}, key);
    expect(other.status).toBe(409);
    const facts = await call(again, "GET", "/v1/memory?kind=fact");
    expect(facts.body["items"]).toHaveLength(1);
  });

  it("replays a stream from any event, exactly", async () => {
    const server = await startServer();
    await instruct(server, "/remember Mara plays the cello on Thursdays.");
    const live = await readEvents(await openRun(server, "What does Mara play?"));
    const run = runOf(live);
    await stopServer(server);

    const again = await startServer(server.home, server.port);
    expect(numbered(await replay(again, run))).toEqual(numbered(live));
    for (const [index, { id }] of numbered(live).entries()) {
      const rest = await replay(again, run, id ?? "");
      expect(numbered(rest)).toEqual(numbered(live).slice(index + 1));
      expect(rest.at(-1)?.data).toBe("[DONE]");
    }
  });
});
