/**
 * Structured output: an answer that meets a JSON schema, with tools beside it, whatever the model can do; or a clear error.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TraceEvent } from "#shared/abi.ts";
import { REPLY_SCHEMA_CHARACTERS } from "#shared/limits.ts";
import type { Result } from "#shared/result.ts";
import type { InferEvent, InferRequest } from "#kernel/infer/drivers/driver.ts";
import { calls, installSeam, play, rows, text, useEnv, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, eventsOf, objectOf, shown, unwrap } from "#tests/kernel/process-client.ts";
import { newUser, type User } from "#tests/workers/edge-client.ts";

installSeam();

const reply = {
  type: "object",
  properties: { colour: { type: "string" }, wheels: { type: "integer" } },
  required: ["colour", "wheels"],
  additionalProperties: false,
};
const RED = '{"colour":"red","wheels":2}';

/** Answers by its script, and keeps what it was asked. */
function scripted(user: string, ...script: readonly (readonly InferEvent[])[]): InferRequest[] {
  const asked: InferRequest[] = [];
  useModel(callerOf(user), (request) => {
    asked.push(request);
    return play(script[Math.min(asked.length, script.length) - 1] ?? []);
  });
  return asked;
}

const refused: InferEvent = {
  type: "error",
  error: { code: "invalid_request", detail: "The model refused the request." },
  retryable: false,
  fault: "refused",
};

describe("an answer that has to meet a schema", () => {
  it("comes after system calls, which are made without JSON mode: the schema stands in the prompt", async () => {
    const caller = callerOf("with-tools");
    const asked = scripted("with-tools", [calls(["memory_write", { text: "The bicycle is red." }])], [text(RED)]);
    const run = await ask(caller, "Remember the bicycle and describe it.", { reply });
    expect(run).toMatchObject({ status: "done", output: RED });
    expect(run.syscalls).toMatchObject([{ name: "memory_write", ok: true }]);
    expect(asked.map((request) => [request.tools.length > 0, request.reply])).toEqual([
      [true, null],
      [true, null],
    ]);
    for (const { messages } of asked) {
      const schemas = messages.filter((message) => message.content.includes(JSON.stringify(reply)));
      expect(schemas).toMatchObject([{ role: "system" }]);
    }
    expect(await rows(caller, "SELECT 1 FROM pages WHERE kind = 'fact'")).toHaveLength(1);
  });

  it("is repaired here when it is nearly JSON, without another call", async () => {
    const caller = callerOf("nearly");
    const asked = scripted("nearly", [text("Sure:\n```json\n{'colour': 'red', 'wheels': 2,}\n```\nBye.")]);
    const run = await ask(caller, "Which?", { reply });
    expect(run.output).toBe(RED);
    expect(asked).toHaveLength(1);
    const trace = unwrap((await objectOf(caller).traceOf(caller, run.run)) as Result<readonly TraceEvent[]>);
    expect(trace.find(({ event }) => event === "verify-end")?.data).toMatchObject({ repaired: true });
  });

  it("is asked for once more in JSON mode, without tools, with what is wrong", async () => {
    const caller = callerOf("again");
    const asked = scripted("again", [text('{"colour":"red","wheels":"two"}')], [text(RED)]);
    const run = await ask(caller, "Which?", { reply });
    expect(run).toMatchObject({ status: "done", output: RED });
    expect(asked[1]).toMatchObject({ tools: [], reply });
    expect(asked[1]?.messages.at(-1)?.content).toContain("wheels: ");
    expect(shown(await eventsOf(caller, run.run))).toBe(RED);
  });

  it("is asked for in words by a model that refuses its JSON mode", async () => {
    const caller = callerOf("no-mode");
    const asked = scripted("no-mode", [text("Red, I think.")], [refused], [text(RED)]);
    expect(await ask(caller, "Which?", { reply })).toMatchObject({ status: "done", output: RED });
    expect(asked.map((request) => request.reply)).toEqual([null, reply, null]);
  });

  it("that never meets it ends the run with the path of what is wrong, and shows nothing", async () => {
    const caller = callerOf("never");
    const asked = scripted("never", [text('{"colour":"red","wheels":"two"}')]);
    const run = await ask(caller, "Which?", { reply });
    expect(run).toMatchObject({ status: "failed", output: "", error: { code: "model_unavailable" } });
    expect(run.error?.detail).toMatch(/meets `reply`: wheels: /);
    expect(asked).toHaveLength(2);
    expect((await eventsOf(caller, run.run)).map(({ part }) => part.type)).not.toContain("text-delta");
  });
});

describe("a model of which it is known", () => {
  beforeAll(() =>
    useEnv((real) =>
      Object.assign({}, real, {
        MODELS: '{"known/no-tools": {"tools": false, "json": true}, "known/no-json": {"json": false}}',
      }),
    ),
  );
  afterAll(() => useEnv(null));

  it("that it takes no tools is asked in JSON mode at once", async () => {
    const asked = scripted("no-tools", [text(RED)]);
    expect((await ask(callerOf("no-tools"), "Which?", { reply, model: "known/no-tools" })).output).toBe(RED);
    expect(asked).toMatchObject([{ tools: [], reply }]);
  });

  it("that it has no JSON mode is asked in words, also the second time", async () => {
    const asked = scripted("no-json", [text("Red.")], [text(RED)]);
    expect((await ask(callerOf("no-json"), "Which?", { reply, model: "known/no-json" })).output).toBe(RED);
    expect(asked.map((request) => request.reply)).toEqual([null, null]);
  });
});

describe("response_format of chat/completions", () => {
  let user: User;
  const messages = [{ role: "user", content: "Describe my bicycle." }];
  beforeAll(async () => {
    user = await newUser("formats");
  });

  it("json_schema is a schema the answer meets, streamed only once it does", async () => {
    const asked = scripted("formats", [text("It is red")], [text(RED)]);
    const format = { type: "json_schema", json_schema: { name: "bicycle", strict: true, schema: reply } };
    const answer = await user.call("POST", "/v1/chat/completions", { messages, stream: true, response_format: format });
    expect(answer.status).toBe(200);
    const said = answer.text
      .split("\n\n")
      .filter((line) => line.startsWith("data: {"))
      .map((line) => JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] })
      .map(({ choices }) => choices[0]?.delta.content ?? "");
    expect(said.join("")).toBe(RED);
    expect(asked).toHaveLength(2);
  });

  it("json_object is any object", async () => {
    scripted("formats", [text('Here: {"a": 1}')]);
    const answer = await user.call("POST", "/v1/chat/completions", {
      messages,
      response_format: { type: "json_object" },
    });
    expect(answer.body).toMatchObject({ choices: [{ message: { content: '{"a":1}' } }] });
  });

  it.each([
    [{ type: "json_schema" }],
    [{ type: "json_schema", json_schema: { name: "x" } }],
    [{ type: "json_schema", json_schema: { name: "x", schema: { type: "nonsense" } } }],
    [{ type: "json_schema", json_schema: { schema: { description: "x".repeat(REPLY_SCHEMA_CHARACTERS) } } }],
    [{ type: "grammar" }],
  ])("%j is refused", async (format) => {
    const answer = await user.call("POST", "/v1/chat/completions", { messages, response_format: format });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: "invalid_request" });
  });
});
