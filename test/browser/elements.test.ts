import { describe, expect } from "vitest";
import { colorAt } from "../../src/viz/color.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import {
  exampleTrace,
  focusedLabel,
  openPage,
  overflow,
  painted,
  SENTENCE,
  violations,
  violationsInModes,
} from "../support/elements.ts";

const browser = browserForTests();

const HEATMAP = '<heed-heatmap src="/trace.attn"></heed-heatmap>';
const CELL = '[role="gridcell"][tabindex="0"]';
const VIEWS = ["heed-heatmap", "heed-flow", "heed-grid", "heed-compare", "heed-image"];

describe("the views, to axe", () => {
  itInChromium(
    "are without a violation in light, dark, forced colours and 320 px, with their tables open, and fit the page",
    async () => {
      const body = VIEWS.map((tag) => `<${tag} src="/trace.attn"></${tag}>`).join("");
      const { page, said, close } = await openPage(browser(), body);
      for (const tag of VIEWS) {
        await painted(page, tag);
        await page.locator(tag).getByRole("button", { name: "Data table" }).click();
      }
      expect(await violationsInModes(page)).toEqual([]);
      expect(said).toEqual([]);
      await close();
    },
  );

  itInChromium("are without a violation as tabs, at 320 px", async () => {
    const narrow = { viewport: { width: 320, height: 640 } };
    const { page, close } = await openPage(
      browser(),
      '<heed-view src="/trace.attn"></heed-view>',
      undefined,
      narrow,
    );
    await painted(page, "heed-heatmap");
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    await close();
  });

  itInChromium("is a violation once the row of the grid or the name of a button is taken away", async () => {
    const { page, close } = await openPage(browser(), HEATMAP);
    await painted(page, "heed-heatmap");
    const ids = async () => (await violations(page)).map((line) => line.split(":")[0]);
    await page.locator('heed-heatmap [role="row"]').evaluate((row) => row.removeAttribute("role"));
    expect(await ids()).toContain("aria-required-parent");
    await page.getByRole("button", { name: "Data table" }).evaluate((button) => button.replaceChildren());
    expect(await ids()).toContain("button-name");
    await close();
  });

  itInChromium("is a violation in the one mode where a colour is too pale or the page too wide", async () => {
    const styles = `<style>@media (prefers-color-scheme: dark) { h1 { color: #222 } }
      @media (max-width: 400px) { h1 { width: 500px } }</style>`;
    const { page, close } = await openPage(browser(), styles);
    const found = (await violationsInModes(page)).map((line) => line.replace(/ <.*/, ""));
    expect(found).toEqual(["dark: color-contrast:", expect.stringMatching(/^320 px: \d+ px too wide$/)]);
    await close();
  });
});

describe("<heed-heatmap>", () => {
  itInChromium("does everything by keyboard, and never loses the focus", async () => {
    const { page, said, close } = await openPage(browser(), HEATMAP);
    await painted(page, "heed-heatmap");
    await page.locator(CELL).focus();
    const steps: [key: string, label: RegExp][] = [
      ["ArrowDown", /^query 1 “The”, key 0 “<s>”: weight 0\.269, rank 2 of 2$/],
      ["m", /^query 1 “The”, key 1 “The”: weight 0\.731, rank 1 of 2$/],
      ["Enter", /pinned$/],
      ["ArrowRight", /^query 1 “The”, key 2 “cat”: masked$/],
      ["Control+End", /^query 9 “\.”, key 9 “\.”/],
      ["Home", /^query 9 “\.”, key 0/],
      ["Shift+ArrowRight", /^query 9 “\.”, key 9/],
      ["Shift+ArrowUp", /^query 0/],
      ["PageDown", /^query 1/],
      ["Control+Home", /^query 0 “<s>”, key 0/],
      ["End", /^query 0 “<s>”, key 9/],
      ["Shift+M", /^query 9 “\.”, key 9/],
    ];
    for (const [key, label] of steps) {
      await page.keyboard.press(key);
      expect(await focusedLabel(page), key).toMatch(label);
    }
    const state = () =>
      page.evaluate(() => {
        const { layer, head, palette, selection, window } = document.querySelector(
          "heed-heatmap",
        ) as unknown as Record<string, unknown> & { selection: { pins: unknown[] } };
        return { layer, head, palette, pins: selection.pins.length, isWhole: window === undefined };
      });
    await page.keyboard.press("]");
    await page.keyboard.press("}");
    await page.keyboard.press("c");
    await page.keyboard.press("+");
    expect(await state()).toEqual({ layer: 1, head: 1, palette: "cividis", pins: 1, isWhole: false });
    await page.keyboard.press("Alt+ArrowLeft");
    await page.keyboard.press("0");
    await page.keyboard.press("[");
    await page.keyboard.press("{");
    await page.keyboard.press("Escape");
    expect(await state()).toEqual({ layer: 0, head: 0, palette: "cividis", pins: 0, isWhole: true });
    await page.keyboard.press("t");
    await page.getByRole("table").waitFor();
    await page.keyboard.press("?");
    await page.getByText("strongest key of this query").waitFor();
    expect(await focusedLabel(page)).toMatch(/^query 9/);
    expect(said).toEqual([]);
    await close();
  });

  itInChromium("pins eight cells at most, lists them, and says when there is no room", async () => {
    const { page, close } = await openPage(browser(), HEATMAP);
    await painted(page, "heed-heatmap");
    await page.locator(CELL).focus();
    for (let n = 0; n < 9; n++) {
      await page.keyboard.press("Enter");
      await page.keyboard.press("ArrowDown");
    }
    expect(await page.getByRole("button", { name: /^Unpin \d/ }).count()).toBe(8);
    expect(await page.getByRole("status").textContent()).toBe("8 cells are pinned; unpin one first");
    await page.getByRole("button", { name: /^Unpin 3/ }).click();
    expect(await page.getByRole("button", { name: /^Unpin \d/ }).count()).toBe(7);
    await close();
  });

  itInChromium(
    "follows the pointer, pins by a click, zooms by Ctrl and the wheel, pans by a drag",
    async () => {
      const { page, close } = await openPage(browser(), HEATMAP);
      await painted(page, "heed-heatmap");
      const box = (await page.locator("heed-heatmap .plot").boundingBox())!;
      const at = (query: number, key: number) =>
        [box.x + ((key + 0.5) * box.width) / 10, box.y + ((query + 0.5) * box.height) / 10] as const;
      const readout = page.locator("heed-heatmap .readout p").first();
      await page.mouse.move(...at(5, 2));
      await expect.poll(() => readout.textContent()).toMatch(/^query 5 “the”, key 2 “cat”/);
      await page.mouse.click(...at(5, 2));
      await expect.poll(() => readout.textContent()).toMatch(/, pinned\.$/);
      await page.keyboard.down("Control");
      await page.mouse.wheel(0, -200);
      await page.keyboard.up("Control");
      const x = () =>
        page.evaluate(
          () => (document.querySelector("heed-heatmap") as unknown as { window?: { x: number } }).window?.x,
        );
      await expect.poll(x).toBeGreaterThan(0);
      const before = (await x())!;
      await page.mouse.move(...at(5, 2));
      await page.mouse.down();
      await page.mouse.move(...at(5, 4), { steps: 4 });
      await page.mouse.up();
      expect(await x()).toBeLessThan(before);
      await close();
    },
  );

  itInChromium("moves by a tap, and pins by a second one", async () => {
    const { page, close } = await openPage(browser(), HEATMAP, undefined, { hasTouch: true });
    await painted(page, "heed-heatmap");
    const box = (await page.locator("heed-heatmap .plot").boundingBox())!;
    const point = [box.x + 0.35 * box.width, box.y + 0.65 * box.height] as const;
    await page.touchscreen.tap(...point);
    await expect
      .poll(() => focusedLabel(page))
      .toMatch(/^query 6 “mat”, key 3 “sat”: weight [\d.]+, rank \d of 7$/);
    await page.touchscreen.tap(...point);
    await expect.poll(() => focusedLabel(page)).toMatch(/pinned$/);
    await close();
  });

  itInChromium(
    "paints every visible cell in the colour of its weight, and hidden ones in none of them",
    async () => {
      const trace = exampleTrace(SENTENCE);
      const { page, close } = await openPage(browser(), HEATMAP, trace, {
        viewport: { width: 400, height: 800 },
      });
      await painted(page, "heed-heatmap");
      const pixels = await page.evaluate(() => {
        const root = document.querySelector("heed-heatmap")!.shadowRoot!;
        const canvas = root.querySelector<HTMLCanvasElement>("canvas.map")!;
        const plot = root.querySelector<HTMLElement>(".plot")!;
        const context = canvas.getContext("2d")!;
        const side = (name: "left" | "top" | "width" | "height") => Number.parseFloat(plot.style[name]);
        return Array.from({ length: 100 }, (_, cell) => {
          const [t, s] = [Math.floor(cell / 10), cell % 10];
          const x = side("left") + ((s + 0.5) * side("width")) / 10;
          const y = side("top") + ((t + 0.5) * side("height")) / 10;
          return [...context.getImageData(Math.floor(x), Math.floor(y), 1, 1).data.slice(0, 3)];
        });
      });
      const weights = trace.layers[0]!.attn!.slice();
      for (const [cell, pixel] of pixels.entries()) {
        if (cell % 10 <= Math.floor(cell / 10))
          expect(pixel).toEqual([...colorAt("viridis", weights[cell]!)]);
        else expect(new Set(pixel).size, "grey").toBe(1);
      }
      await close();
    },
  );

  itInChromium("keeps its size through 30 resizes, and grows and shrinks with its place", async () => {
    const { page, close } = await openPage(browser(), `<div id="place">${HEATMAP}</div>`);
    await painted(page, "heed-heatmap");
    const sizeAt = (width: number) =>
      page.evaluate(async (width) => {
        document.querySelector<HTMLElement>("#place")!.style.width = `${width}px`;
        for (let n = 0; n < 3; n++) await new Promise(requestAnimationFrame);
        const { width: w, height: h } = document.querySelector("heed-heatmap")!.getBoundingClientRect();
        return [w, h];
      }, width);
    const first = await sizeAt(500);
    for (let n = 0; n < 15; n++) {
      await sizeAt(400 + n);
      expect(await sizeAt(500)).toEqual(first);
    }
    await close();
  });
});

describe("the other views", () => {
  itInChromium(
    "<heed-grid> chooses a head by Enter and by a click, for all that share its store",
    async () => {
      const body = `<heed-grid src="/trace.attn"></heed-grid>${HEATMAP}`;
      const { page, said, close } = await openPage(browser(), body);
      await painted(page, "heed-grid");
      await page.evaluate(() => {
        document.querySelector("heed-heatmap")!.store = document.querySelector("heed-grid")!.store;
      });
      await page.locator(`heed-grid ${CELL}`).focus();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowRight");
      expect(await focusedLabel(page)).toMatch(/^encoder\.1, head 1: entropy 0\.\d\d, own token/);
      await page.keyboard.press("Enter");
      const chosen = () =>
        page.evaluate(() => {
          const { layer, head } = document.querySelector("heed-heatmap")!;
          return [layer, head];
        });
      expect(await chosen()).toEqual([1, 1]);
      await page.locator("heed-grid .plot").click({ position: { x: 10, y: 10 } });
      expect(await chosen()).toEqual([0, 0]);
      expect(said).toEqual([]);
      await close();
    },
  );

  itInChromium(
    "<heed-flow> chooses query and key by keyboard and pointer, and says how much it draws",
    async () => {
      const { page, said, close } = await openPage(browser(), '<heed-flow src="/trace.attn"></heed-flow>');
      await painted(page, "heed-flow");
      await page.locator(CELL).focus();
      await page.keyboard.press("Shift+ArrowDown");
      await page.keyboard.press("m");
      expect(await focusedLabel(page)).toMatch(/^query 9 “\.”, key 9 “\.”: weight 0\.632, rank 1 of 10$/);
      await page.getByText(/^\d+ of 55 lines, \d+ % of the weight\.$/).waitFor();
      await page.getByRole("slider").press("Home");
      await page.getByText(/^10 of 55 lines/).waitFor();
      const box = (await page.locator("heed-flow .plot").boundingBox())!;
      await page.mouse.click(box.x + 20, box.y + 28 + 22 * 2.5);
      expect(await focusedLabel(page)).toMatch(/key 2 “cat”/);
      expect(said).toEqual([]);
      await close();
    },
  );

  itInChromium("<heed-compare> shows two heads and their difference under one cursor", async () => {
    const { page, said, close } = await openPage(
      browser(),
      '<heed-compare src="/trace.attn"></heed-compare>',
    );
    await painted(page, "heed-compare");
    await page.locator(CELL).focus();
    await page.keyboard.press("ArrowDown");
    expect(await focusedLabel(page)).toMatch(
      /^A: query 1 “The”, key 0 “<s>”: weight 0\.269, rank 2 of 2; B: 0\.731; A − B: −0\.462$/,
    );
    await page.getByRole("button", { name: "Largest difference" }).click();
    await page.getByText(/^The largest difference is 0\.\d{3}, of query \d/).waitFor();
    await page.getByRole("combobox", { name: "B:" }).selectOption({ label: "encoder.0, head 0" });
    await page.getByText("The largest difference is 0.000").waitFor();
    expect(said).toEqual([]);
    await close();
  });

  itInChromium("<heed-image> steps through words and patches", async () => {
    const { page, said, close } = await openPage(browser(), '<heed-image src="/trace.attn"></heed-image>');
    await painted(page, "heed-image");
    await page.locator(CELL).focus();
    await page.keyboard.press("ArrowDown");
    expect(await focusedLabel(page)).toBe("“<s>”, patch in row 1, column 0: masked");
    await page.keyboard.press(".");
    await page.keyboard.press("m");
    expect(await focusedLabel(page)).toBe("“The”, patch in row 0, column 1: weight 0.731");
    await page.getByRole("listbox").focus();
    await page.keyboard.press("ArrowRight");
    expect(await page.locator('heed-image [role="option"][aria-selected="true"]').textContent()).toBe("cat");
    await page.locator("heed-image .plot").click({ position: { x: 10, y: 10 } });
    expect(await focusedLabel(page)).toMatch(/^“cat”, patch in row 0, column 0/);
    expect(said).toEqual([]);
    await close();
  });

  for (const reducedMotion of ["no-preference", "reduce"] as const)
    itInChromium(`<heed-image> plays its words where motion is welcome: ${reducedMotion}`, async () => {
      const body = '<heed-image src="/trace.attn"></heed-image>';
      const options = { reducedMotion };
      const { page, said, close } = await openPage(browser(), body, exampleTrace(SENTENCE), options);
      await painted(page, "heed-image");
      await page.getByRole("option", { name: "and" }).click();
      await page.locator(CELL).focus();
      await page.keyboard.press("p");
      const word = () => page.locator('heed-image [role="option"][aria-selected="true"]').textContent();
      expect(await word()).toBe("slept");
      const isPlaying = reducedMotion === "no-preference";
      expect(await page.getByRole("button", { name: "Stop" }).count()).toBe(Number(isPlaying));
      if (isPlaying) await expect.poll(word, { timeout: 5000 }).toBe(".");
      await page.getByRole("button", { name: "Play" }).waitFor();
      await page.keyboard.press("p");
      expect(await word()).toBe(isPlaying ? "<s>" : ".");
      expect(said).toEqual([]);
      await close();
    });

  itInChromium("<heed-view> has a tab for each view and one selection for all", async () => {
    const { page, said, close } = await openPage(browser(), '<heed-view src="/trace.attn"></heed-view>');
    await painted(page, "heed-heatmap");
    await page.locator(CELL).focus();
    await page.keyboard.press("Control+End");
    await page.keyboard.press("]");
    await page.getByRole("tab", { name: "Heat map" }).focus();
    await page.keyboard.press("ArrowRight");
    await painted(page, "heed-flow");
    expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Flow");
    expect(await page.locator("heed-flow .readout p").first().textContent()).toMatch(/^query 9 “\.”, key 9/);
    expect(await page.getByRole("combobox", { name: "Head" }).inputValue()).toBe("1");
    await page.keyboard.press("End");
    expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Image");
    expect(said).toEqual([]);
    await close();
  });
});
