/**
 * What axe finds in every state of the studio and of the live models, and whether the state fits the page. Each state is
 * looked at in one of the modes, in turn; `npm run axe` looks at each in all of them, and at every other page too.
 */
import { readdirSync } from "node:fs";
import type { Page } from "@playwright/test";
import { describe, expect } from "vitest";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { overflow, violations } from "../support/elements.ts";
import { openStudio, PAGES, viewed } from "../support/studio.ts";
import { liveStates, type PageState, STUDIO } from "./states.ts";

const browser = browserForTests();
const ALL = process.env.HEED_AXE === "all";
/** Of the window in which states are brought about. */
const [WIDTH, HEIGHT] = [1280, 800];
const MODES = [
  { name: "light", media: { colorScheme: "light", forcedColors: "none" }, width: WIDTH },
  { name: "dark, on a phone", media: { colorScheme: "dark", forcedColors: "none" }, width: 390 },
  { name: "forced colours", media: { colorScheme: "light", forcedColors: "active" }, width: WIDTH },
  { name: "320 px", media: { colorScheme: "light", forcedColors: "none" }, width: 320 },
  { name: "dark", media: { colorScheme: "dark", forcedColors: "none" }, width: WIDTH },
] as const;

/** Walks through states and collects what is wrong with them, each as a line. */
async function walk(page: Page, url: string, states: readonly PageState[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const [n, { name, enter }] of states.entries()) {
    await page.setViewportSize({ width: WIDTH, height: HEIGHT });
    await enter(page, url);
    for (const mode of ALL ? MODES : [MODES[n % MODES.length]!]) {
      await page.emulateMedia(mode.media);
      await page.setViewportSize({ width: mode.width, height: HEIGHT });
      // Pictures follow the width in a turn of their own.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
      // The panels beside the views are closed where there is no room for them, until a reader opens them.
      await page.locator("details.side").evaluateAll((panels) => {
        for (const panel of panels) panel.setAttribute("open", "");
      });
      const found = await violations(page);
      const beyond = await overflow(page);
      if (beyond > 0) found.push(`${beyond} px lie beyond the edge`);
      wrong.push(...found.map((one) => `${name}, ${mode.name}: ${one}`));
    }
  }
  return wrong;
}

describe("every state, to axe", () => {
  const minutes = ALL ? 15 : 4;

  itInChromium(
    "is without a violation in the studio",
    async () => {
      const { page, said, url } = await openStudio(browser());
      await viewed(page, "heed-heatmap");
      expect(await walk(page, url, STUDIO)).toEqual([]);
      expect(said).toEqual([]);
    },
    minutes * 60_000,
  );

  itInChromium(
    "is without a violation in the live models",
    async () => {
      const { page, url } = await openStudio(browser());
      await viewed(page, "heed-heatmap");
      await page.context().route("**/weights/**", (route) => route.abort());
      await page.goto(`${url}live.html`);
      const states = liveStates(() => page.context().unroute("**/weights/**"));
      expect(await walk(page, url, states)).toEqual([]);
    },
    minutes * 60_000,
  );

  if (ALL)
    itInChromium(
      "is without a violation on every page",
      async () => {
        const { page, url } = await openStudio(browser());
        const files = readdirSync(PAGES).filter((file) => file.endsWith(".html"));
        const states = files.map((name) => ({
          name,
          enter: () => page.goto(`${url}${name}`, { waitUntil: "networkidle" }),
        }));
        expect(await walk(page, url, states)).toEqual([]);
      },
      minutes * 60_000,
    );
});
