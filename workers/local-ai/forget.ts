/**
 * Forgetting by rule: "forget p3f", "forget that I like jazz", 忘记….
 *
 * Use: `planForget(intent, evidence, tools, words)` from `plan.ts`.
 *
 * What must hold: with a handle, exactly that page; without one, memory is searched once and a page is forgotten only when it says
 * nearly all that was asked and no other page does so equally; in doubt the user is asked, and nothing is lost.
 */
import type { Evidence, EvidencePage } from "#workers/local-ai/evidence.ts";
import type { Intent } from "#workers/local-ai/intent.ts";
import type { EngineOutput } from "#workers/local-ai/messages.ts";
import type { Phrases } from "#workers/local-ai/phrases.ts";
import { readQuestion } from "#workers/local-ai/question.ts";
import { personOf, userPerson } from "#workers/local-ai/sentences.ts";
import { select } from "#workers/local-ai/select.ts";
import { call, failure, say } from "#workers/local-ai/steps.ts";

/** Share of the asked words that a page must hold before it is forgotten. */
const clearMatch = 0.85;
const equalMatch = 0.1;
const quotedLength = 80;

function candidates(text: string, pages: readonly EvidencePage[]): { page: EvidencePage; share: number }[] {
  const question = readQuestion(text, new Set([userPerson]), null);
  const scored = select({ ...question, dates: [] }, pages);
  const best = new Map<string, { page: EvidencePage; share: number }>();
  for (const { sentence, paged } of scored.sentences) {
    const page = sentence.page;
    const mine = personOf(page) === userPerson || personOf(page) === null;
    if (!mine || paged < clearMatch || sentence.asks) continue;
    const known = best.get(page.handle);
    if (known === undefined || known.share < paged) best.set(page.handle, { page, share: paged });
  }
  return [...best.values()].sort((left, right) => right.share - left.share || left.page.rank - right.page.rank);
}

export function planForget(
  intent: Extract<Intent, { kind: "forget" }>,
  evidence: Evidence,
  tools: ReadonlySet<string>,
  words: Phrases,
): EngineOutput {
  const done = evidence.results.find((result) => result.name === "memory_forget");
  if (done !== undefined) {
    const problem = failure(done);
    const handle = done.result?.forgotten ?? done.arguments.handle;
    return say(problem === null && typeof handle === "string" ? words.forgotten(handle) : words.failed(problem ?? ""));
  }
  if (!tools.has("memory_forget")) return say(words.noMemoryTool);
  if (intent.handle !== null) return call("memory_forget", { handle: intent.handle });
  const searched = evidence.results.some((result) => result.name === "memory_search");
  if (!searched && tools.has("memory_search")) return call("memory_search", { query: intent.text });
  const found = candidates(intent.text, evidence.pages);
  const [best, ...others] = found;
  if (best === undefined) return say(words.nothingToForget);
  const equal = others.filter((other) => other.share > best.share - equalMatch);
  if (equal.length === 0) return call("memory_forget", { handle: best.page.handle });
  const lines = [best, ...equal].slice(0, 5).map(({ page }) => `${page.text.slice(0, quotedLength)} [${page.handle}]`);
  return say(words.whichToForget(lines.join("\n")));
}
