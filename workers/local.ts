/**
 * The Worker's entry in local development and tests: production's entry, and `LocalAi`, which serves the `AI` binding.
 * Production never bundles this file.
 */
export { Ledger } from "#kernel/ledger.ts";
export { Pool } from "#kernel/pool.ts";
export { Process } from "#kernel/process.ts";
export { LocalAi } from "#workers/local-ai/local-ai.ts";
export { localApp as default } from "#workers/local-app.ts";
