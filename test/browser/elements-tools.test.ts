import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import { importTrace, layerMap } from "../../src/inspect/index.ts";
import { colorAt } from "../../src/viz/color.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { exampleTrace, openPage, painted, SENTENCE, violations } from "../support/elements.ts";

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

  itInChromium("reads by key where x or its button says so, in the flow too", async () => {
    const body = '<heed-view src="/trace.attn"></heed-view>';
    const { page, said, close } = await openPage(browser(), body);
    await painted(page, "heed-heatmap");
    await page.locator(CELL).focus();
    for (const key of ["ArrowDown", "ArrowRight", "x"]) await page.keyboard.press(key);
    const second = (tag: string) => page.locator(`${tag} .readout p`).nth(1).textContent();
    expect(await second("heed-heatmap")).toMatch(
      /^“The” is attended to most by “The” \(0\.731\); 1 of 9 queries holds 66 %; 1 query masked\.$/,
    );
    const button = page.getByRole("button", { name: "By key" });
    expect(await button.getAttribute("aria-pressed")).toBe("true");
    await page.keyboard.press("t");
    expect(await page.locator("caption").textContent()).toBe("The three strongest queries of each key");
    const cells = await page.locator("heed-heatmap tbody tr").nth(1).locator("th, td").allTextContents();
    expect(cells[0]).toBe("1 The");
    expect(cells[1]).toMatch(/^The 0\.731/);
    await page.getByRole("tab", { name: "Flow" }).click();
    await painted(page, "heed-flow");
    expect(await second("heed-flow")).toMatch(/^“The” is attended to most by “The”/);
    const pixels = () =>
      page.evaluate(() =>
        document
          .querySelector("heed-view")!
          .shadowRoot!.querySelector("heed-flow")!
          .shadowRoot!.querySelector("canvas")!
          .toDataURL(),
      );
    const byKey = await pixels();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "By key" }).click();
    expect(await second("heed-flow")).toMatch(/^“The” attends most to “The”/);
    expect(await pixels()).not.toBe(byKey);
    expect(said).toEqual([]);
    await close();
  });

  itInChromium("saves the region, else what is in view, as JSON that importTrace reads", async () => {
    const { page, said, close } = await openPage(browser(), HEATMAP);
    await painted(page, "heed-heatmap");
    const save = async () => {
      const saved = page.waitForEvent("download");
      await page.getByRole("button", { name: "Save JSON" }).click();
      const download = await saved;
      expect(download.suggestedFilename()).toBe("heed-heatmap.json");
      return new Uint8Array(readFileSync(await download.path()));
    };
    const { layers } = exampleTrace(SENTENCE);
    const whole = importTrace(await save());
    expect(whole.layers[0]!.attn!.shape).toEqual([1, 10, 10]);
    expect(layerMap(whole.layers[0]!).rows(0, 0, 10)).toEqual(layerMap(layers[0]!).rows(0, 0, 10));
    await page.locator(CELL).focus();
    for (const key of ["]", "ArrowDown", "b", "ArrowDown", "ArrowRight", "Enter"])
      await page.keyboard.press(key);
    const bytes = await save();
    expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({
      ...{ version: 1, state: { layer: 0, head: 1, query: 2, key: 1, palette: "viridis" } },
      selection: { queries: [1, 2], keys: [0, 1] },
      ...{ rowTokens: ["The", "cat"], columnTokens: ["<s>", "The"] },
    });
    const region = layerMap(importTrace(bytes).layers[0]!);
    for (const t of [0, 1])
      expect(region.row(0, t).values).toEqual(
        layerMap(layers[0]!)
          .row(1, t + 1)
          .values.slice(0, 2),
      );
    expect(said).toEqual([]);
    await close();
  });

  itInChromium("<heed-compare> saves both of its heads", async () => {
    const body = '<heed-compare src="/trace.attn" layer="1"></heed-compare>';
    const { page, said, close } = await openPage(browser(), body);
    await painted(page, "heed-compare");
    const json = await page.evaluate(() => JSON.stringify(document.querySelector("heed-compare")));
    const { layers } = exampleTrace(SENTENCE);
    const rows = (head: number) => layerMap(layers[1]!).rows(head, 0, 10);
    const a = JSON.parse(json);
    expect([a.state.head, a.other.state.layer, a.other.state.head]).toEqual([0, 1, 1]);
    for (const [head, part] of [a, a.other].entries()) {
      const trace = importTrace(new TextEncoder().encode(JSON.stringify(part)));
      expect(layerMap(trace.layers[0]!).rows(0, 0, 10)).toEqual(rows(head));
    }
    expect(said).toEqual([]);
    await close();
  });

  itInChromium("does not save more than a million weights, and says what to do", async () => {
    const { page, said, close } = await openPage(browser(), "<heed-heatmap></heed-heatmap>");
    await page.evaluate(() => {
      const tokens = Array.from({ length: 1001 }, (_, n) => `${n}`);
      const weights = new Float32Array(1001 * 1001).fill(1 / 1001);
      const element = document.querySelector("heed-heatmap")!;
      Object.assign(element, { rowTokens: tokens, columnTokens: tokens, weights });
    });
    await painted(page, "heed-heatmap");
    await page.getByRole("button", { name: "Save JSON" }).click();
    expect(await page.getByRole("status").textContent()).toBe(
      "not saved: 1001 × 1001 weights are more than a million; zoom in or draw a region first",
    );
    expect(said).toEqual([]);
    await close();
  });

  itInChromium("colours weights by their logarithms on request, and the legend says so", async () => {
    const { page, said, close } = await openPage(browser(), HEATMAP);
    await painted(page, "heed-heatmap");
    const color = () =>
      page.evaluate(() => {
        const root = document.querySelector("heed-heatmap")!.shadowRoot!;
        const [canvas, plot] = [root.querySelector("canvas")!, root.querySelector<HTMLElement>(".plot")!];
        const [left, top, width, height] = ["left", "top", "width", "height"].map((side) =>
          Number.parseFloat(plot.style.getPropertyValue(side)),
        ) as [number, number, number, number];
        // A corner of the cell of query 4 and key 0, beside its number.
        const at = [left + 0.02 * width, top + 0.415 * height] as const;
        return [
          ...canvas
            .getContext("2d")!
            .getImageData(...at, 1, 1)
            .data.slice(0, 3),
        ];
      });
    const [weight] = layerMap(exampleTrace(SENTENCE).layers[0]!).row(0, 4).values;
    await page.getByRole("combobox", { name: "Scale" }).selectOption("log");
    expect(await color()).toEqual([...colorAt("viridis", 1 + Math.log10(weight!) / 6)]);
    expect(await page.locator("heed-heatmap .legend").textContent()).toMatch(
      /0\.000001.*1.*weight, viridis, log scale/s,
    );
    expect(await page.evaluate(() => document.querySelector("heed-heatmap")!.state.colorScale)).toBe("log");
    expect(await violations(page)).toEqual([]);
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
    await expect
      .poll(hash)
      .toBe("#a.l=0&a.h=1&a.q=1&a.k=0&a.x=0&a.pin=1.0&a.pal=cividis&a.sc=linear&a.view=heatmap");
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
