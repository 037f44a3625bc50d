/**
 * Browser: a real Chromium for a test, logged in through the one-time link, with every complaint of the page collected.
 *
 * `openChat` answers a page and the list of console errors, uncaught exceptions and policy violations, which must stay
 * empty. `closeBrowser` in `afterAll`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";

/** Without these, Chromium looks for hosts of its maker at every start. */
const QUIET = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let context: BrowserContext | null = null;
let profile: string | null = null;

export async function launchBrowser(): Promise<BrowserContext> {
  profile = mkdtempSync(join(tmpdir(), "lamina-browser-"));
  const root = process.getuid?.() === 0;
  context = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: root ? [...QUIET, "--no-sandbox"] : QUIET,
    locale: "en-GB",
  });
  return context;
}

export async function closeBrowser(): Promise<void> {
  await context?.close();
  if (profile !== null) rmSync(profile, { recursive: true, force: true });
  context = null;
  profile = null;
}

/** A new tab that notes every complaint. */
export async function newPage(browser: BrowserContext): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`policy: ${event.violatedDirective}`),
    );
  });
  return { page, complaints };
}

/** Sends an instruction on the chat page and waits for the end of the answer; answers its text. */
export async function ask(page: Page, words: string): Promise<string> {
  const before = await page.locator(".message.assistant").count();
  await page.getByLabel("Your instruction").fill(words);
  await page.keyboard.press("Enter");
  const answer = page.locator(".message.assistant").nth(before);
  await answer.waitFor();
  await page.locator(`.message.assistant[aria-busy="false"]`).nth(before).waitFor();
  return (await answer.locator(".text").textContent()) ?? "";
}
