/**
 * Drizzle's configuration for the control database: writes SQL to migrations/control from the tables of the directory and of the catalogue.
 *
 * `node_modules/.bin/drizzle-kit generate --config drizzle.control.config.ts`; migrations are only ever added to.
 */
import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: ["./workers/directory-schema.ts", "./durable-objects/infer/models/model-lists-schema.ts"],
  out: "./migrations/control",
});
