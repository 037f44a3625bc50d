/** Models named in an instruction: the names of `/v1/models`, and nothing else. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { newUser } from "#tests/workers/edge-client.ts";

test("a listed model runs under both of its names, an unlisted one is refused before admission", async () => {
  const user = await newUser("chooses-a-model");
  for (const model of ["lamina", env.DEFAULT_MODEL, undefined]) {
    const body = { input: "hello", stream: false, ...(model === undefined ? {} : { model }) };
    const reply = await user.call("POST", "/v1/instructions", body);
    expect(reply).toMatchObject({ status: 200, body: { status: "done" } });
  }
  const refused = await user.call("POST", "/v1/instructions", { input: "hello", stream: false, model: "@cf/made/up" });
  expect(refused).toMatchObject({ status: 404, body: { code: "not_found" } });
  expect((await user.call("GET", "/v1/runs")).body["items"]).toHaveLength(3);
});
