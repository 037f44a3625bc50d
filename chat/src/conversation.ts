/** Conversation: the list of messages on the page, in order, and where it is scrolled to. */
import { Answer } from "./answer.ts";
import { element, required } from "./elements.ts";
import type { Source } from "./read.ts";

/** How near to the end, in pixels, still counts as reading along. */
const NEAR = 80;

export function clearConversation(): void {
  node().replaceChildren();
}

export function addUserMessage(content: string): void {
  add(element("li", "message user", element("div", "text", content)));
}

export function addStoredAnswer(content: string, sources: readonly Source[]): void {
  add(Answer.stored(content, sources).node);
}

export function addEnded(detail: string): void {
  add(Answer.ended(detail).node);
}

export function addAnswer(): Answer {
  const answer = new Answer();
  add(answer.node);
  return answer;
}

/** Runs a change to the list and keeps the end in view for a reader who was there. */
export function keepInView(change: () => void): void {
  const conversation = node();
  const near = conversation.scrollHeight - conversation.scrollTop - conversation.clientHeight < NEAR;
  change();
  if (near) conversation.scrollTop = conversation.scrollHeight;
}

function add(message: HTMLElement): void {
  node().append(message);
  node().scrollTop = node().scrollHeight;
}

function node(): HTMLOListElement {
  return required("conversation", HTMLOListElement);
}
