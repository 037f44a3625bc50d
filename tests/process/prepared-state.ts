/**
 * Prepared state: local databases with their migrations applied once, which `makeHome` copies into each test's home.
 *
 * A global setup of the process suite. Applying them takes seconds, and every server of a test would wait for it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { migrate, stateFolder } from "#scripts/migrate.mjs";

declare module "vitest" {
  export interface ProvidedContext {
    /** Folder of the prepared state. */
    readonly preparedState: string;
  }
}

let home: string | null = null;

export async function setup(project: TestProject): Promise<void> {
  home = mkdtempSync(join(tmpdir(), "lamina-prepared-"));
  await migrate(home);
  project.provide("preparedState", stateFolder(home));
}

export function teardown(): void {
  if (home !== null) rmSync(home, { recursive: true, force: true });
}
