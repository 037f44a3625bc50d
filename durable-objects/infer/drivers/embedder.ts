/**
 * Embedder: the one door to models that turn text into vectors and that rerank pages, when the deployment names any.
 *
 * `openEmbedder(env)` answers null unless the variable EMBEDDING_MODEL is set (`@cf/baai/bge-m3`, `@cf/qwen/qwen3-embedding-0.6b`);
 * RERANK_MODEL (`@cf/baai/bge-reranker-base`) adds a reranker. Answers are unknown until read: what is not the expected shape is a
 * rejection, and whoever asked goes on without.
 */
import { z } from "zod";
import type { AiBinding } from "#kernel/infer/drivers/workers-ai.ts";

export interface Embedder {
  readonly model: string;
  /** The model that reranks; null for none. */
  readonly reranker: string | null;
  /** One vector a text, in order. Rejects when the model fails. */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
  /** How well each text answers the query, in order; null without a reranker. Rejects when the model fails. */
  rerank(query: string, texts: readonly string[]): Promise<number[] | null>;
}

const vectorsSchema = z.object({ data: z.array(z.array(z.number()).min(8)) });
const ranksSchema = z.object({ response: z.array(z.object({ id: z.int().min(0), score: z.number() })) });

export interface EmbedderEnv {
  readonly AI: AiBinding;
  readonly EMBEDDING_MODEL?: string;
  readonly RERANK_MODEL?: string;
}

export function openEmbedder({ AI, EMBEDDING_MODEL: model, RERANK_MODEL: reranker }: EmbedderEnv): Embedder | null {
  if (model === undefined || model === "") return null;
  return {
    model,
    reranker: reranker === undefined || reranker === "" ? null : reranker,
    async embed(texts) {
      const { data } = vectorsSchema.parse(await AI.run(model, { text: [...texts] }));
      const size = data[0]?.length;
      if (data.length !== texts.length || data.some((vector) => vector.length !== size))
        throw new Error("embedder: another number of vectors than of texts");
      return data.map((vector) => Float32Array.from(vector));
    },
    async rerank(query, texts) {
      if (reranker === undefined || reranker === "") return null;
      const contexts = texts.map((text) => ({ text }));
      const { response } = ranksSchema.parse(await AI.run(reranker, { query, contexts, top_k: texts.length }));
      const scores = texts.map(() => -Infinity);
      for (const { id, score } of response) scores[id] = score;
      return scores.slice(0, texts.length);
    },
  };
}
