import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser, BrowserContextOptions, Page } from "@playwright/test";
import { onTestFinished } from "vitest";
import { openPlaces } from "../../src/cli/studio/opened.ts";
import { ownFolders } from "../../src/cli/studio/own-folders.ts";
import { startStudioServer } from "../../src/cli/studio/server.ts";
import { withoutServiceWorker } from "./chromium.ts";
import { watch } from "./elements.ts";

const root = path.resolve(import.meta.dirname, "../..");
export const PAGES = path.join(root, "dist/studio");
export const WEIGHTS = path.join(root, "weights");

/** The studio's server over the built pages, until the test is over. */
export async function studioServer(places: readonly string[] = []): Promise<string> {
  const { folders, places: opened } = openPlaces("heed studio", places);
  const all = [...folders, ...ownFolders(PAGES)];
  const server = await startStudioServer({ folders: all, opened, port: 0 });
  onTestFinished(() => server.close());
  return server.url;
}

/** A page of the studio, and what its console and its network said, until the test is over; with its service worker if `offline`. */
export async function openStudio(
  browser: Browser,
  {
    fragment = "",
    places = [] as readonly string[],
    options = {} as BrowserContextOptions,
    url = undefined as string | undefined,
    offline = false,
  } = {},
): Promise<{ page: Page; said: string[]; requests: string[]; url: string }> {
  const served = url ?? (await studioServer(places));
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  if (!offline) await withoutServiceWorker(context);
  const page = await context.newPage();
  const opened = watch(page, () => context.close());
  onTestFinished(() => context.close());
  await page.goto(`${served}${fragment}`);
  return { page, said: opened.said, requests: opened.requests, url: served };
}

/** Waits until a view is in front and painted. */
export async function viewed(page: Page, tag: string): Promise<void> {
  await page.locator(`studio-app ${tag}[data-ready]`).last().waitFor({ timeout: 30_000 });
}

/** A folder for files, until the test is over. */
export function testFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "heed-studio-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
