/** Leaving a chat: a stateless run whose client left is cancelled; a run of a thread is not. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { success } from "#shared/result.ts";
import { newUser, ORIGIN } from "#tests/workers/edge-client.ts";
import { app } from "#workers/app.ts";

/** A process whose run says one word and never ends. */
function endlessProcess(called: string[]): object {
  const text = '{"id":0,"part":{"type":"text-delta","id":"t","delta":"Tea"}}\n';
  const started = { run: "run_init_x", thread: "t", process: "init", state: "running", replayed: false };
  return {
    execute: async () => success(started),
    executeAndStream: async () =>
      success({
        started,
        events: new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
          cancel: () => void called.push("events left"),
        }),
      }),
    cancel: async () => {
      called.push("cancel");
      return success({});
    },
  };
}

async function chatAndLeave(headers: Record<string, string>): Promise<string[]> {
  const called: string[] = [];
  const user = await newUser(`leaver-${crypto.randomUUID().slice(0, 8)}`);
  const bindings: Cloudflare.Env = { ...env, PROCESS: Object.create(null) };
  Object.assign(bindings, { PROCESS: { getByName: () => endlessProcess(called) } });
  const context = createExecutionContext();
  const request = new Request(`${ORIGIN}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${user.key}`, "content-type": "application/json", ...headers },
    body: JSON.stringify({ messages: [{ role: "user", content: "hi" }], stream: true }),
  });
  const response = await app.fetch(request, bindings, context);
  expect(response.headers.get("x-should-retry")).toBe("false");
  const reader = response.body?.getReader();
  await reader?.read();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('"content":"Tea"');
  await reader?.cancel();
  await waitOnExecutionContext(context);
  return called;
}

test("stateless: the run is cancelled", async () => {
  expect(await chatAndLeave({})).toEqual(["events left", "cancel"]);
});

test("in a thread: only the reader goes", async () => {
  expect(await chatAndLeave({ "x-lamina-thread": "main" })).toEqual(["events left"]);
});
