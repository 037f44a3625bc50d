/** Page dialog: shows one page of memory, text, source and dates; opened from a citation. */
import { get } from "./api.ts";
import { button, element, required } from "./elements.ts";
import { shownDate, text, type Fields } from "./read.ts";

/** Opens the dialog on the page with this handle. */
export async function openPage(handle: string): Promise<void> {
  const dialog = required("page", HTMLDialogElement);
  fill(dialog, handle, element("p", "text", "Loading …"));
  if (!dialog.open) dialog.showModal();
  try {
    const page = await get(`/v1/memory/${encodeURIComponent(handle)}`);
    fill(dialog, handle, element("p", "text", text(page["text"])), details(page));
  } catch (error) {
    fill(
      dialog,
      handle,
      element("p", "text problem", error instanceof Error ? error.message : "The page cannot be read."),
    );
  }
}

function fill(dialog: HTMLDialogElement, handle: string, ...content: readonly Node[]): void {
  const title = element("h2", "", `Page ${handle}`);
  title.id = "page-title";
  const close = button("close", "Close", () => dialog.close());
  dialog.replaceChildren(title, ...content, close);
  close.focus();
}

function details(page: Fields): HTMLElement {
  const rows: readonly (readonly [string, string])[] = [
    ["Said by", text(page["speaker"]) || text(page["role"])],
    ["Source", text(page["source"])],
    ["Date", text(page["atText"]) || shownDate(text(page["at"]))],
    ["Kind", text(page["kind"])],
    ["Stored", shownDate(text(page["createdAt"]))],
  ];
  const made = element("dl", "");
  for (const [name, value] of rows) if (value !== "") made.append(element("dt", "", name), element("dd", "", value));
  return made;
}
