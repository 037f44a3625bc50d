/**
 * Fake provider: a real HTTP server that answers as OpenAI-compatible servers and Workers AI do, faults included.
 *
 * `startProvider()` listens on a free port of 127.0.0.1; `node tests/fakes/provider/main.ts` does it from a shell. Routes:
 * `POST /v1/chat/completions` and `GET /v1/models` (OpenAI), `POST /ai/run` with `{model, inputs, options}` and `GET /ai/models`
 * (what the `AI` binding takes and answers, see `provider-binding.ts`), and for tests `POST /script`, `POST /models`, `GET /stats`,
 * `GET /requests?model=`, `DELETE /script` (forgets all). What is answered: `reply.ts`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { answer } from "#tests/fakes/provider/answer.ts";
import { Book } from "#tests/fakes/provider/book.ts";
import { wholeOf } from "#tests/fakes/provider/chunks.ts";
import type { Reply, Script } from "#tests/fakes/provider/reply.ts";

export interface FakeProvider {
  /** Origin, without a slash at the end. */
  readonly url: string;
  readonly book: Book;
  /** Ends the server and every connection. */
  close(): Promise<void>;
}

export async function startProvider(port = 0): Promise<FakeProvider> {
  const desk = { book: new Book(), lists: new Map<string, unknown>() };
  const server = createServer((request, response) => {
    serve(desk, request, response).catch((error: unknown) => {
      process.stderr.write(`fake provider: ${String(error)}\n`);
      response.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the fake provider has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    book: desk.book,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Desk {
  readonly book: Book;
  /** Answers of the two lists of models, by route; set with `POST /models`. */
  readonly lists: Map<string, unknown>;
}

async function serve(desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://fake");
  const body = request.method === "POST" ? readJson(await text(request)) : null;
  switch (`${request.method} ${url.pathname}`) {
    case "POST /v1/chat/completions":
      return complete(desk, request, response, body);
    case "POST /ai/run":
      return runAi(desk, request, response, body);
    case "GET /v1/models":
      return json(response, desk.lists.get("openai") ?? { object: "list", data: [{ id: "fake", object: "model" }] });
    case "GET /ai/models":
      return json(response, desk.lists.get("workers-ai") ?? []);
    case "POST /models":
      for (const [route, list] of Object.entries(body as Record<string, unknown>)) desk.lists.set(route, list);
      return json(response, {});
    case "POST /script":
      desk.book.script(body as Script);
      return json(response, {});
    case "DELETE /script":
      desk.book.reset();
      desk.lists.clear();
      return json(response, {});
    case "GET /stats":
      return json(response, desk.book.stats());
    case "GET /requests":
      return json(response, desk.book.seen(url.searchParams.get("model")));
    default:
      response.statusCode = 404;
      return json(response, { error: { message: "no such route" } });
  }
}

async function complete(desk: Desk, request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
  const asked = body as { model: string; stream?: boolean; response_format?: unknown };
  const model = asked.model;
  desk.book.note({ path: "/v1/chat/completions", model, headers: request.headers, body });
  await counted(desk, response, model, (live) =>
    answer(response, {
      reply: desk.book.take(model),
      shape: "openai",
      streamed: asked.stream === true,
      wantsJson: asked.response_format !== undefined,
      live,
      refusal: (status, reply) => ({
        error: { message: reply.message ?? `refused with ${status}`, type: "fake_error", code: reply.code ?? null },
      }),
    }),
  );
}

type AiBody = {
  model: string;
  inputs: { stream?: boolean; response_format?: unknown; requests?: unknown[]; request_id?: string };
  options?: { queueRequest?: boolean };
};

async function runAi(desk: Desk, request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
  const { model, inputs, options } = body as AiBody;
  desk.book.note({ path: "/ai/run", model, headers: request.headers, body });
  if (inputs.request_id !== undefined) return answerQueued(desk, response, inputs.request_id);
  const reply = desk.book.take(model);
  if (options?.queueRequest === true && reply.status === undefined) {
    return json(response, { status: "queued", model, request_id: desk.book.queue(inputs, reply) });
  }
  await counted(desk, response, model, (live) =>
    answer(response, {
      reply,
      shape: reply.shape ?? "response",
      streamed: inputs.stream === true,
      wantsJson: inputs.response_format !== undefined,
      live,
      refusal: (status, refused) => ({
        errors: [{ code: refused.code ?? aiCode(status), message: refused.message ?? "refused" }],
      }),
    }),
  );
}

const AI_CODES = new Map([
  [400, 5004],
  [404, 5007],
  [408, 3007],
  [413, 3006],
  [429, 3040],
]);

/** The platform's code for a status, where a reply names none; null where the platform has none either. */
function aiCode(status: number): number | null {
  return AI_CODES.get(status) ?? null;
}

function answerQueued(desk: Desk, response: ServerResponse, id: string): void {
  const queued = desk.book.poll(id);
  if (queued === null) {
    response.statusCode = 404;
    return json(response, { errors: [{ code: 3042, message: "no such request" }] });
  }
  if (queued === "waiting") return json(response, { status: "running", request_id: id });
  return json(response, { responses: [queuedResult(queued.reply)] });
}

function queuedResult(reply: Reply): unknown {
  if (reply.errorChunk === true) return { id: 0, success: false, error: reply.message ?? "the engine failed" };
  return { id: 0, success: true, result: wholeOf(reply, reply.shape ?? "response", false), external_reference: null };
}

async function counted(
  desk: Desk,
  response: ServerResponse,
  model: string,
  work: (live: number) => Promise<void>,
): Promise<void> {
  const { live, end } = desk.book.begin(model);
  response.once("close", () => end(!response.writableFinished));
  await work(live);
}

function readJson(body: string): unknown {
  return body === "" ? null : JSON.parse(body);
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}
