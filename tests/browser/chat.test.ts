/** The chat page in a real browser: log in by link, remember, ask, open the source, reload. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BrowserContext, Page } from "playwright-core";
import { ask, closeBrowser, launchBrowser, newPage } from "#tests/browser/browser.ts";
import { startServer, stopAll, type Server } from "#tests/process/server.ts";

let server: Server;
let browser: BrowserContext;

/** Keeps what a test saw when LAMINA_SCREENSHOTS names a folder. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["LAMINA_SCREENSHOTS"];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
}

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launchBrowser()]);
});

afterAll(async () => {
  await closeBrowser();
  await stopAll();
});

describe("chat page", () => {
  it("tells a visitor without a session how to get a link", async () => {
    const { page } = await newPage(browser);
    await page.goto(`${server.address}/`);
    await page.getByRole("heading", { name: "You are not logged in" }).waitFor();
    await page.getByText("npm start").waitFor();
    expect(await page.locator("#composer").isVisible()).toBe(false);
    await page.close();
  });

  it("remembers, answers with a source, and finds everything after a reload", async () => {
    const { page, complaints } = await newPage(browser);
    await page.goto(server.link);
    await page.getByLabel("Your instruction").waitFor();
    expect(page.url()).toBe(`${server.address}/`);

    await ask(page, "Remember that the workshop is on 3 March 2027 in Lisbon.");
    expect(await ask(page, "Where is the workshop?")).toContain("Lisbon");
    await picture(page, "answer");

    await page.locator(".message.assistant .source").last().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("3 March 2027 in Lisbon").waitFor();
    await picture(page, "source");
    await page.keyboard.press("Escape");

    await page.reload();
    await page.locator(".message.user").nth(1).waitFor();
    expect(await page.locator(".message.user .text").allTextContents()).toEqual([
      "Remember that the workshop is on 3 March 2027 in Lisbon.",
      "Where is the workshop?",
    ]);
    expect(await page.locator(".message.assistant .text").last().textContent()).toContain("Lisbon");
    await page.locator(".message.assistant .source").last().click();
    await dialog.getByText("3 March 2027 in Lisbon").waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("works in Chinese", async () => {
    const { page, complaints } = await newPage(browser);
    await page.goto(`${server.address}/`);
    await page.getByLabel("Your instruction").waitFor();
    await ask(page, "请记住：小明的生日是五月八日。");
    expect(await ask(page, "小明的生日是什么时候？")).toMatch(/五月八日|5月8日/);
    await page.locator(".message.assistant").last().locator(".source").first().waitFor();
    await page.emulateMedia({ colorScheme: "dark" });
    await picture(page, "chinese-dark");
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("shows a person's own markup and handles as plain text", async () => {
    const { page, complaints } = await newPage(browser);
    await page.goto(`${server.address}/`);
    await page.getByLabel("Your instruction").waitFor();
    const before = await page.locator(".message.user .mark, .message.user img").count();
    await ask(page, 'Remember that the sign reads <img src=x onerror="alert(1)"> [p1].');
    expect(await page.locator(".message.user .mark, .message.user img, .message img").count()).toBe(before);
    expect(await page.locator(".message.user .text").last().textContent()).toContain("<img src=x");
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("refuses a link that was used", async () => {
    const { page } = await newPage(browser);
    await browser.clearCookies();
    await page.goto(server.link);
    await page.getByRole("heading", { name: "This link no longer works" }).waitFor();
    await page.close();
  });
});
