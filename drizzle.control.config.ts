/**
 * Drizzle's configuration for the control database: writes SQL to migrations/control from workers/directory-schema.ts.
 *
 * `node_modules/.bin/drizzle-kit generate --config drizzle.control.config.ts`; migrations are only ever added to.
 */
import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./workers/directory-schema.ts",
  out: "./migrations/control",
});
