/** `useChat` of `@ai-sdk/react`, unchanged, against our stream: one answer is one message, also when it is resumed. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BrowserContext, Page } from "playwright-core";
import { closeBrowser, launchBrowser, newPage } from "#tests/browser/browser.ts";
import { instruct } from "#tests/process/client.ts";
import { startServer, stopAll, type Server } from "#tests/process/server.ts";

let server: Server;
let browser: BrowserContext;
let script: string;

beforeAll(async () => {
  [server, browser, script] = await Promise.all([startServer(), launchBrowser(), bundle()]);
  const { page } = await newPage(browser);
  await page.goto(server.link);
  await page.getByLabel("Your instruction").waitFor();
  await page.close();
  await instruct(server, "/remember The workshop is on 3 March 2027 in Lisbon.");
});

afterAll(async () => {
  await closeBrowser();
  await stopAll();
});

describe("useChat", () => {
  it("shows one message of the user and one of the assistant", async () => {
    const page = await openProgram("");
    await sendWords(page, "Where is the workshop?");
    await page.locator("#status", { hasText: "ready" }).waitFor();
    expect(await roles(page)).toEqual(["user", "assistant"]);
    expect(await page.locator('[data-role="assistant"]').textContent()).toContain("Lisbon");
    expect(await page.locator("#error").textContent()).toBe("");
    await page.close();
  });

  // Every place where a connection can be lost, the middle of a text part included.
  describe.each([2, 3, 4, 5, 6, 7, 8])("when the connection is lost after %i events", (cut) => {
    it.each([
      ["continued after the last event", ""],
      ["replayed from the start", "&replay"],
    ])("shows one assistant message, %s", async (_, replay) => {
      const page = await openProgram(`?cut=${cut}${replay}`);
      await sendWords(page, "Where is the workshop?");
      await page.locator("#status", { hasText: "error" }).waitFor();
      await page.getByRole("button", { name: "resume" }).click();
      await page.locator("#status", { hasText: "ready" }).waitFor();
      expect(await roles(page)).toEqual(["user", "assistant"]);
      expect((await page.locator('[data-role="assistant"]').textContent())?.match(/Lisbon/g)).toHaveLength(1);
      expect(await page.locator("#error").textContent()).toBe("");
      await page.close();
    });
  });
});

async function bundle(): Promise<string> {
  const built = await build({
    entryPoints: [fileURLToPath(new URL("use-chat-page.tsx", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return built.outputFiles[0]?.text ?? "";
}

/** Serves the program from the server's own origin, so that the session's cookie is sent. */
async function openProgram(query: string): Promise<Page> {
  const { page } = await newPage(browser);
  const html = '<!doctype html><div id="root"></div><script type="module" src="/use-chat-page.js"></script>';
  await page.route("**/use-chat-page.html*", (route) => route.fulfill({ contentType: "text/html", body: html }));
  await page.route("**/use-chat-page.js", (route) => route.fulfill({ contentType: "text/javascript", body: script }));
  await page.goto(`${server.address}/use-chat-page.html${query}`);
  return page;
}

async function sendWords(page: Page, words: string): Promise<void> {
  await page.getByLabel("words").fill(words);
  await page.getByRole("button", { name: "send" }).click();
  await page.locator('[data-role="user"]').waitFor();
}

function roles(page: Page): Promise<(string | null)[]> {
  return page.locator("li").evaluateAll((items) => items.map((item) => item.getAttribute("data-role")));
}
