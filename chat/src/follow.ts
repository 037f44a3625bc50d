/**
 * Follow: reads a run's event stream to its end, through lost connections.
 *
 * The run belongs to the server; a stream only watches it. When a connection ends before the stream's own end, the stream
 * is opened again after the last event seen, so that `onPart` gets every part exactly once.
 */
import { lines, serverSentEvents } from "#shared/wire.ts";
import { Problem, runStream, startRun } from "./api.ts";
import { fields, text, type Fields } from "./read.ts";

const PAUSES_MS = [200, 500, 1_000, 2_000, 4_000, 8_000];

/** What an open connection has told so far. */
interface Progress {
  run: string | null;
  lastId: string | null;
  ended: boolean;
}

/** Sends an instruction and follows its run. */
export function followNewRun(input: string, onPart: (part: Fields) => void): Promise<void> {
  const key = crypto.randomUUID();
  return follow({ run: null, lastId: null, ended: false }, () => startRun(input, key), onPart);
}

/** Follows a run that is under way, from its first event. */
export function followRun(run: string, onPart: (part: Fields) => void): Promise<void> {
  return follow({ run, lastId: null, ended: false }, () => runStream(run, null), onPart);
}

async function follow(
  progress: Progress,
  open: () => Promise<Response>,
  onPart: (part: Fields) => void,
): Promise<void> {
  let failures = 0;
  for (;;) {
    const before = progress.lastId;
    try {
      const { run } = progress;
      const response = await (run === null ? open() : runStream(run, progress.lastId));
      await readStream(response, progress, onPart);
    } catch (error) {
      if (error instanceof Problem && error.status < 500) throw error;
    }
    if (progress.ended) return;
    failures = progress.lastId === before ? failures + 1 : 1;
    const pause = PAUSES_MS[failures - 1];
    if (pause === undefined) throw new Error("The connection to the server was lost.");
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function readStream(response: Response, progress: Progress, onPart: (part: Fields) => void): Promise<void> {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(lines()).pipeThrough(serverSentEvents()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (value.data === "[DONE]") {
      progress.ended = true;
      return;
    }
    const part = fields(JSON.parse(value.data));
    // The server could not read on; the run itself goes on, and so do we.
    if (part["type"] === "error" && value.id === null) return;
    if (value.id !== null) progress.lastId = value.id;
    if (part["type"] === "data-run") progress.run = text(fields(part["data"])["run"]);
    onPart(part);
  }
}
