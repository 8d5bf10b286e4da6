import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { BrowserContextOptions } from "@playwright/test";
import { afterAll, describe, expect } from "vitest";
import { createTrace, type Trace, traceTensor, writeTrace } from "../../src/inspect/index.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import {
  askedElsewhere,
  overflow,
  painted,
  runsForeignScripts,
  violations,
  violationsInModes,
  watch,
} from "../support/elements.ts";
import { imageTrace, selfTrace } from "../views/support.ts";

const main = path.resolve(import.meta.dirname, "../../dist/cli/main.js");
const folder = mkdtempSync(path.join(tmpdir(), "heed-page-"));
const browser = browserForTests();
afterAll(() => rmSync(folder, { recursive: true }));

/** The page that `heed html` writes for a trace, opened from its file; one name is one trace with the same flags, written once. */
async function openPageOf(name: string, trace: Trace, flags: string[], options: BrowserContextOptions = {}) {
  const [attn, html] = [path.join(folder, `${name}.attn`), path.join(folder, `${name}.html`)];
  if (!existsSync(html)) {
    writeFileSync(attn, writeTrace(trace));
    const { status } = spawnSync(process.execPath, [main, "html", attn, "--out", html, ...flags]);
    expect(status).toBe(0);
  }
  const context = await browser().newContext({ viewport: { width: 900, height: 900 }, ...options });
  const page = await context.newPage();
  const opened = watch(page, () => context.close());
  await page.goto(`file://${html}`);
  return opened;
}

const HOSTILE = [
  "</script><script>alert(1)</script>",
  "<img src=x onerror=alert(2)>",
  "on\u001b[31m",
  "abc\u202edcba",
  "x".repeat(10_000),
  "👩‍👩‍👧",
  "</noscript></svg><b>",
];
const hostile = selfTrace({ tokens: { src: HOSTILE } });
const glimpses = ["--glimpse-size", "9x9"];

describe("the page of heed html", () => {
  for (const [name, trace, flags, tag, stills] of [
    ["image-page", imageTrace(), glimpses, "heed-image", 7],
    ["hostile-page", hostile, ["--view", "heatmap"], "heed-heatmap", 3],
  ] as const)
    itInChromium(`asks for nothing, says nothing, fits and is clean to axe: ${name}`, async () => {
      const { page, said, requests, close } = await openPageOf(name, trace, [...flags]);
      await painted(page, tag);
      expect(await page.locator("figure > div > svg[role=img]").count()).toBe(stills);
      for (const svg of await page.locator("figure > div > svg").all())
        expect(await svg.isVisible()).toBe(true);
      expect(await violationsInModes(page)).toEqual([]);
      expect(askedElsewhere(requests)).toEqual([]);
      expect(said).toEqual([]);
      await close();
    });

  itInChromium("keeps hostile tokens text, and lets no other script run", async () => {
    const { page, said, close } = await openPageOf("hostile-page", hostile, ["--view", "heatmap"]);
    await painted(page, "heed-heatmap");
    expect(await page.locator("script").count()).toBe(2);
    expect(await page.locator("b, main img").count()).toBe(0);
    expect(said).toEqual([]);
    expect(await runsForeignScripts(page)).toBe(false);
    expect(said.join()).toContain("Content Security Policy");
    await close();
  });

  itInChromium("draws its still pictures on the ground that the reader's theme has", async () => {
    for (const [colorScheme, ground] of [
      ["light", "rgb(255, 255, 255)"],
      ["dark", "rgb(18, 18, 18)"],
    ] as const) {
      const { page, close } = await openPageOf("self", selfTrace(), [], { colorScheme });
      const fills = await page
        .locator("figure > div > svg > rect.bg")
        .evaluateAll((grounds) => grounds.map((one) => getComputedStyle(one).fill));
      expect(fills).toEqual([ground, ground, ground]);
      expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(ground);
      await close();
    }
  });

  itInChromium(
    "keeps the words of a wide picture legible on a phone, where it scrolls by itself",
    async () => {
      const viewport = { width: 390, height: 800 };
      const { page, close } = await openPageOf("self", selfTrace(), [], { viewport });
      const table = page.getByRole("group", { name: /^What each head does/ });
      expect(await table.evaluate((box) => box.scrollWidth - box.clientWidth), "the table fits").toBe(0);
      const wide = page.getByRole("group", { name: /^How much of each output comes from each input/ });
      const [inner, outer] = await wide.evaluate((box) => [box.scrollWidth, box.clientWidth]);
      expect(inner).toBeGreaterThan(outer!);
      const words = wide.locator("svg text").first();
      const scale = await words.evaluate((text) => (text as SVGTextElement).getScreenCTM()!.a);
      expect(scale).toBeCloseTo(0.6, 2);
      expect(await overflow(page)).toBe(0);
      await close();
    },
  );

  itInChromium("shows a trace of gates alone, and all its pictures where scripts are off", async () => {
    const channels = traceTensor([3], [0.25, 0.5, 1]);
    const gates = createTrace({ tokens: {}, layers: [], gates: { channels } });
    const alone = await openPageOf("gates", gates, []);
    expect(await alone.page.locator("figure svg .b").count()).toBe(3);
    expect(await violations(alone.page)).toEqual([]);
    expect(alone.said).toEqual([]);
    await alone.close();
    const still = await openPageOf("image-page", imageTrace(), glimpses, { javaScriptEnabled: false });
    expect(await still.page.locator("noscript svg").count()).toBe(1);
    expect(await still.page.locator("noscript tbody tr").count()).toBe(3);
    expect(await still.page.locator("figure svg").count()).toBe(7);
    const ids = await still.page.locator("[id]").evaluateAll((all) => all.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    await still.close();
  });
});
