import { describe, expect } from "vitest";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { openPage, painted, violations } from "../support/elements.ts";

const browser = browserForTests();

const HEATMAP = '<heed-heatmap src="/trace.attn"></heed-heatmap>';
const CELL = '[role="gridcell"][tabindex="0"]';

describe("the tools of the elements", () => {
  itInChromium("adds up a region drawn by keys or by Shift and a drag, and finds tokens", async () => {
    const { page, said, close } = await openPage(browser(), HEATMAP);
    await painted(page, "heed-heatmap");
    const text = () => page.locator("heed-heatmap .readout p").nth(2).textContent();
    await page.locator(CELL).focus();
    for (const key of ["ArrowDown", "b", "ArrowDown"]) await page.keyboard.press(key);
    expect(await text()).toBe("Region from query 1, key 0: go to its other corner, then Enter.");
    await page.keyboard.press("Enter");
    expect(await text()).toMatch(
      /^Region of queries 1–2, keys 0–0: \d+ % of what these queries give; strongest/,
    );
    expect(await page.getByRole("status").textContent()).toMatch(/^queries 1–2/);
    await page.keyboard.press("Escape");
    expect(await page.locator("heed-heatmap .region").isVisible()).toBe(false);
    const box = (await page.locator("heed-heatmap .plot").boundingBox())!;
    const at = (query: number, key: number) =>
      [box.x + ((key + 0.5) * box.width) / 10, box.y + ((query + 0.5) * box.height) / 10] as const;
    await page.keyboard.down("Shift");
    await page.mouse.move(...at(8, 4));
    await page.mouse.down();
    await page.mouse.move(...at(5, 2), { steps: 4 });
    await page.mouse.up();
    await page.keyboard.up("Shift");
    expect(await text()).toMatch(/^Region of queries 5–8, keys 2–4:/);
    const region = (await page.locator("heed-heatmap .region").boundingBox())!;
    expect(Math.abs(region.x - box.x - 0.2 * box.width)).toBeLessThan(2);
    expect(Math.abs(region.height - 0.4 * box.height)).toBeLessThan(2);
    await page.locator(CELL).focus();
    await page.keyboard.press("/");
    await page.keyboard.type("SLEPT");
    await page.keyboard.press("Enter");
    expect(await page.locator(CELL).getAttribute("aria-label")).toMatch(/key 8 “slept”/);
    await page.keyboard.type("!");
    await page.keyboard.press("Enter");
    expect(await page.getByRole("status").textContent()).toBe("no token has “SLEPT!”");
    expect(await violations(page)).toEqual([]);
    expect(said).toEqual([]);
    await close();
  });

  itInChromium("gives its picture as a PNG file", async () => {
    const { page, said, close } = await openPage(browser(), HEATMAP);
    await painted(page, "heed-heatmap");
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save PNG" }).click();
    const download = await saved;
    expect(download.suggestedFilename()).toBe("heed-heatmap.png");
    const size = await page.evaluate(async () => {
      const element = document.querySelector("heed-heatmap")!;
      const { width, height } = await createImageBitmap(await element.exportPng());
      const canvas = element.shadowRoot!.querySelector("canvas")!;
      return [width - canvas.width, height - canvas.height];
    });
    expect(size).toEqual([0, 0]);
    expect(said).toEqual([]);
    await close();
  });

  itInChromium("<heed-view url-state> is what its link says, and writes the link", async () => {
    const body = '<heed-view src="/trace.attn" url-state="a."></heed-view>';
    const { page, said, close } = await openPage(browser(), body);
    await painted(page, "heed-heatmap");
    await page.locator(CELL).focus();
    for (const key of ["ArrowDown", "Enter", "c", "]"]) await page.keyboard.press(key);
    const hash = () => page.evaluate(() => location.hash);
    await expect.poll(hash).toBe("#a.l=0&a.h=1&a.q=1&a.k=0&a.pin=1.0&a.pal=cividis&a.view=heatmap");
    await page.goto(`${page.url().split("#")[0]}?again#a.h=2&a.l=1&a.q=99&a.view=flow`);
    await painted(page, "heed-flow");
    expect(await page.locator("heed-flow .readout p").first().textContent()).toMatch(/^query 9 /);
    expect(await page.getByRole("combobox", { name: "Head" }).inputValue()).toBe("2");
    await page.evaluate(() => {
      location.hash = "a.h=0&a.view=heatmap";
    });
    await painted(page, "heed-heatmap");
    expect(await page.getByRole("combobox", { name: "Head" }).inputValue()).toBe("0");
    expect(said).toEqual([]);
    await close();
  });
});
