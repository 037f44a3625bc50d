/**
 * One call of a model behind HTTP, with the Pool or without it: what the load figure compares. Measurements only; never deployed.
 *
 * `POST /relay?model=` sends one fetch on and reads the answer, which is the least that a Worker can do; `POST /driver?model=` infers
 * with a driver; `POST /pool?model=` takes a slot of the model's Pool first and gives it back after, as a process does.
 */
import type { Driver } from "#kernel/infer/drivers/driver.ts";
import { readProviders } from "#kernel/infer/drivers/providers.ts";
import { openDriver } from "#kernel/infer/drivers/table.ts";
import type { Pool } from "#kernel/pool.ts";

export { Pool } from "#kernel/pool.ts";

const QUESTION = "Where did Nadia put the spare keys?";

interface LoadEnv {
  readonly POOL: DurableObjectNamespace<Pool>;
}

export default {
  async fetch(request: Request, env: Cloudflare.Env & LoadEnv, context: ExecutionContext): Promise<Response> {
    if (request.method !== "POST") return new Response("ok");
    const url = new URL(request.url);
    const model = url.searchParams.get("model") ?? "";
    if (url.pathname === "/relay") return new Response(await relay(env, model));
    const driver = openDriver(env);
    if (url.pathname === "/driver") return new Response(await say(driver, model, request.signal));
    const pool = env.POOL.getByName(model);
    const ticket = crypto.randomUUID();
    const program = ticket;
    const slot = await pool.acquire({
      holder: `load/${ticket}`,
      band: "interactive",
      user: `user-${url.searchParams.get("user") ?? "0"}`,
      program,
      tokens: 100,
      ticket,
    });
    if (!slot.ok) return new Response(slot.error.code, { status: 503 });
    const since = Date.now();
    const said = await say(driver, model, request.signal);
    const report = {
      user: "load",
      program,
      outcome: "answered" as const,
      seconds: (Date.now() - since) / 1_000,
      tokens: 100,
      retryAfterMs: null,
      programOver: true,
    };
    context.waitUntil(Promise.resolve(pool.release(slot.value.lease, [report])));
    return new Response(said);
  },
};

async function relay(env: Cloudflare.Env, model: string): Promise<string> {
  const provider = readProviders(env)[0];
  const body = { model: model.replace("fake/", ""), stream: true, messages: [{ role: "user", content: QUESTION }] };
  const answer = await fetch(`${provider?.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return answer.text();
}

async function say(driver: Driver, model: string, signal: AbortSignal): Promise<string> {
  let said = "";
  const messages = [{ role: "user" as const, content: QUESTION }];
  const request = { model, messages, tools: [], reply: null, affinity: "load" };
  for await (const event of driver.infer(request, signal)) {
    if (event.type === "text") said += event.text;
    if (event.type === "error") throw new Error(event.error.detail);
  }
  return said;
}
