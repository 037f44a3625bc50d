/** Notice: what a visitor without a session sees, and how to get a link. */
import { element, required } from "./elements.ts";

/** Shows how to get in; `hadLink` when a link was tried and did not work. */
export function showLoginNotice(hadLink: boolean): void {
  const notice = required("notice", HTMLElement);
  notice.replaceChildren(
    element("h2", "", hadLink ? "This link no longer works" : "You are not logged in"),
    element(
      "p",
      "",
      hadLink
        ? "A link works once and for ten minutes. Stop the server and start it again for a new one:"
        : "Open the chat link that the server printed when it started. A link works once; start the server again for a new one:",
    ),
    element("pre", "", element("code", "", "npm start")),
  );
  notice.hidden = false;
  required("conversation", HTMLOListElement).hidden = true;
  required("composer", HTMLFormElement).hidden = true;
}
