/** The Worker's entry in production: the edge app and the Durable Object classes, nothing else. */
export { Ledger } from "#kernel/ledger.ts";
export { Pool } from "#kernel/pool.ts";
export { Process } from "#kernel/process.ts";
export { app as default } from "#workers/app.ts";
