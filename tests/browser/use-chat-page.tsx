/**
 * Use-chat page: the smallest React program around `useChat`, bundled and served by use-chat.test.ts only.
 *
 * It talks to Lamina's own routes as an app of someone else would. With `?cut=N` the first connection is lost after N events,
 * as a phone in a tunnel loses it; `resume` then continues after the last event that was seen, or, with `&replay`, asks for
 * the whole stream again.
 */
import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport, type UIMessage } from "ai";
import { useState, type ReactNode } from "react";
import { createRoot } from "react-dom/client";

const settings = new URLSearchParams(location.search);
const cut = Number(settings.get("cut") ?? Infinity);
const replay = settings.has("replay");
const seen = { run: "", id: "" };

async function csrfToken(): Promise<string> {
  const session = (await (await fetch("/v1/session")).json()) as { csrf: string };
  return session.csrf;
}

/** A fetch whose body breaks after `cut` events. */
async function cutFetch(input: RequestInfo | URL, options?: RequestInit): Promise<Response> {
  const response = await fetch(input, options);
  if (response.body === null || options?.method !== "POST" || cut === Infinity) return response;
  const { body } = response;
  return new Response(body.pipeThrough(cutter()), { headers: response.headers });
}

function cutter(): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  let rest = "";
  let events = 0;
  return new TransformStream({
    transform(chunk, controller) {
      rest += decoder.decode(chunk, { stream: true });
      for (let end = rest.indexOf("\n\n"); end >= 0 && events < cut; end = rest.indexOf("\n\n")) {
        const event = rest.slice(0, end + 2);
        rest = rest.slice(end + 2);
        events += 1;
        seen.id = /^id: (\d+)/m.exec(event)?.[1] ?? seen.id;
        seen.run = /"run":"(run_[^"]+)"/.exec(event)?.[1] ?? seen.run;
        controller.enqueue(new TextEncoder().encode(event));
      }
    },
    async flush(controller) {
      // Not at once: an error takes back what is still on its way to the program.
      await new Promise((resolve) => setTimeout(resolve, 100));
      if (events >= cut) controller.error(new TypeError("network error"));
    },
  });
}

const transport = new DefaultChatTransport<UIMessage>({
  api: "/v1/instructions",
  fetch: cutFetch,
  resumeStreamIsReplay: replay,
  prepareSendMessagesRequest: async ({ messages }) => ({
    headers: { "x-csrf-token": await csrfToken() },
    body: { input: textOf(messages.at(-1)) },
  }),
  prepareReconnectToStreamRequest: () => ({
    api: `/v1/runs/${seen.run}/stream`,
    headers: replay ? {} : { "last-event-id": seen.id },
  }),
});

function textOf(message: UIMessage | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}

function Chat(): ReactNode {
  const { messages, sendMessage, resumeStream, status, error } = useChat({ transport });
  const [words, setWords] = useState("");
  return (
    <main>
      <ol>
        {messages.map((message) => (
          <li key={message.id} data-role={message.role} data-id={message.id}>
            {textOf(message)}
          </li>
        ))}
      </ol>
      <p id="status">{status}</p>
      <p id="error">{error?.message ?? ""}</p>
      <input aria-label="words" value={words} onChange={(event) => setWords(event.target.value)} />
      <button type="button" onClick={() => void sendMessage({ text: words })}>
        send
      </button>
      <button type="button" onClick={() => void resumeStream()}>
        resume
      </button>
    </main>
  );
}

const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<Chat />);
