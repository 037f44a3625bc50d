/** drizzle-kit: migrations of a memory shard. `npx drizzle-kit generate --config drizzle.memory.config.ts` */
import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./durable-objects/vm/swap-schema.ts",
  out: "./migrations/memory",
});
