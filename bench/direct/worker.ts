/**
 * The engine alone behind HTTP: what the overhead figure compares with. Measurements only; never deployed.
 *
 * `POST /` with the inputs of `AI.run` streams the engine's answer through the same binding that the kernel uses.
 */
import type { AiBinding } from "#kernel/infer/drivers/workers-ai.ts";

export { LocalAi } from "#workers/local-ai/local-ai.ts";

export default {
  async fetch(request: Request, env: { readonly AI: AiBinding }): Promise<Response> {
    if (request.method !== "POST") return new Response("ok");
    const answer = await env.AI.run("lamina/extractive", await request.json());
    return new Response(answer as ReadableStream, { headers: { "content-type": "text/event-stream" } });
  },
};
