/**
 * Main: the chat page. Logs in, shows the thread, sends instructions, follows their runs.
 *
 * One run at a time is followed from here; one that is under way when the page is opened is taken up again. Everything
 * shown comes from the server, so a reload shows the same.
 */
import { MAIN_THREAD } from "#shared/ids.ts";
import type { Answer } from "./answer.ts";
import { get, logIn, post, resumeSession, SessionEnded } from "./api.ts";
import { addAnswer, addEnded, addStoredAnswer, addUserMessage, clearConversation, keepInView } from "./conversation.ts";
import { required } from "./elements.ts";
import { followNewRun, followRun } from "./follow.ts";
import { showLoginNotice } from "./notice.ts";
import { readThread } from "./thread.ts";
import { list, readRun, text, type Fields, type KnownRun } from "./read.ts";

const input = required("input", HTMLTextAreaElement);
const send = required("send", HTMLButtonElement);
const stop = required("stop", HTMLButtonElement);
const composer = required("composer", HTMLFormElement);

/** The answer that is being written, if any. */
let current: Answer | null = null;

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const words = input.value.trim();
  if (words === "" || current !== null) return;
  input.value = "";
  addUserMessage(words);
  void watch((onPart) => followNewRun(words, onPart));
});

input.addEventListener("keydown", (event) => {
  // Enter that ends a composition (Chinese, Japanese, Korean input) is not meant for us.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});

stop.addEventListener("click", () => void cancelCurrent());
addEventListener("hashchange", () => void open());

void open();

/** Gets a session, by link or from an earlier visit, and shows the conversation. */
async function open(): Promise<void> {
  const token = /^#login=([A-Za-z0-9_-]+)$/.exec(location.hash)?.[1];
  try {
    if (token !== undefined) {
      history.replaceState(null, "", location.pathname); // the token must not stay in the address or the history
      await logIn(token).catch(async (error: unknown) => {
        if (!(error instanceof SessionEnded)) throw error;
        await resumeSession(); // a used link, but this browser may have a session already
      });
    } else {
      await resumeSession();
    }
    await showConversation();
  } catch (error) {
    if (error instanceof SessionEnded) showLoginNotice(token !== undefined);
    else say(error instanceof Error ? error.message : "The server cannot be reached.");
  }
}

async function showConversation(): Promise<void> {
  const messages = await readThread();
  const runs = list((await get("/v1/runs?limit=100"))["items"]).map(readRun);
  const known = new Map(runs.map((run) => [run.run, run]));
  required("notice", HTMLElement).hidden = true;
  required("conversation", HTMLOListElement).hidden = false;
  composer.hidden = false;
  clearConversation();
  say("");
  const answered = new Set(messages.filter(({ role }) => role === "assistant").map((message) => text(message["run"])));
  for (const message of messages) {
    const content = text(message["content"]);
    if (content === "") continue;
    const run = known.get(text(message["run"]));
    if (message["role"] === "assistant") addStoredAnswer(content, run?.sources ?? []);
    if (message["role"] !== "user") continue;
    addUserMessage(content);
    if (run?.status === "failed" && !answered.has(run.run)) addEnded(run.error);
    if (run?.status === "cancelled" && !answered.has(run.run)) addEnded("Stopped.");
  }
  input.focus();
  await takeUp(runs.filter((run) => run.thread === MAIN_THREAD));
}

/** Follows a run that goes on without us, or offers to continue one that was cut off. */
async function takeUp(runs: readonly KnownRun[]): Promise<void> {
  const live = runs.find((run) => run.status === "running" || run.status === "queued" || run.status === "waiting");
  if (live !== undefined) return watch((onPart) => followRun(live.run, onPart));
  const newest = runs[0];
  if (newest?.status !== "interrupted") return;
  const answer = addAnswer();
  answer.end();
  answer.fail(newest.error || "This run was interrupted.", {
    label: "Continue",
    act: () => void resumeRun(newest.run, answer),
  });
}

async function resumeRun(run: string, interrupted: Answer): Promise<void> {
  interrupted.node.remove();
  await watch(async (onPart) => {
    await post(`/v1/runs/${encodeURIComponent(run)}/resume`);
    await followRun(run, onPart);
  });
}

/** Shows an answer while `follow` runs. */
async function watch(follow: (onPart: (part: Fields) => void) => Promise<void>): Promise<void> {
  const answer = addAnswer();
  setCurrent(answer);
  try {
    await follow((part) => keepInView(() => answer.apply(part)));
  } catch (error) {
    answer.fail(error instanceof Error ? error.message : "The run failed.");
    if (error instanceof SessionEnded) showLoginNotice(false);
  } finally {
    keepInView(() => answer.end());
    setCurrent(null);
  }
}

function setCurrent(answer: Answer | null): void {
  current = answer;
  send.hidden = answer !== null;
  stop.hidden = answer === null;
  stop.disabled = false;
  if (answer === null) input.focus();
}

async function cancelCurrent(): Promise<void> {
  if (current === null || current.run === "") return;
  stop.disabled = true;
  try {
    await post(`/v1/runs/${encodeURIComponent(current.run)}/cancel`);
  } catch (error) {
    say(error instanceof Error ? error.message : "The run could not be stopped.");
  }
}

function say(line: string): void {
  required("status", HTMLElement).textContent = line;
}
