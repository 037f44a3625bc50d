/**
 * Runs before every test file in workerd: proves that it is workerd, then migrates both D1 databases.
 *
 * A silent fall-back to Node would make half of the suite meaningless, so it fails loudly.
 */
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";

declare global {
  namespace Cloudflare {
    interface Env {
      readonly CONTROL_MIGRATIONS: D1Migration[];
      readonly MEMORY_MIGRATIONS: D1Migration[];
    }
  }
}

if (navigator.userAgent !== "Cloudflare-Workers") {
  throw new Error(`tests must run in workerd, not in "${navigator.userAgent}"`);
}

await applyD1Migrations(env.DB, env.CONTROL_MIGRATIONS);
await applyD1Migrations(env.MEM_0, env.MEMORY_MIGRATIONS);
