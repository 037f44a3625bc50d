/** Models at the edge: the catalogue's list as OpenAI clients read it, with what is known of each. */
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import type { z } from "zod";
import { unknownCard } from "#shared/models.ts";
import { modelListSchema } from "#shared/schema/chat.ts";
import * as table from "#kernel/infer/drivers/table.ts";
import { openCatalogue } from "#kernel/infer/models/catalogue.ts";
import { newUser } from "#tests/workers/edge-client.ts";

afterEach(() => vi.restoreAllMocks());

async function listed(user: Awaited<ReturnType<typeof newUser>>): Promise<z.infer<typeof modelListSchema>["data"]> {
  const reply = await user.call("GET", "/v1/models");
  expect(reply.status).toBe(200);
  return modelListSchema.parse(reply.body).data;
}

test("the list has the default first, then every model with what is known of it, and no provider is asked twice", async () => {
  const user = await newUser("lists-models");
  const opened = vi.spyOn(table, "openDriver");
  const models = await listed(user);
  expect(models.map(({ id }) => id)).toEqual(["lamina", env.DEFAULT_MODEL]);
  for (const model of models) expect(model).toMatchObject({ object: "model", created: 0, owned_by: "lamina" });
  expect(models[1]?.lamina).toEqual({
    model: "lamina/extractive",
    provider: "workers-ai",
    family: "other",
    contextWindow: 131_072,
    tools: true,
    lora: false,
    json: null,
    asyncQueue: false,
    extractive: true,
    languages: null,
    price: null,
    latency: expect.any(String),
    endsAt: null,
    source: "discovered",
  });
  await listed(user);
  expect(opened).toHaveBeenCalledTimes(1);
});

test("what the kernel's catalogue keeps is what the edge lists, and what can be asked for", async () => {
  const user = await newUser("lists-other-models");
  const price = { input: 0.1, cached: 0.01, output: 0.4 };
  const card = { ...unknownCard("ollama/llama3.2"), price, languages: ["en"], source: "discovered" as const };
  const driver = { models: () => Promise.resolve([card]) };
  const DB = { prepare: (query: string) => env.DB.prepare(query), batch: env.DB.batch.bind(env.DB) };
  const work: Promise<unknown>[] = [];
  const later = Date.now() + 3_600_000;
  await openCatalogue(
    { DB },
    driver,
    (one) => void work.push(one),
    () => later,
  ).load();
  await Promise.all(work);
  // The edge reads D1 again after a while.
  vi.spyOn(Date, "now").mockReturnValue(later + 1_000);
  const found = (await listed(await newUser("lists-later"))).find(({ id }) => id === "lamina/ollama/llama3.2");
  expect(found?.lamina).toMatchObject({ model: "ollama/llama3.2", provider: "ollama", price, languages: ["en"] });
  const body = { input: "hello", stream: false, model: "lamina/ollama/unknown" };
  expect(await user.call("POST", "/v1/instructions", body)).toMatchObject({ status: 404 });
});
