/** The page of the live models as its build has it, with the weights that ship beside it. */
import path from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "@playwright/test";
import { withoutServiceWorker } from "../support/chromium.ts";
import { ISOLATION, serve } from "../support/serve.ts";

const root = path.resolve(import.meta.dirname, "../..");

export interface LivePage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the console and its errors said. */
  readonly said: string[];
  close(): Promise<void>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** Whether the page may share memory, and run on threads. @default true */
  readonly isolated?: boolean;
  /** Runs before the page is opened. */
  readonly before?: (context: BrowserContext) => Promise<unknown>;
}

/** Opens live.html of dist/studio. */
export async function openLive(
  browser: Browser,
  { isolated = true, before, ...options }: OpenOptions = {},
): Promise<LivePage> {
  const folder = path.join(root, "dist/studio");
  const mounts = {
    "/weights/": path.join(root, "weights"),
    "/rdkit/": path.join(root, "node_modules/@rdkit/rdkit/dist"),
  };
  const { url, server } = await serve(folder, isolated ? ISOLATION : {}, mounts);
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await withoutServiceWorker(context);
  await before?.(context);
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(String(error)));
  await page.addInitScript(() => {
    const long: number[] = [];
    Object.assign(globalThis, { longTasks: long });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) long.push(duration);
    }).observe({ type: "longtask" });
  });
  await page.goto(`${url}live.html`);
  const close = async () => {
    await context.close();
    server.close();
  };
  return { page, context, said, close };
}

/** What the panel in front answers. */
export const answerOf = (page: Page): Locator => page.locator("[data-answer]").first();

/** Opens a task and waits until its model has answered. */
export async function openTask(page: Page, title: string): Promise<void> {
  await page.getByRole("tab", { name: title, exact: true }).click();
  await page.locator('[data-status="ready"][data-ms]').first().waitFor({ timeout: 60_000 });
}

/** Long tasks of the main thread since the last time, in milliseconds. */
export function longTasks(page: Page): Promise<number[]> {
  return page.evaluate(() => (globalThis as unknown as { longTasks: number[] }).longTasks.splice(0));
}
