/**
 * Tests that run in Node and look at Lamina from outside: real server processes (tests/process) and a real browser
 * (tests/browser). Slow, so one file at a time; every test starts its own server on a free port and ends only that.
 */
import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/process/**/*.test.ts", "tests/browser/**/*.test.ts"],
    exclude: [...configDefaults.exclude],
    fileParallelism: false,
    globalSetup: ["tests/process/prepared-state.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
