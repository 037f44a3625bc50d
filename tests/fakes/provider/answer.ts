/**
 * Answer: sends one reply over HTTP, with everything that is to go wrong with it.
 *
 * Answers when the reply is sent, or when the caller has left; a hang ends with the connection.
 */
import type { ServerResponse } from "node:http";
import { chunksOf, wholeOf, type Shape } from "#tests/fakes/provider/chunks.ts";
import type { Reply } from "#tests/fakes/provider/reply.ts";

export interface Asked {
  readonly reply: Reply;
  readonly shape: Shape;
  readonly streamed: boolean;
  readonly wantsJson: boolean;
  /** Requests of the model that are being answered, this one included. */
  readonly live: number;
  /** Body of a refusal of this status. */
  readonly refusal: (status: number, reply: Reply) => unknown;
}

export async function answer(response: ServerResponse, asked: Asked): Promise<void> {
  const { reply } = asked;
  if (reply.hang === "headers") return gone(response);
  await pause(response, reply.delayMs);
  const full = reply.capacity !== undefined && asked.live > reply.capacity;
  if (full || reply.status !== undefined) return refuse(response, asked, full ? 429 : (reply.status ?? 500));
  if (reply.garbage === true) return sendWhole(response, "text/html", "<html><body>It works!</body></html>\n\n");
  if (!asked.streamed || reply.whole === true) {
    const whole = JSON.stringify(wholeOf(reply, asked.shape, asked.wantsJson));
    return sendWhole(response, "application/json", reply.malformed === true ? whole.slice(0, -3) : whole);
  }
  return stream(response, asked);
}

async function stream(response: ServerResponse, { reply, shape, wantsJson }: Asked): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
  const { send, isCut } = sender(response, reply.cutAfterBytes ?? Infinity);
  if (reply.pings === true) {
    while (!response.destroyed) {
      send(": still here\n\n");
      await pause(response, reply.chunkMs ?? 20);
    }
    return;
  }
  const breaksAt = breakIndex(reply, shape);
  const gap = reply.chunkMs ?? (reply.tokensPerSecond === undefined ? 0 : 1_000 / reply.tokensPerSecond);
  if (gap === 0) response.cork(); // what is said at once leaves at once
  for (const [index, chunk] of chunksOf(reply, shape, wantsJson).entries()) {
    if (response.destroyed) return;
    if (index === breaksAt && (await breakOff(response, reply, send))) return;
    if (gap > 0 && index > 0) await pause(response, gap);
    send(`data: ${JSON.stringify(chunk)}\n\n`);
  }
  if (reply.noDone !== true) send("data: [DONE]\n\n");
  response.uncork();
  if (reply.staysOpen === true || isCut()) return gone(response);
  response.end();
}

/** Where the stream breaks: behind so many words. OpenAI's form opens with a chunk that says nothing. */
function breakIndex(reply: Reply, shape: Shape): number {
  const breaks = reply.hang ?? reply.cut ?? reply.malformed ?? reply.errorChunk;
  return breaks === undefined ? -1 : (reply.afterChunks ?? 1) + (shape === "openai" ? 1 : 0);
}

/** True when nothing comes behind it. */
async function breakOff(response: ServerResponse, reply: Reply, send: (text: string) => void): Promise<boolean> {
  if (reply.malformed === true) {
    send('data: {"choices": [{"delta": {"content": "bro\n\n');
    return false;
  }
  response.uncork();
  if (reply.errorChunk === true) {
    const error = { message: reply.message ?? "the engine failed", code: reply.code ?? 500 };
    send(`data: ${JSON.stringify({ error })}\n\n`);
    response.end();
    return true;
  }
  if (reply.hang === "stream") await gone(response);
  else if (reply.cut === "end") response.end();
  else {
    await pause(response, 10); // lets the bytes before it leave
    response.destroy();
  }
  return true;
}

/** Writes until `most` bytes of the body are out, then resets the connection. */
function sender(
  response: ServerResponse,
  most: number,
): { readonly send: (text: string) => void; readonly isCut: () => boolean } {
  let left = most;
  const send = (text: string): void => {
    if (response.destroyed || left <= 0) return;
    const bytes = Buffer.from(text);
    response.write(bytes.subarray(0, Math.min(left, bytes.length)));
    left -= bytes.length;
    if (left <= 0) setTimeout(() => response.destroy(), 10); // lets the bytes before it leave
  };
  return { send, isCut: () => left <= 0 };
}

function refuse(response: ServerResponse, { reply, refusal }: Asked, status: number): void {
  if (reply.retryAfter !== undefined) response.setHeader("retry-after", reply.retryAfter);
  if (reply.retryAfterMs !== undefined) response.setHeader("retry-after-ms", String(reply.retryAfterMs));
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(refusal(status, reply)));
}

function sendWhole(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { "content-type": type });
  response.end(text);
}

/** Waits, or until the caller has left. */
async function pause(response: ServerResponse, ms: number | undefined): Promise<void> {
  if (ms === undefined || ms <= 0 || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const left = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      response.off("close", left);
      resolve();
    }, ms);
    response.once("close", left);
  });
}

async function gone(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  await new Promise((resolve) => response.once("close", resolve));
}
