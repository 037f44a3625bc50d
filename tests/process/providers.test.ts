/**
 * Providers: a local server reaches an OpenAI-compatible one, named in its settings; the AI SDK is loaded when it is asked.
 */
import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { settingsFile } from "#scripts/home.mjs";
import { startProvider, type FakeProvider } from "#tests/fakes/provider/server.ts";
import { call, instruct } from "#tests/process/client.ts";
import { makeHome, startServer, stopAll } from "#tests/process/server.ts";

let provider: FakeProvider;
beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider.close());
afterEach(stopAll);

describe("a provider of settings.env", () => {
  it("lists its models beside the local engine's, and answers with them, with the key", async () => {
    const home = makeHome();
    const shed = { baseUrl: `${provider.url}/v1`, keyFrom: "SHED_KEY" };
    writeFileSync(settingsFile(home), `PROVIDERS=${JSON.stringify({ shed })}\nSHED_KEY=key-of-the-shed\n`);
    const server = await startServer(home);
    const models = JSON.stringify((await call(server, "GET", "/v1/models")).body);
    expect(models).toContain("lamina/shed/fake");
    expect(models).toContain("lamina/extractive");
    const answer = await instruct(server, "Say hello.", { model: "lamina/shed/fake" });
    expect(answer.body).toMatchObject({ status: "done", output: "Hello from the fake provider." });
    expect(provider.book.seen("fake")[0]?.headers["authorization"]).toBe("Bearer key-of-the-shed");
    const local = await instruct(server, "What is 2 + 2?");
    expect(local.body["status"]).toBe("done");
  });
});
