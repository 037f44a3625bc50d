/**
 * Replay: `npm run replay` against a real server reads the process's own log and prints what each policy would have kept; a saved
 * log says the same without the server.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { ROOT } from "#scripts/repository.mjs";
import { call, instruct } from "#tests/process/client.ts";
import { makeHome, startServer, stopAll } from "#tests/process/server.ts";

afterEach(stopAll);

const run = promisify(execFile);

function replay(environment: Record<string, string>, ...words: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { PATH: process.env["PATH"] ?? "", ...environment };
  return run(process.execPath, ["scripts/replay.ts", ...words], { cwd: ROOT, env });
}

test("the replay of a process's own log, from the server and from a file", async () => {
  const home = makeHome();
  const server = await startServer(home);
  await call(server, "POST", "/v1/memory", { text: "The cabin's door code is 7714." });
  for (const input of ["What is the door code of the cabin?", "My tent is green.", "What is the cabin's door code?"]) {
    expect((await instruct(server, input)).status).toBe(200);
  }
  const file = join(home, "log.ndjson");
  const live = await replay({ LAMINA_URL: server.address, LAMINA_API_KEY: server.key }, "--save", file);
  expect(live.stdout).toMatch(
    /^process init: 3 runs of 1 threads, 3 calls, [1-9]\d* pages wanted; body \d+ to \d+ tokens$/m,
  );
  for (const policy of ["as recorded, with its tail", "its own policy", "FIFO", "CLOCK", "SIEVE", "Belady (bound)"]) {
    expect(live.stdout).toContain(`\n${policy} `);
  }
  expect(live.stdout).toContain("As it happened, body, tail and prefix together held 100.0 % of what was wanted.");
  expect(readFileSync(file, "utf8")).not.toMatch(/cabin|tent|7714/);
  expect((await replay({}, "--file", file)).stdout).toBe(live.stdout);
  expect((await replay({}, "--file", file, "--low", "20", "--high", "30")).stdout).toContain("body 20 to 30 tokens");
  const local = await replay({ LAMINA_HOME: home, PORT: String(server.port) });
  expect(local.stdout).toBe(live.stdout);
  await expect(replay({ LAMINA_URL: server.address, LAMINA_API_KEY: "lam_wrong" })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("answered 401") as string,
  });
  await expect(replay({}, "--file", join(home, "key"))).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("is not a log that --save wrote") as string,
  });
});
