/**
 * Line reader: cuts text that arrives in pieces into lines with their line ends.
 *
 * A line without an end would grow for ever, so one longer than `LINE_UNITS` is handed out in parts, cut at the end of a
 * sentence; the parts after the first are `continued`. Where the pieces were cut changes nothing.
 */
import { z } from "zod";
import { cutProse } from "#shared/text/cut.ts";

export interface Line {
  readonly text: string;
  readonly continued: boolean;
}

/** UTF-16 units of one line, or part of a line. */
export const LINE_UNITS = 4_096;

export const lineReaderState = z.strictObject({ rest: z.string(), continued: z.boolean() });

export class LineReader {
  readonly state: z.infer<typeof lineReaderState>;

  constructor(state: z.infer<typeof lineReaderState> = { rest: "", continued: false }) {
    this.state = { ...state };
  }

  push(text: string): Line[] {
    const lines: Line[] = [];
    const all = this.state.rest + text;
    let start = 0;
    for (;;) {
      const end = all.indexOf("\n", start);
      const length = (end < 0 ? all.length : end + 1) - start;
      if (length > LINE_UNITS) {
        const cut = start + cutProse(all.slice(start, start + LINE_UNITS + 1), LINE_UNITS);
        lines.push(this.#line(all.slice(start, cut), true));
        start = cut;
        continue;
      }
      if (end < 0) break;
      lines.push(this.#line(all.slice(start, end + 1), false));
      start = end + 1;
    }
    this.state.rest = all.slice(start);
    return lines;
  }

  end(): Line[] {
    const { rest } = this.state;
    this.state.rest = "";
    return rest === "" ? [] : [this.#line(rest, false)];
  }

  #line(text: string, goesOn: boolean): Line {
    const { continued } = this.state;
    this.state.continued = goesOn;
    return { text, continued };
  }
}
