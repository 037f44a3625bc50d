/**
 * Answer: one message of the assistant on the page, built from stream parts or from the stored text.
 *
 * `apply` takes the parts of the UI message stream in order. A text part that is opened again (a resumed stream) goes on
 * where it was; `reset-step` takes back what the step had said. Marks such as `[p3f]` become buttons only here, in the
 * assistant's text: in a person's own text they mean nothing.
 */
import { dollars } from "#shared/cost.ts";
import { button, element } from "./elements.ts";
import { openPage } from "./page-dialog.ts";
import { fields, readSource, shownDate, text, type Fields, type Source } from "./read.ts";

const MARK = /\[(p[0-9a-z]{1,10})\]/g;

export class Answer {
  readonly node: HTMLLIElement;
  readonly #text = element("div", "text working");
  readonly #sources = element("ul", "sources");
  readonly #activity = element("p", "activity");
  /** What the answer waits for, and why it comes from another model than was meant. */
  readonly #note = element("p", "activity note");
  readonly #parts = new Map<string, string>();
  /** Parts of the step that is being said. */
  readonly #step = new Set<string>();
  readonly #known = new Map<string, Source>();
  readonly #actions: string[] = [];
  #run = "";
  #waiting = "";
  #standIn = "";

  constructor() {
    this.#note.setAttribute("role", "status");
    this.node = element("li", "message assistant", this.#text, this.#sources, this.#note, this.#activity);
    this.node.setAttribute("aria-busy", "true");
  }

  /** The run that this answer belongs to, once known. */
  get run(): string {
    return this.#run;
  }

  /** An answer of an earlier visit. */
  static stored(content: string, sources: readonly Source[]): Answer {
    const answer = new Answer();
    answer.#parts.set("stored", content);
    for (const source of sources) answer.#known.set(source.handle, source);
    answer.end();
    return answer;
  }

  /** The end of a run of an earlier visit that answered nothing. */
  static ended(detail: string): Answer {
    const answer = new Answer();
    answer.end();
    answer.fail(detail);
    return answer;
  }

  apply(part: Fields): void {
    const id = text(part["id"]);
    const data = fields(part["data"]);
    switch (part["type"]) {
      case "text-start":
        if (!this.#parts.has(id)) this.#parts.set(id, "");
        this.#step.add(id);
        break;
      case "text-delta":
        this.#waiting = "";
        this.#parts.set(id, (this.#parts.get(id) ?? "") + text(part["delta"]));
        break;
      case "start-step":
        this.#step.clear();
        break;
      case "reset-step":
        for (const begun of this.#step) this.#parts.delete(begun);
        break;
      case "data-run":
        this.#run = text(data["run"]);
        break;
      case "data-citation":
        this.#known.set(text(data["handle"]), readSource(data));
        break;
      case "data-syscall":
        this.#actions.push(text(data["name"]).replaceAll("_", " "));
        break;
      case "data-schedule":
        this.#waiting = waitingWords(data);
        if (text(data["before"]) !== "") this.#standIn = `${text(data["model"])} answers: ${text(data["reason"])}.`;
        break;
      case "data-usage":
        this.#actions.push(...usageWords(data));
        break;
      case "error":
        this.#standIn = ""; // it did not answer either
        this.fail(text(part["errorText"]));
        break;
      case "abort":
        this.fail("Stopped.");
        break;
    }
    this.#draw();
  }

  /** No more parts come. */
  end(): void {
    this.node.setAttribute("aria-busy", "false");
    this.#text.classList.remove("working");
    this.#waiting = "";
    this.#draw();
  }

  /** Says what went wrong, with a way on when there is one. */
  fail(detail: string, wayOn?: { readonly label: string; readonly act: () => void }): void {
    this.node.querySelector(".problem")?.remove();
    const problem = element("p", "problem", detail || "The run failed.");
    problem.setAttribute("role", "alert");
    if (wayOn !== undefined) problem.append(" ", button("way-on", wayOn.label, wayOn.act));
    this.node.append(problem);
  }

  #draw(): void {
    const content = [...this.#parts.values()].join("");
    const numbers = new Map<string, number>();
    const nodes: (Node | string)[] = [];
    let from = 0;
    for (const match of content.matchAll(MARK)) {
      const handle = match[1] ?? "";
      if (!numbers.has(handle)) numbers.set(handle, numbers.size + 1);
      nodes.push(content.slice(from, match.index), this.#mark(handle, numbers.get(handle) ?? 0));
      from = match.index + match[0].length;
    }
    this.#text.replaceChildren(...nodes, content.slice(from));
    this.#drawSources(numbers);
    this.#activity.textContent = this.#actions.join(" · ");
    const note = [this.#standIn, this.#waiting].filter((words) => words !== "").join(" ");
    if (this.#note.textContent !== note) this.#note.textContent = note; // told again to nobody
  }

  #mark(handle: string, number: number): HTMLElement {
    const mark = button("mark", String(number), () => void openPage(handle));
    mark.setAttribute("aria-label", `Source ${number}: page ${handle}`);
    return mark;
  }

  #drawSources(numbers: ReadonlyMap<string, number>): void {
    const shown = [...this.#known.values()].toSorted(
      (one, other) => (numbers.get(one.handle) ?? Infinity) - (numbers.get(other.handle) ?? Infinity),
    );
    this.#sources.replaceChildren(
      ...shown.map((source) => {
        const number = element("span", "number", String(numbers.get(source.handle) ?? "•"));
        const words = [shownDate(source.at), source.source, source.quote].filter((word) => word !== "").join(" · ");
        const chip = button("source", "", () => void openPage(source.handle));
        chip.dataset["handle"] = source.handle;
        chip.append(number, words || source.handle);
        return element("li", "", chip);
      }),
    );
  }
}

/** What a run waits for, or nothing. */
function waitingWords(data: Fields): string {
  const { waitMs } = data;
  if (typeof waitMs !== "number") return "";
  const why = data["fault"] === "throttled" ? "It is busy" : "It failed before";
  return `Waiting for ${text(data["model"])}. ${why}; it is asked again in ${seconds(waitMs)}.`;
}

/** The model, when one was asked, how long the run took, and what it cost. */
function usageWords(data: Fields): string[] {
  const words: string[] = [];
  const tokens = [data["inputTokens"], data["outputTokens"]];
  if (tokens.some((count) => typeof count === "number" && count > 0)) words.push(text(data["model"]));
  if (typeof data["ms"] === "number") words.push(seconds(data["ms"]));
  if (typeof data["microdollars"] === "number" && data["microdollars"] > 0) words.push(dollars(data["microdollars"]));
  return words;
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
