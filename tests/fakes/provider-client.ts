/**
 * Provider client: the fake provider as a test in workerd sees it, and an `AI` binding whose models are behind it.
 *
 * `fakeBinding()` does what the platform's binding does: it posts `{model, inputs, options}`, hands back the value or the stream,
 * and throws `<code>: <text>` for a refusal. So the faults that the Workers AI driver meets in tests are those of real HTTP.
 */
import { inject } from "vitest";
import { z } from "zod";
import type { AiBinding } from "#kernel/infer/drivers/workers-ai.ts";
import "#tests/fakes/provider/context.ts";
import type { Reply, Script, Seen, Stats } from "#tests/fakes/provider/reply.ts";

/** Origin of the fake provider of this test run. */
export function providerUrl(): string {
  return inject("provider");
}

async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(`${providerUrl()}${path}`, { method: "POST", body: JSON.stringify(body) });
  await response.arrayBuffer();
}

/** The next requests of this model get these replies in their order, then `after` ever after. Use a model name of your own. */
export async function scriptModel(model: string, replies: readonly Reply[], after?: Reply): Promise<void> {
  const script: Script = { model, replies, ...(after === undefined ? {} : { after }) };
  await post("/script", script);
}

/** What `GET /v1/models` (`openai`) and the binding's `models()` (`workers-ai`) answer from now on, to all tests. */
export async function listModels(route: "openai" | "workers-ai", list: unknown): Promise<void> {
  await post("/models", { [route]: list });
}

/** What the provider was asked of this model. */
export async function requestsOf(model: string): Promise<Seen[]> {
  return (await fetch(`${providerUrl()}/requests?model=${encodeURIComponent(model)}`)).json<Seen[]>();
}

export async function providerStats(): Promise<Stats> {
  return (await fetch(`${providerUrl()}/stats`)).json<Stats>();
}

const refusalSchema = z.object({
  errors: z.tuple([z.object({ code: z.union([z.number(), z.string()]).nullable(), message: z.string() })]),
});

/** An `AI` binding over HTTP. */
export function fakeBinding(url = providerUrl()): AiBinding {
  return {
    async run(model, inputs, options) {
      const response = await fetch(`${url}/ai/run`, {
        method: "POST",
        body: JSON.stringify({ model, inputs, options }),
      });
      if (!response.ok) {
        const { code, message } = refusalSchema.parse(await response.json()).errors[0];
        throw new Error(code === null ? message : `${code}: ${message}`);
      }
      const type = response.headers.get("content-type");
      if (type === "text/event-stream") return response.body;
      return type === "application/json" ? response.json() : response.text();
    },
    models: async () => (await fetch(`${url}/ai/models`)).json(),
  };
}
