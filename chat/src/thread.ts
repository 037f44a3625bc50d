/** Thread: the messages of the main conversation, oldest first. The API lists from the oldest on, so this reads to the end. */
import { MAIN_THREAD } from "#shared/ids.ts";
import { get } from "./api.ts";
import { list, text, type Fields } from "./read.ts";

/** Messages that the page shows at the most; older ones stay on the server. */
const SHOWN = 500;

/** The newest messages of the thread; none when nobody has written to it yet. */
export async function readThread(): Promise<readonly Fields[]> {
  const threads = list((await get("/v1/processes/init/threads?limit=500"))["items"]);
  if (!threads.some((thread) => thread["thread"] === MAIN_THREAD)) return [];
  let messages: readonly Fields[] = [];
  let cursor = "";
  do {
    const query = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await get(`/v1/processes/init/threads/${MAIN_THREAD}/messages?limit=500${query}`);
    messages = [...messages, ...list(page["items"])].slice(-SHOWN);
    cursor = text(page["cursor"]);
  } while (cursor !== "");
  return messages;
}
