/**
 * Settings of a local server: `settings.env` in the state folder sets the Worker's variables, secrets too, and none of it on a command
 * line; the tool that runs the Worker keeps no traces of its own and shows no tables.
 */
import { existsSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { join } from "node:path";
import { settingsFile } from "#scripts/home.mjs";
import { stateFolder } from "#scripts/migrate.mjs";
import { liveProcesses } from "#scripts/processes.mjs";
import { call, instruct } from "#tests/process/client.ts";
import { makeHome, startServer, stopAll } from "#tests/process/server.ts";

afterEach(stopAll);

describe("settings.env", () => {
  it("overrides a variable of wrangler.toml and shows nothing to other users of the machine", async () => {
    const home = makeHome();
    writeFileSync(settingsFile(home), 'DEFAULT_MODEL=lab/tiny\nLAB_KEY=sk-not-to-be-seen\nOTHER={"a": "b c"}\n');
    const server = await startServer(home);
    const models = await call(server, "GET", "/v1/models");
    expect(JSON.stringify(models.body)).toContain("lamina/lab/tiny");
    expect(liveProcesses().filter(({ command }) => command.includes("sk-not-to-be-seen"))).toEqual([]);
  });
});

describe("the tool behind a local server", () => {
  it("keeps no trace of calls and statements, and shows nobody the tables", async () => {
    const server = await startServer();
    await instruct(server, "/remember The key is under the pot.");
    expect(existsSync(join(stateFolder(server.home), "v3", "observability"))).toBe(false);
    const explorer = await fetch(`${server.address}/cdn-cgi/local/explorer/api/d1/database`);
    expect(await explorer.text()).not.toContain("success");
  });
});
