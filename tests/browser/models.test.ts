/** The chat page and models that fail: what a person is told while a run waits, when another model answers, and when none does. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BrowserContext, Page } from "playwright-core";
import { settingsFile } from "#scripts/home.mjs";
import { ask, closeBrowser, launchBrowser, newPage } from "#tests/browser/browser.ts";
import type { Reply } from "#tests/fakes/provider/reply.ts";
import { startProvider, type FakeProvider } from "#tests/fakes/provider/server.ts";
import { makeHome, startServer, stopAll, type Server } from "#tests/process/server.ts";

const MODEL = { contextWindow: 32_768, tools: true, price: { input: 1, output: 1 } };

let provider: FakeProvider;
let server: Server;
let browser: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  provider = await startProvider();
  const lab = { baseUrl: `${provider.url}/v1`, models: { first: MODEL, second: MODEL } };
  const home = makeHome();
  const settings = `PROVIDERS=${JSON.stringify({ lab })}\nDEFAULT_MODEL=lab/first\nFALLBACK_MODELS=lab/second\n`;
  writeFileSync(settingsFile(home), settings);
  [server, browser] = await Promise.all([startServer(home), launchBrowser()]);
  ({ page, complaints } = await newPage(browser));
  await page.goto(server.link);
  await page.getByLabel("Your instruction").waitFor();
});

afterAll(async () => {
  await closeBrowser();
  await stopAll();
  await provider.close();
});

function script(model: string, replies: readonly Reply[]): void {
  provider.book.script({ model, replies });
}

const last = () => page.locator(".message.assistant").last();

describe("chat page", () => {
  it("says what an answer waits for, and which model it came from", async () => {
    script("first", [{ status: 429, retryAfter: "4" }]);
    const answered = ask(page, "Tell me about owls");
    await page.getByText(/^Waiting for lab\/first\. It is busy; it is asked again in 4\.\d s\.$/).waitFor();
    expect(await answered).toBe("Hello from the fake provider.");
    expect(await last().locator(".note").textContent()).toBe("");
    expect(await last().locator(".activity").last().textContent()).toMatch(/^lab\/first · \d+\.\d s · \$0\.0\d+$/);
  });

  it("says why another model answers", async () => {
    script("first", [{ status: 400 }]);
    script("second", [{ text: "I am the second." }]);
    expect(await ask(page, "Tell me about swans")).toBe("I am the second.");
    const why = "lab/second answers: lab/first failed in this run; the only other that can serve.";
    expect(await last().locator(".note").textContent()).toBe(why);
    expect(await last().locator(".activity").last().textContent()).toContain("lab/second");
  });

  it("says what went wrong, also after a reload", async () => {
    for (const model of ["first", "second"]) script(model, [{ status: 401 }]);
    await ask(page, "Tell me about eagles");
    const problem = "The provider refused this deployment's key.";
    expect(await last().locator(".problem").textContent()).toBe(problem);
    expect(await last().locator(".note").textContent()).toBe("");
    await page.reload();
    await page.getByText("Tell me about eagles").waitFor();
    expect(await last().locator(".problem").textContent()).toBe(problem);
    expect(complaints).toEqual([]);
  });
});
