/**
 * Every driver keeps the one spec: Workers AI and OpenAI-compatible ones over real HTTP, the scripted one by itself.
 */
import type { InferEvent } from "#kernel/infer/drivers/driver.ts";
import { errorEvent } from "#kernel/infer/drivers/faults.ts";
import { scripted, type Scene } from "#kernel/infer/drivers/scripted.ts";
import { listModels } from "#tests/fakes/provider-client.ts";
import type { Reply } from "#tests/fakes/provider/reply.ts";
import { driverSpec } from "#tests/kernel/infer/drivers/driver-spec.ts";
import { openOpenai, openWorkersAi } from "#tests/kernel/infer/drivers/provider-drivers.ts";

driverSpec("openai", openOpenai);

driverSpec("workers-ai", async (replies) => {
  await listModels("workers-ai", [{ name: "@cf/meta/llama-3.2-3b-instruct" }]);
  return openWorkersAi(replies);
});

driverSpec("scripted", (replies) => {
  const driver = scripted(replies.map(sceneOf));
  return Promise.resolve({ driver, model: "scripted", sent: () => Promise.resolve(driver.requests.length) });
});

/** The script of a reply: what a provider that answers so would come to. */
function sceneOf(reply: Reply): Scene {
  if (reply.status !== undefined) return [errorEvent("down")];
  const words = reply.text?.match(/\s*\S+/g) ?? [];
  const said = words.map((text): InferEvent => ({ type: "text", text }));
  if (reply.hang === "headers") return () => hangBehind([]);
  if (reply.hang === "stream") return () => hangBehind(said.slice(0, 1));
  if (reply.cut !== undefined) return [...said.slice(0, reply.afterChunks), errorEvent("cut")];
  const calls = (reply.calls ?? []).map((call, index) => ({ id: `c${index}`, ...call }));
  const { inputTokens = 0, cachedTokens = 0, outputTokens = 0 } = reply;
  return [
    ...said,
    ...(calls.length === 0 ? [] : [{ type: "calls" as const, calls }]),
    { type: "usage", usage: { inputTokens, cachedTokens, outputTokens } },
  ];
}

async function* hangBehind(events: readonly InferEvent[]): AsyncGenerator<InferEvent> {
  yield* events;
  await new Promise(() => undefined);
}
