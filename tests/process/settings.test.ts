/** Settings: `settings.env` in the state folder sets the Worker's variables, secrets too, and none of it on a command line. */
import { writeFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { settingsFile } from "#scripts/home.mjs";
import { liveProcesses } from "#scripts/processes.mjs";
import { call } from "#tests/process/client.ts";
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
