/**
 * Bad input: every refusal is a problem document, and nothing changed.
 *
 * Each test ends by comparing what the process holds with what it held before.
 */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { INSTRUCTION_BYTES, PAGE_BYTES, QUERY_CHARACTERS } from "#shared/limits.ts";
import { newUser, type Reply, type User } from "#tests/workers/edge-client.ts";

let user: User;
let before: string;
let deleted: string;

async function holdings(): Promise<string> {
  const [pages, runs, threads] = await Promise.all([
    user.call("GET", "/v1/memory?limit=500"),
    user.call("GET", "/v1/runs"),
    user.call("GET", "/v1/processes/init/threads"),
  ]);
  expect([pages.status, runs.status, threads.status]).toEqual([200, 200, 200]);
  return JSON.stringify([pages.body, runs.body, threads.body]);
}

beforeAll(async () => {
  user = await newUser("bad-input");
  await user.call("POST", "/v1/memory", { text: "The kettle is blue." });
  deleted = String((await user.call("POST", "/v1/memory", { text: "The kettle was red." })).body["handle"]);
  expect((await user.call("DELETE", `/v1/memory/${deleted}`)).status).toBe(200);
  before = await holdings();
});

afterEach(async () => {
  expect(await holdings()).toBe(before);
});

function expectProblem(reply: Reply, status: number, code: string): void {
  expect([reply.status, reply.body["code"], reply.text.slice(0, 300)]).toEqual([status, code, expect.any(String)]);
  expect(reply.headers.get("content-type")).toBe("application/problem+json");
  expect(reply.body["requestId"]).toBe(reply.headers.get("x-request-id"));
  expect(reply.text).not.toMatch(/\bat \S+\.ts|SQLITE|node_modules|stack/i);
}

const POSTS = ["/v1/instructions", "/v1/memory", "/v1/chat/completions"] as const;

describe.each(POSTS)("POST %s", (path) => {
  test("JSON that does not parse, is no object, or is not declared as JSON", async () => {
    for (const body of ['{"input":', "", "null", "[]", '"text"', "12"]) {
      expectProblem(await user.call("POST", path, body), 400, "invalid_request");
    }
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"]) {
      expectProblem(await user.call("POST", path, '{"input":"/ps"}', { "content-type": type }), 400, "invalid_request");
    }
    expectProblem(await user.call("POST", path), 400, "invalid_request");
  });

  test("bytes that are not UTF-8", async () => {
    const head = new TextEncoder().encode('{"input":"');
    const bytes = new Uint8Array([...head, 0xc3, 0x28, 0x22, 0x7d]);
    expectProblem(await user.call("POST", path, bytes), 400, "invalid_request");
  });

  test("ten megabytes", async () => {
    expectProblem(await user.call("POST", path, "x".repeat(10_000_000)), 413, "payload_too_large");
  });
});

describe("instructions", () => {
  test("a megabyte, one byte too many, and the most that is allowed in bytes, not characters", async () => {
    for (const input of [
      "x".repeat(1_000_000),
      "x".repeat(INSTRUCTION_BYTES + 1),
      "茶".repeat(INSTRUCTION_BYTES / 3 + 1),
    ]) {
      expectProblem(await user.call("POST", "/v1/instructions", { input }), 413, "payload_too_large");
    }
  });

  test.each([
    { input: "x", more: 1 },
    { input: 1 },
    { input: "" },
    { input: "  \n" },
    { input: "lone \ud800 surrogate" },
    { input: "nul \u0000" },
    { input: "x", stream: "yes" },
    { input: "x", thread: "../x" },
    { input: "x", thread: "" },
    { input: "x", process: "a b" },
    { input: "x", model: "" },
    { input: "x", reply: "json" },
    { input: "x", fallback: "yes" },
    { input: "x", reply: ["object"] },
  ])("%j is refused", async (body) => {
    expectProblem(await user.call("POST", "/v1/instructions", body), 400, "invalid_request");
  });

  test("a reply schema nested without end", async () => {
    const reply = `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`;
    expectProblem(
      await user.call("POST", "/v1/instructions", `{"input":"x","reply":${reply}}`),
      400,
      "invalid_request",
    );
  });

  test("a process that does not exist, and a bad idempotency key", async () => {
    expectProblem(await user.call("POST", "/v1/instructions", { input: "x", process: "nobody" }), 404, "not_found");
    const headers = { "idempotency-key": "k".repeat(256) };
    expectProblem(await user.call("POST", "/v1/instructions", { input: "x" }, headers), 400, "invalid_request");
  });
});

describe("memory", () => {
  test.each([
    { text: "" },
    { text: " " },
    { text: 1 },
    { text: "x".repeat(PAGE_BYTES + 1) },
    { text: "x", kind: "secret" },
    { text: "x", tags: "a" },
    { text: "x", tags: Array.from({ length: 17 }, () => "a") },
    { text: "x", handle: "p1" },
    { text: "x", at: 12 },
    { text: "x", source: "" },
    { text: "\udc00" },
  ])("adding %j is refused", async (body) => {
    expectProblem(await user.call("POST", "/v1/memory", body), 400, "invalid_request");
  });

  test("an unwritten date is refused", async () => {
    expectProblem(
      await user.call("POST", "/v1/memory", { text: "x", at: "the day of the fish" }),
      400,
      "invalid_request",
    );
  });

  test("editing nothing, or something that is no field", async () => {
    for (const body of [{}, { version: 1 }, { handle: "p2" }, { text: "x", version: 0 }, { text: "" }]) {
      expectProblem(await user.call("PUT", "/v1/memory/p1", body), 400, "invalid_request");
    }
    expectProblem(await user.call("PUT", "/v1/memory/p1", { text: "x", version: 99 }), 409, "conflict");
  });

  test.each(["p", "P1", "p1%00", "p01", "pzzzzzz", "zz", "..%2Fp1", "p1'", "%F0%9F%8D%B5"])(
    "the handle %s is 404 for every method",
    async (handle) => {
      for (const method of ["GET", "DELETE"]) {
        expectProblem(await user.call(method, `/v1/memory/${handle}`), 404, "not_found");
      }
      expectProblem(await user.call("PUT", `/v1/memory/${handle}`, { text: "x" }), 404, "not_found");
    },
  );

  test("a deleted handle is 404 for every method, and its words are found nowhere", async () => {
    for (const method of ["GET", "DELETE"]) {
      expectProblem(await user.call(method, `/v1/memory/${deleted}`), 404, "not_found");
    }
    expectProblem(await user.call("PUT", `/v1/memory/${deleted}`, { text: "back" }), 404, "not_found");
    expect((await user.call("GET", "/v1/memory/search?q=red%20kettle")).text).not.toContain("red");
    expect((await user.call("GET", "/v1/memory/export")).text).not.toContain("red");
  });

  test.each(["limit=0", "limit=501", "limit=abc", "limit=1&limit=2", "kind=secret", "cursor="])(
    "?%s is refused",
    async (query) => {
      expectProblem(await user.call("GET", `/v1/memory?${query}`), 400, "invalid_request");
    },
  );

  test("a cursor that is not ours is refused", async () => {
    expectProblem(await user.call("GET", "/v1/memory?cursor=%27%3B--"), 400, "invalid_request");
    expectProblem(await user.call("GET", "/v1/runs?cursor=%27%3B--"), 400, "invalid_request");
  });

  test.each(["nobody", "a/b", "INIT", "", "%00", "init%20"])("?process=%s is 404", async (process) => {
    expectProblem(await user.call("GET", `/v1/memory?process=${process}`), 404, "not_found");
    expectProblem(await user.call("POST", `/v1/memory?process=${process}`, { text: "x" }), 404, "not_found");
  });

  test.each([
    '"',
    "'",
    "kettle AND",
    "NOT",
    "kettle OR OR",
    "col:kettle",
    "NEAR(a b",
    "*",
    "^kettle",
    "(((",
    "{a b}:c",
    "-",
    "\\",
    "%",
    "茶 OR",
    "--",
    ";DROP TABLE pages",
  ])("any text is a query: %s", async (query) => {
    const reply = await user.call("GET", `/v1/memory/search?q=${encodeURIComponent(query)}`);
    expect([reply.status, Array.isArray(reply.body["items"])]).toEqual([200, true]);
  });

  test("a query that is missing, too long, or asks for too much", async () => {
    for (const query of [
      "",
      "?k=5",
      `?q=${"x".repeat(QUERY_CHARACTERS + 1)}`,
      "?q=x&k=0",
      "?q=x&k=101",
      "?q=x&from=someday",
    ]) {
      expectProblem(await user.call("GET", `/v1/memory/search${query}`), 400, "invalid_request");
    }
  });

  test("an import that is not NDJSON, and one of bad lines only", async () => {
    expectProblem(await user.call("POST", "/v1/memory/import", { text: "x" }), 400, "invalid_request");
    const lines = '{"text":""}\n{"text":1}\nnot json\n{"type":"unknown"}\n[]\n';
    const reply = await user.call("POST", "/v1/memory/import", lines, { "content-type": "application/x-ndjson" });
    expect(reply.body).toMatchObject({ imported: 0, pages: 0, skippedRows: 5 });
  });
});

describe("runs, processes and chat", () => {
  const ids = [
    "run_init_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "run_nobody_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "run_x",
    "%2e%2e",
    "RUN",
  ];

  test.each(ids)("the run %s is 404 for every method", async (id) => {
    for (const [method, rest] of [
      ["GET", ""],
      ["GET", "/stream"],
      ["GET", "/trace"],
      ["POST", "/cancel"],
      ["POST", "/resume"],
    ]) {
      expectProblem(await user.call(method ?? "", `/v1/runs/${id}${rest ?? ""}`), 404, "not_found");
    }
  });

  test("a thread that does not exist is 404", async () => {
    expectProblem(await user.call("GET", "/v1/processes/init/threads/nothing/messages"), 404, "not_found");
    expectProblem(await user.call("DELETE", "/v1/processes/init/threads/nothing"), 404, "not_found");
    expectProblem(await user.call("DELETE", "/v1/processes/init/threads/a%20b"), 404, "not_found");
  });

  test.each([
    [{ messages: [] }, 400],
    [{ messages: "hi" }, 400],
    [{ messages: [{ role: "assistant", content: "hi" }] }, 400],
    [{ messages: [{ role: "user", content: "" }] }, 400],
    [{ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] }, 400],
    [{ model: "gpt-5", messages: [{ role: "user", content: "hi" }] }, 404],
    [{ messages: [{ role: "user", content: "x".repeat(INSTRUCTION_BYTES + 1) }] }, 413],
  ])("the chat %j is refused in both shapes", async (body, status) => {
    const reply = await user.call("POST", "/v1/chat/completions", body);
    expectProblem(
      reply,
      status,
      status === 400 ? "invalid_request" : status === 404 ? "not_found" : "payload_too_large",
    );
    expect(reply.body["error"]).toMatchObject({
      message: reply.body["detail"],
      type: "invalid_request_error",
      param: null,
    });
  });
});

test("an expired key changes nothing", async () => {
  const expired = await newUser("bad-input", ["run", "memory"], Date.now() - 1);
  expectProblem(await expired.call("POST", "/v1/memory", { text: "x" }), 401, "unauthorized");
});

test("an unknown process is named as such, and a label that cannot be one says how it is written", async () => {
  for (const path of ["/v1/processes/nope/vmstat", "/v1/processes/in%20it/blocks", "/v1/memory?process=no%20pe"]) {
    const reply = await user.call("GET", path);
    expectProblem(reply, 404, "not_found");
    expect(reply.body["detail"]).toBe("There is no such process.");
  }
  const reply = await user.call("PUT", "/v1/processes/init/blocks/A%20b!", { value: "x" });
  expectProblem(reply, 400, "invalid_request");
  expect(reply.body["detail"]).toContain("letters and digits");
});
