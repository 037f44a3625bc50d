/**
 * Global setup of the tests in workerd: one fake provider for all of them; `inject("provider")` is its address.
 *
 * Test files share it, so a test that posts a script uses a model name of its own.
 */
import type { TestProject } from "vitest/node";
import "#tests/fakes/provider/context.ts";
import { startProvider, type FakeProvider } from "#tests/fakes/provider/server.ts";

let provider: FakeProvider | null = null;

export async function setup(project: TestProject): Promise<void> {
  provider = await startProvider();
  project.provide("provider", provider.url);
}

export async function teardown(): Promise<void> {
  await provider?.close();
}
