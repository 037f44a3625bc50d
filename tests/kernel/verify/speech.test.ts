/**
 * Speech and verify: what a reader hears is the same however a model's text arrives, and nothing it hears is unchecked.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StreamPart } from "#shared/abi.ts";
import type { RunId } from "#shared/ids.ts";
import type { InferRequest } from "#kernel/infer/drivers/driver.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { openRun, type LiveRun } from "#kernel/proc/live-run.ts";
import { readRun } from "#kernel/proc/runs.ts";
import { Speech } from "#kernel/verify/speech.ts";
import { inKernel, installSeam, play, says, text, useModel } from "#tests/kernel/kernel-seam.ts";
import { ask, callerOf, eventsOf, objectOf } from "#tests/kernel/process-client.ts";

installSeam();

let runs = 0;

/** A copy of a run under a name of its own, so that its events start at 0. */
function copyOf(kernel: Kernel, run: string): LiveRun {
  const row = readRun(kernel, run as RunId);
  if (row === null) throw new Error("no run");
  runs += 1;
  return { ...openRun(kernel, { ...row, id: `copy-${runs}` }), mapped: new Set([1, 2]) };
}

function partsOf(kernel: Kernel, run: LiveRun): StreamPart[] {
  return kernel.sql
    .exec<{ part: string }>("SELECT part FROM events WHERE run = ? ORDER BY id", run.id)
    .toArray()
    .map((row) => JSON.parse(row.part) as StreamPart);
}

/** What a text that arrives in these pieces comes to: deltas, citations, and what was refused. */
function spoken(
  kernel: Kernel,
  run: string,
  pieces: readonly string[],
): { readonly deltas: unknown[]; readonly cited: unknown[]; readonly refused: readonly string[] } {
  const live = copyOf(kernel, run);
  const speech = new Speech(kernel, live);
  speech.begin();
  live.step += 1;
  for (const piece of pieces) speech.say(piece);
  speech.end();
  const refused = [...speech.refused];
  speech.releaseMarked();
  speech.close();
  const parts = partsOf(kernel, live);
  const deltas = parts.filter((part) => part.type === "text-delta").map((part) => part["delta"]);
  expect(deltas.join("")).toBe(live.output);
  return { deltas, cited: parts.filter((part) => part.type === "data-citation"), refused };
}

async function prepared(user: string): Promise<{ readonly caller: ReturnType<typeof callerOf>; readonly run: string }> {
  const caller = callerOf(user);
  await objectOf(caller).writePage(caller, { text: "Ann has two dogs called Rex and Bo." });
  await objectOf(caller).writePage(caller, { text: "小明住在南京，喜欢爬山。" });
  useModel(caller, says([text("I don't know.")]));
  const { run } = await ask(caller, "What about Ann's dogs?");
  return { caller, run };
}

const SENTENCES = [
  "Ann has two dogs. [p1] ",
  "They are called Rex and Bo. [p1][p2] ",
  "Rex and Bo [p1] are dogs. ",
  "Dr. Smith paid 3.50 for it! ",
  'She said "yes." And left?\n',
  "小明住在南京。[p2]",
  "他喜欢爬山！？",
  "真的吗？」[p2] ",
  "Nothing here [is] a [p] citation. ",
  "Whales sing in a cathedral of ice. [p1] ",
  "A ghost. [p99] ",
  "\n\n",
  "no end mark ",
  "[p1] ",
  "... ",
  "😀。",
];

describe("a text in pieces", () => {
  it("is heard as the same sentences, citations and refusals wherever it is cut", async () => {
    const { caller, run } = await prepared("chunks");
    await inKernel(caller, (kernel) => {
      fc.assert(
        fc.property(
          fc.array(fc.constantFrom(...SENTENCES), { minLength: 1, maxLength: 6 }),
          fc.array(fc.nat(400), { maxLength: 10 }),
          (sentences, cuts) => {
            const whole = sentences.join("");
            const at = [
              0,
              ...cuts.filter((cut) => cut < whole.length).toSorted((one, other) => one - other),
              whole.length,
            ];
            const pieces = at.slice(1).map((end, index) => whole.slice(at[index], end));
            const expected = spoken(kernel, run, [whole]);
            expect(spoken(kernel, run, pieces)).toEqual(expected);
            expect(spoken(kernel, run, [...whole])).toEqual(expected);
          },
        ),
        { numRuns: 80 },
      );
    });
  });

  it("is sent sentence by sentence, each with the citations behind it", async () => {
    const { caller, run } = await prepared("sentences");
    await inKernel(caller, (kernel) => {
      expect(spoken(kernel, run, ["Ann has two dogs. [p1] They are called Rex and Bo. [p1]"]).deltas).toEqual([
        "Ann has two dogs. [p1] ",
        "They are called Rex and Bo. [p1]",
      ]);
      expect(spoken(kernel, run, ["小明住在南京。[p2]他喜欢爬山。[p2]"]).deltas).toEqual([
        "小明住在南京。[p2]",
        "他喜欢爬山。[p2]",
      ]);
      expect(spoken(kernel, run, ["It cost 3.50 in May. Fine."]).deltas).toEqual(["It cost 3.50 in May. ", "Fine."]);
    });
  });

  it("loses no letter when nothing is refused", async () => {
    const { caller, run } = await prepared("lossless");
    await inKernel(caller, (kernel) => {
      fc.assert(
        fc.property(
          fc.array(
            fc.string({ unit: fc.constantFrom("a", ".", " ", "?", "\n", "。", "[", "]", "p", "1", "”", "！") }),
            { maxLength: 8 },
          ),
          (pieces) => {
            const heard = spoken(kernel, run, pieces);
            if (heard.refused.length === 0) expect(heard.deltas.join("")).toBe(pieces.join(""));
          },
        ),
        { numRuns: 120 },
      );
    });
  });
});

describe("verify", () => {
  it("quotes the page word for word, with its source and date", async () => {
    const caller = callerOf("quotes");
    await objectOf(caller).writePage(caller, {
      text: "It rained. Ann adopted a heron in Ghent. Then it rained again.",
      source: "D2:4",
      at: "2023-05-08",
    });
    useModel(caller, says([text("Ann adopted a heron. [p1]")]));
    const run = await ask(caller, "What did Ann adopt?");
    expect(run.citations).toEqual([
      { handle: "p1", quote: "Ann adopted a heron in Ghent.", source: "D2:4", at: "2023-05-08" },
    ]);
  });

  it.each([
    ["a handle that is not mapped", "Ann adopted a heron. [p77]"],
    ["a page that does not carry the sentence", "Volcanoes erupt beneath frozen oceans. [p1]"],
    ["Chinese that the page does not carry", "火山在冰冻的海洋下面爆发。[p1]"],
  ])("asks once again for %s, takes the first answer back, and marks the second", async (_name, claim) => {
    const caller = callerOf(`reask-${claim.length}`);
    await objectOf(caller).writePage(caller, { text: "Ann adopted a heron in Ghent." });
    const requests: InferRequest[] = [];
    useModel(caller, (request) => {
      requests.push(request);
      return play([text(`Good question. ${claim} The end.`)]);
    });
    const run = await ask(caller, "What did Ann adopt?");
    expect(requests).toHaveLength(2);
    expect(requests[1]?.messages.at(-1)).toMatchObject({
      role: "system",
      content: expect.stringContaining(claim.trim()) as string,
    });
    expect(run.output).toMatch(/\(unverified\)|（未核实）/);
    expect(run.output).not.toMatch(/\[p/);
    expect(run.citations).toEqual([]);
    const types = (await eventsOf(caller, run.run)).map((event) => event.part.type);
    expect(types.filter((type) => type === "reset-step")).toHaveLength(1);
    expect(types.filter((type) => type === "start-step")).toHaveLength(2);
  });

  it("keeps the second answer when it is supported, without a mark", async () => {
    const caller = callerOf("reask-good");
    await objectOf(caller).writePage(caller, { text: "Ann adopted a heron in Ghent." });
    useModel(caller, says([text("Volcanoes erupt beneath oceans. [p1]")], [text("Ann adopted a heron. [p1]")]));
    const run = await ask(caller, "What did Ann adopt?");
    expect(run.output).toBe("Ann adopted a heron. [p1]");
    expect(run.citations.map((citation) => citation.handle)).toEqual(["p1"]);
  });

  it("lets no reader hear an unsupported sentence before it is marked", async () => {
    const caller = callerOf("held-back");
    await objectOf(caller).writePage(caller, { text: "Ann adopted a heron in Ghent." });
    useModel(caller, says([text("Volcanoes erupt beneath oceans. [p1] More follows. ")]));
    const run = await ask(caller, "What did Ann adopt?");
    const deltas = (await eventsOf(caller, run.run))
      .filter((event) => event.part.type === "text-delta")
      .map((event) => String(event.part["delta"]));
    expect(deltas.filter((delta) => delta.includes("Volcanoes")).every((delta) => delta.includes("(unverified)"))).toBe(
      true,
    );
  });

  it("keeps what was said before a system call apart from what is said after it", async () => {
    const caller = callerOf("speech-apart");
    const call = { id: "c", name: "memory_write", arguments: { text: "The heron nests at the pond." } };
    const replies = [
      [text("I will note that."), { type: "calls", calls: [call] } as const],
      [text("Noted, the heron.")],
    ];
    useModel(caller, () => play(replies.shift() ?? []));
    const run = await ask(caller, "Note where the heron nests.");
    expect(run.output).toBe("I will note that.\n\nNoted, the heron.");
    const deltas = (await eventsOf(caller, run.run)).flatMap(({ part }) => (part.type === "text-delta" ? [part] : []));
    expect(deltas.map((part) => part["delta"])).toEqual(["I will note that.", "\n\nNoted, the heron."]);
  });

  it("leaves what a command prints as it is", async () => {
    const caller = callerOf("command-text");
    await objectOf(caller).writePage(caller, { text: "See note [p77] in the red folder." });
    const run = await ask(caller, "", {
      instruction: {
        kind: "command",
        text: "/recall folder",
        command: "recall",
        call: { kind: "syscall", name: "memory_search", arguments: { query: "folder" } },
      },
    });
    expect(run.output).toContain("See note [p77] in the red folder.");
    expect(run.output).not.toContain("unverified");
  });
});
