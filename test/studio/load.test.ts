/**
 * The first load of every page: what it weighs, and what the main thread has to do until the page can be used. That is counted in
 * the thread's own processor time, which other programs on the machine do not take from it: a clock would measure them.
 * `HEED_LOADS=1` prints both.
 */
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect } from "vitest";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { PAGES } from "../support/studio.ts";
import { ORIGIN, openStudio } from "../support/studio-pages.ts";

const browser = browserForTests();
const MOST_BYTES = 300_000;
const MOST_SECONDS = 1;
/** Work that a machine does in between, such as the first use of a font, only adds: the least of some loads is the page's. */
const LOADS = 3;

/** What is there once a page can be used. */
const USABLE: Readonly<Record<string, string>> = {
  "index.html": "studio-app heed-heatmap[data-ready]",
  "live.html": "live-translation [data-answer]:not(:empty)",
  "playground.html": "attention-playground stage-map",
  "papers.html": "main h1",
  "article.html": "main h1",
};
const usable = (page: string) => USABLE[page] ?? "section:not([hidden]) .lab, section:not([hidden]) p";

/** Gzipped bytes of a load, and seconds of processor time of its main thread until the page can be used. */
async function loaded(page: string): Promise<{ bytes: number; seconds: number }> {
  // Something of the same origin first, so that the page that is measured runs in the process that is watched.
  const opened = await openStudio(browser(), "heed-elements.js");
  try {
    const session = await opened.page.context().newCDPSession(opened.page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const seconds = async () => {
      const { metrics } = await session.send("Performance.getMetrics");
      return metrics.find(({ name }) => name === "TaskDuration")!.value;
    };
    const before = await seconds();
    await opened.page.goto(`${ORIGIN}${page}`);
    await opened.page.locator(usable(page)).first().waitFor();
    const used = (await seconds()) - before;
    // The page's own files: its worker, with what runs models and the models, comes behind the first picture.
    const addresses = await opened.page.evaluate(() => {
      const asked = performance.getEntriesByType("resource").map(({ name }) => name);
      const worker = asked.findIndex((name) => /\/worker-[^/]+\.js$/.test(name));
      return [location.href, ...asked.slice(0, worker < 0 ? undefined : worker)];
    });
    const files = new Set(addresses.filter((address) => address.startsWith(ORIGIN)));
    const sizes = [...files].map(
      (address) => gzipSync(readFileSync(PAGES + new URL(address).pathname)).length,
    );
    return { bytes: sizes.reduce((sum, size) => sum + size, 0), seconds: used };
  } finally {
    await opened.close();
  }
}

describe("the first load of a page", () => {
  for (const page of readdirSync(PAGES).filter((file) => file.endsWith(".html")))
    itInChromium(`${page} takes 300 kB at most, and less than a second of the main thread`, async () => {
      const loads: Awaited<ReturnType<typeof loaded>>[] = [];
      for (let n = 0; n < LOADS; n++) {
        loads.push(await loaded(page));
        if (loads.at(-1)!.seconds < MOST_SECONDS) break;
      }
      if (process.env.HEED_LOADS) console.log(page, JSON.stringify(loads));
      expect(loads[0]!.bytes).toBeGreaterThan(5000);
      expect(Math.max(...loads.map(({ bytes }) => bytes))).toBeLessThan(MOST_BYTES);
      expect(Math.min(...loads.map(({ seconds }) => seconds))).toBeGreaterThan(0.01);
      expect(Math.min(...loads.map(({ seconds }) => seconds))).toBeLessThan(MOST_SECONDS);
    });
});
