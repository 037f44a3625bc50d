/**
 * Figure "locomo-demo": one LoCoMo conversation through the real server, end to end.
 *
 * Imports the conversation over HTTP, asks every question as an instruction, and prints each answer with its citations,
 * evidence recall of search, the token F1 of the extractive answers by category, correct abstentions, and the overhead of the
 * system over its model. `npm run bench -- locomo-demo [number] [--quiet]`; starts a server of its own unless `LAMINA_URL`
 * names one. Skips with a line when the data is absent.
 */
import { z } from "zod";
import { locomoDirectory, readConversation, type LocomoConversation, type LocomoQuestion } from "#bench/locomo-data.ts";
import { abstained, locomoScore, stripCitations } from "#bench/locomo-score.ts";
import { mean, percentile, row, writeReport, type Row } from "#bench/report.ts";
import { overheadRows } from "#bench/overhead.ts";
import { get, openServer, post, type Server } from "#bench/server.ts";

const imported = z.object({ imported: z.number(), pages: z.number(), skipped: z.array(z.unknown()) });
const found = z.object({ items: z.array(z.object({ source: z.string().nullable() })) });
const answered = z.object({
  output: z.string(),
  status: z.string(),
  citations: z.array(z.object({ handle: z.string(), source: z.string().nullable() })),
});

interface Asked {
  readonly question: LocomoQuestion;
  readonly answer: string;
  readonly score: number;
  readonly recall: number;
  readonly cited: readonly string[];
  readonly ms: number;
}

async function importConversation(server: Server, conversation: LocomoConversation): Promise<void> {
  const rows = conversation.turns.map((turn) => ({
    text: turn.text,
    speaker: turn.speaker,
    source: turn.id,
    thread: `session-${turn.session}`,
    at: turn.at === null ? null : new Date(turn.at).toISOString().slice(0, 19),
  }));
  const response = await fetch(`${server.url}/v1/memory/import`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "application/x-ndjson" },
    body: rows.map((entry) => `${JSON.stringify(entry)}\n`).join(""),
  });
  const report = imported.parse(await response.json());
  if (report.imported !== rows.length) throw new Error(`imported ${report.imported} of ${rows.length} turns`);
  console.log(`imported ${report.pages} pages of ${conversation.name}`);
}

async function askQuestion(server: Server, question: LocomoQuestion, index: number): Promise<Asked> {
  const query = `/v1/memory/search?k=10&q=${encodeURIComponent(question.question)}`;
  const sources = new Set(found.parse(await get(server.url, server.key, query)).items.map((item) => item.source));
  const { evidence } = question;
  const recall = evidence.length === 0 ? 1 : evidence.filter((id) => sources.has(id)).length / evidence.length;
  const started = performance.now();
  const body = { input: question.question, thread: `question-${index}`, stream: false };
  const reply = answered.parse(await post(server.url, server.key, "/v1/instructions", body));
  const ms = performance.now() - started;
  const answer = stripCitations(reply.output).replace(/\.$/, "");
  const score = locomoScore(question.category, answer, question.answer);
  return {
    question,
    answer: reply.output,
    score,
    recall,
    cited: reply.citations.map((citation) => citation.handle),
    ms,
  };
}

function figures(asked: readonly Asked[]): Row[] {
  const of = (...categories: number[]): Asked[] => asked.filter((one) => categories.includes(one.question.category));
  const score = (some: readonly Asked[]): number => 100 * mean(some.map((one) => one.score));
  const recall = (some: readonly Asked[]): number => 100 * mean(some.map((one) => one.recall));
  const answerable = of(1, 2, 3, 4);
  const times = asked.map((one) => one.ms);
  return [
    row("evidence recall@10, categories 1-4", recall(answerable), "%", { baseline: 69.9, aim: 79 }),
    row("evidence recall@10, multi-hop", recall(of(1)), "%"),
    row("token F1, categories 1-4", score(answerable), "%", { aim: 25 }),
    row("token F1, category 1 multi-hop", score(of(1)), "%"),
    row("token F1, category 2 temporal", score(of(2)), "%"),
    row("token F1, category 3 open-domain", score(of(3)), "%"),
    row("token F1, category 4 single-hop", score(of(4)), "%"),
    row("correct abstention, category 5", score(of(5)), "%", { aim: 60 }),
    row("answered, categories 1-4", 100 * mean(answerable.map((one) => (abstained(one.answer) ? 0 : 1))), "%"),
    row("answers with a citation, of those given", 100 * citedShare(answerable), "%"),
    row("time of one instruction, p50", percentile(times, 0.5), "ms"),
    row("time of one instruction, p99", percentile(times, 0.99), "ms"),
  ];
}

function citedShare(asked: readonly Asked[]): number {
  const given = asked.filter((one) => !abstained(one.answer));
  return mean(given.map((one) => (one.cited.length > 0 ? 1 : 0)));
}

export async function run(args: readonly string[]): Promise<void> {
  const number = Number(args.find((argument) => /^\d+$/.test(argument)) ?? "0");
  const conversation = readConversation(number);
  if (conversation === null) {
    console.log(`skipped: no conversation-${number}.json in ${locomoDirectory()}`);
    return;
  }
  const server = await openServer();
  try {
    await importConversation(server, conversation);
    const asked: Asked[] = [];
    for (const [index, question] of conversation.questions.entries()) {
      const one = await askQuestion(server, question, index);
      asked.push(one);
      if (!args.includes("--quiet")) console.log(`[${question.category}] ${question.question}\n    ${one.answer}`);
    }
    const rows = [...figures(asked), ...(await overheadRows(server))];
    writeReport(number === 0 ? "locomo-demo" : `locomo-demo-${number}`, rows);
  } finally {
    await server.close();
  }
}

if (import.meta.main) await run(process.argv.slice(2));
