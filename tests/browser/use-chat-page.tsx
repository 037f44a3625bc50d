/**
 * Use-chat page: the smallest React program around `useChat`, bundled and served by use-chat.test.ts only.
 *
 * It talks to Lamina's own routes as an app of someone else would. With `?cut=N` the first stream breaks after N events and
 * is resumed after the last one that was seen, which is how a phone in a tunnel looks to the server.
 */
import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport, type UIMessage } from "ai";
import { useState, type ReactNode } from "react";
import { createRoot } from "react-dom/client";

const cut = Number(new URLSearchParams(location.search).get("cut") ?? Infinity);
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
      if (events >= cut) controller.terminate();
    },
  });
}

const transport = new DefaultChatTransport<UIMessage>({
  api: "/v1/instructions",
  fetch: cutFetch,
  resumeStreamIsReplay: false,
  prepareSendMessagesRequest: async ({ messages }) => ({
    headers: { "x-csrf-token": await csrfToken() },
    body: { input: textOf(messages.at(-1)) },
  }),
  prepareReconnectToStreamRequest: () => ({
    api: `/v1/runs/${seen.run}/stream`,
    headers: { "last-event-id": seen.id },
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
