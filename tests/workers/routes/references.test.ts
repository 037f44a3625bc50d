/**
 * References over HTTP: a run's trace tells which pages its prompts held and what it did with them, and the reference log is
 * read page by page.
 */
import { describe, expect, it } from "vitest";
import { newUser } from "#tests/workers/edge-client.ts";

interface Reference {
  how: string;
  step: number;
  page: string | null;
  message: number | null;
  tokens: number;
  why: string | null;
}

const told = "The boiler was serviced on 3 March by Ilka Varga.";

describe("references", () => {
  it("are in a run's trace and in the log, without a word", async () => {
    const user = await newUser("references");
    const page = await user.call("POST", "/v1/memory", { text: told });
    const asked = await user.call("POST", "/v1/instructions", {
      input: "Who serviced the boiler?",
      stream: false,
    });
    expect(asked.body["output"]).toContain("Ilka");
    const trace = await user.call("GET", `/v1/runs/${String(asked.body["run"])}/trace`);
    const pages = trace.body["pages"] as Reference[];
    const handle = String(page.body["handle"]);
    expect(pages.filter((reference) => reference.page === handle).map(({ how }) => how)).toEqual(["tail", "cited"]);
    expect(pages.find(({ how }) => how === "tail")).toMatchObject({ why: "search", message: null });
    expect(pages.filter(({ how }) => how === "body").length).toBe(2);
    await user.call("POST", "/v1/instructions", { input: "And when?", stream: false });
    const first = await user.call("GET", "/v1/processes/init/references?limit=1");
    const [row] = first.body["items"] as { run: string; thread: string; references: Reference[] }[];
    expect(row).toMatchObject({ run: asked.body["run"], thread: "main", references: pages });
    const rest = await user.call("GET", `/v1/processes/init/references?cursor=${String(first.body["cursor"])}`);
    expect((rest.body["items"] as unknown[]).length).toBe(1);
    expect(rest.body["cursor"]).toBeUndefined();
    expect(first.text + rest.text).not.toMatch(/boiler|Ilka/);
  });

  it("are refused for a cursor that is none, a process that is not there and a stranger", async () => {
    const user = await newUser("references-refused");
    expect((await user.call("GET", "/v1/processes/init/references?cursor=x")).status).toBe(400);
    expect((await user.call("GET", "/v1/processes/ghost/references")).status).toBe(404);
    const other = await newUser("references-other");
    const asked = await other.call("POST", "/v1/instructions", { input: "hello", stream: false });
    expect((await user.call("GET", `/v1/runs/${String(asked.body["run"])}/trace`)).status).toBe(404);
  });
});
