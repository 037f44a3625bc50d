/** The Worker's bindings and variables, as `wrangler.toml` names them. */
declare namespace Cloudflare {
  interface Env {
    /** Control database: users, keys, sessions, processes. */
    readonly DB: D1Database;
    /** First memory shard: page bodies. */
    readonly MEM_0: D1Database;
    readonly PROCESS: DurableObjectNamespace<import("./durable-objects/process.ts").Process>;
    readonly POOL: DurableObjectNamespace<import("./durable-objects/pool.ts").Pool>;
    readonly LEDGER: DurableObjectNamespace<import("./durable-objects/ledger.ts").Ledger>;
    /** Workers AI in production, our `LocalAi` entrypoint in local development: the same contract. */
    readonly AI: import("./durable-objects/infer/drivers/workers-ai.ts").AiBinding;
    readonly ASSETS: Fetcher;
    readonly DEFAULT_MODEL: string;
    /** A model of Workers AI that embeds pages, and one that reranks them; absent or empty: search by words alone. */
    readonly EMBEDDING_MODEL?: string;
    readonly RERANK_MODEL?: string;
    /** AI Gateway of Workers AI's calls as JSON (`durable-objects/infer/drivers/gateway.ts`); none when absent. */
    readonly AI_GATEWAY?: string;
    /** Providers besides Workers AI, as JSON: `{"<name>": {"baseUrl", "keyFrom", "models"}}` (`durable-objects/infer/drivers/providers.ts`). */
    readonly PROVIDERS?: string;
    /** What the deployment tells of models as JSON (`durable-objects/infer/models/settings.ts`); it corrects what providers list. */
    readonly MODELS?: string;
    /** Models that may stand in for the default one, separated by commas, and how routing may choose as JSON (`durable-objects/sched/routing.ts`). */
    readonly FALLBACK_MODELS?: string;
    readonly ROUTING?: string;
    /** Milliseconds without a word of an answer after which the same is asked once more, where slots are plenty; never when absent (`durable-objects/infer/hedge.ts`). */
    readonly HEDGE_AFTER?: string;
    /** Prices that decide how the pager evicts, and windows of models, as JSON (`durable-objects/vm/pager/prices.ts`). */
    readonly MODEL_PRICES?: string;
    /** Quota of users who have none of their own, as JSON (`shared/schema/quota.ts`); no quota when absent. */
    readonly DEFAULT_QUOTA?: string;
    /** Slots, rates and shards of models as JSON (`durable-objects/sched/pool-limits.ts`); defaults when absent. */
    readonly POOL_LIMITS?: string;
    /** SHA-256 (hex) of the local user's API key; only `npm start` sets it, and only `workers/local.ts` reads it. */
    readonly LOCAL_KEY_SHA256?: string;
    /** First characters of that key. */
    readonly LOCAL_KEY_PREFIX?: string;
    /** SHA-256 (hex) of the one-time link's token that `npm start` printed. */
    readonly LOCAL_LOGIN_SHA256?: string;
  }
}
