/**
 * Tests that run inside workerd: everything under tests/ but process/ and browser/ (see vitest.process.config.ts).
 *
 * `npm test` runs them; one file: `npx vitest run tests/shared/ids.test.ts`. Storage is fresh for every test file, both D1
 * databases are migrated by tests/setup.ts, and no binding reaches the network: models that answer over HTTP are those of the fake
 * provider on this machine (tests/fakes/provider).
 */
import { mkdirSync } from "node:fs";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { buildPdf } from "#scripts/build-pdf.mjs";
import { configDefaults, defineConfig } from "vitest/config";

// The assets binding refuses a missing folder; the page is built by `npm start`, not by the tests.
mkdirSync(new URL("./chat/dist", import.meta.url), { recursive: true });

// While the real entry does not compile, unit tests can still run: TEST_MAIN=empty.
const empty = process.env["TEST_MAIN"] === "empty";

// The Worker loads this at the first PDF; it is built once for a version of the library.
await buildPdf();

export default defineConfig(async () => ({
  plugins: [
    cloudflareTest({
      remoteBindings: false,
      verbose: false,
      ...(empty ? { main: "./tests/fakes/empty-main.ts" } : {}),
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        bindings: {
          CONTROL_MIGRATIONS: await readD1Migrations("./migrations/control"),
          MEMORY_MIGRATIONS: await readD1Migrations("./migrations/memory"),
        },
      },
    }),
  ],
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "tests/process/**", "tests/browser/**"],
    globalSetup: ["./tests/fakes/provider/global-setup.ts"],
    setupFiles: ["./tests/setup.ts"],
    maxWorkers: 4, // twice the processors of the smallest machine: half of the time a test waits for a timer or the disk
    testTimeout: 15_000,
    hookTimeout: 30_000,
  },
}));
