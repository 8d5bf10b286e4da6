/** Heads of a live model are operated on in the page; the code that it gives makes the same numbers in Node. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import type { Page } from "@playwright/test";
import { expect, it } from "vitest";
import { beginning, changedTo, redo, undo } from "../../studio/live/history.ts";
import { consequence, renormalized } from "../../studio/live/operate-text.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { overflow, violations } from "../support/elements.ts";
import { openLive, openTask } from "./live-page.ts";

const root = path.resolve(import.meta.dirname, "../..");
const browser = browserForTests();
/** Probabilities by two builds of one engine on other threads: sums of 256 products, rounded otherwise. */
const TOLERANCE = 2e-4;

/** More than the page has. */
const MOST_STOPS = 120;

/** For a pass and what it writes by itself. */
const PATIENT = { timeout: 20_000 };

/** What the page says that each answer's probability is. */
const chances = (page: Page) =>
  page
    .locator("[data-after]")
    .evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute("data-after"))));

/** What a program prints, run as a reader would in a folder with heed. */
function printed(code: string): number[] {
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: root,
    encoding: "utf8",
  });
  return JSON.parse(output) as number[];
}

/** The page shows what the code that it offers prints, once it has run what was changed last. */
async function expectSame(page: Page): Promise<void> {
  const farthest = async () => {
    const run = printed((await page.locator("[data-code]").textContent())!);
    const shown = await chances(page);
    return shown.length === run.length ? Math.max(...run.map((x, n) => Math.abs(x - shown[n]!))) : Infinity;
  };
  await expect.poll(farthest, PATIENT).toBeLessThan(TOLERANCE);
}

it("histories go back and forth, and forget what was undone", () => {
  const one = changedTo(changedTo(beginning(0), 1), 2);
  expect(undo(one).now).toBe(1);
  expect(redo(undo(one)).now).toBe(2);
  expect(changedTo(undo(one), 7).undone).toEqual([]);
  expect(undo(undo(undo(one))).now).toBe(0);
});

it("a dragged weight leaves the rest to the others, as they were or alike, and none to hidden keys", () => {
  expect(renormalized([0.5, 0.25, 0.25], 0, 0.8).map((x) => +x.toFixed(6))).toEqual([0.8, 0.1, 0.1]);
  expect(renormalized([1, 0, 0], 0, 0.4).map((x) => +x.toFixed(6))).toEqual([0.4, 0.3, 0.3]);
  expect(renormalized([0.5, 0.5, 0], 1, 0.9, [true, true, false]).map((x) => +x.toFixed(6))).toEqual([
    0.1, 0.9, 0,
  ]);
  expect(renormalized([1, 0], 0, 0.3, [true, false])).toEqual([1, 0]);
});

it("what a change did is said: what is written, the answer that moved most, and how many heads look elsewhere", () => {
  const answers = [
    { token: " la", before: 0.5, after: 0.4 },
    { token: "gare", before: 0.25, after: 0.75 },
  ];
  const changes = [0, 0.3, 0.0001].map((change, head) => ({ layer: 0, head, change }));
  const still = { before: "la gare", after: "la gare" };
  expect(consequence({ written: { before: "la gare", after: "gare" }, answers, changes })).toBe(
    "It now writes “gare” instead of “la gare”. “gare” changed most: from 25.0 % to 75.0 %. One head looks elsewhere.",
  );
  expect(consequence({ written: still, answers: [], changes: [] })).toBe(
    "It still writes “la gare”. No answer became more or less likely. No head looks elsewhere.",
  );
});

/** Names of what Tab comes to, from the first thing of the page to the last. */
async function tabStops(page: Page): Promise<string[]> {
  const names: string[] = [];
  await page.locator("page-header a").first().focus();
  for (let n = 0; n < MOST_STOPS; n++) {
    await page.keyboard.press("Tab");
    const name = await page.evaluate(() => {
      let active = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      const label = active instanceof HTMLInputElement ? active.closest("label")?.textContent : undefined;
      return (active?.getAttribute("aria-label") ?? label ?? active?.textContent ?? "").trim();
    });
    if (n > 0 && name === names[0]) break;
    names.push(name);
  }
  return names;
}

itInChromium(
  "a translator is operated on by keyboard alone, on a phone, and the code is copied",
  async () => {
    const live = await openLive(browser(), {
      ...{ viewport: { width: 390, height: 844 }, permissions: ["clipboard-read", "clipboard-write"] },
    });
    const { page } = live;
    try {
      await openTask(page, "Translation");
      await page.getByLabel("An English sentence").fill("Where is the station?");
      await page.getByRole("button", { name: "Change its attention" }).press("Enter");
      await page.locator("[data-after]").first().waitFor();
      const layer = page.getByLabel("Layer to change");
      const lastLayer = "decoder 1, to the sentence";
      expect(await layer.locator("option:checked").textContent()).toBe(lastLayer);
      const consequenceLine = page.locator("[data-consequence]");
      expect(await consequenceLine.textContent()).toBe("");
      await page.getByText("Drag the weights of this row").press("Enter");
      const stops = await tabStops(page);
      for (const action of [
        ...[
          "Layer to change",
          "Head to change",
          "Knock out this head",
          "Query to change",
          "Knock out the query",
        ],
        ...["Key to change", "Hide the key", "Cut query → key", "Pin the row to the key", "Rank exactly"],
        ...["Rank to first order", "Copy as code", "Code"],
      ])
        expect(stops, `Tab comes to “${action}”`).toContain(action);
      expect(stops.filter((stop) => /^station/.test(stop)).length, "the sliders of the row").toBe(1);
      await page.getByRole("button", { name: "Knock out this head" }).press("Enter");
      await consequenceLine.getByText(/^It (still|now) writes “.*% to .* elsewhere\.$/).waitFor();
      // The same once more is no change.
      await page.getByRole("button", { name: "Knock out this head" }).press("Enter");
      expect(await page.getByRole("button", { name: /^Take back/ }).count()).toBe(1);
      await page.getByRole("button", { name: "Pin the row to the key" }).press("Enter");
      await page
        .getByRole("button", { name: /^Take back/ })
        .nth(1)
        .press("Enter");
      const focused = () =>
        page.evaluate(() => {
          let active = document.activeElement;
          while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
          return active?.getAttribute("aria-label") ?? active?.textContent;
        });
      await expect.poll(focused).toBe("Undo");
      await page.keyboard.press("Enter");
      await page
        .getByText(/pinned/)
        .first()
        .waitFor();
      await page.getByRole("button", { name: "Rank to first order" }).press("Enter");
      const effects = page.getByRole("region", { name: "Effects of heads" });
      await effects.getByRole("button", { name: "encoder 0, head 2" }).press("Enter");
      expect(await focused()).toBe("Layer to change");
      expect(await layer.locator("option:checked").textContent()).toBe("encoder 0");
      expect(await page.getByLabel("Head to change").inputValue()).toBe("2");
      await page.getByRole("button", { name: "Copy as code" }).press("Enter");
      await page.getByText("Copied.").waitFor();
      const code = await page.locator("[data-code]").textContent();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(code);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      expect(live.said).toEqual([]);
    } finally {
      await live.close();
    }
  },
);

itInChromium(
  "heads of a translator are knocked out, pinned, ranked and put back, and the code makes the same numbers",
  async () => {
    const live = await openLive(browser());
    const { page } = live;
    try {
      await openTask(page, "Translation");
      await page.getByLabel("An English sentence").fill("Where is the station?");
      await page.getByRole("button", { name: "Change its attention" }).click();
      await page.locator("[data-after]").first().waitFor();
      const before = await chances(page);
      expect(Math.min(...before)).toBeGreaterThan(0.3);
      expect(await page.locator("[data-written]").textContent()).toBe("Où est la gare ?");
      await page.getByLabel("Layer to change").selectOption({ label: "decoder 1, to the sentence" });
      for (const head of ["0", "1", "2"]) {
        await page.getByLabel("Head to change").selectOption({ label: head });
        await page.getByRole("button", { name: "Knock out this head" }).click();
      }
      await expect.poll(() => chances(page), PATIENT).not.toEqual(before);
      await page.getByRole("listitem").nth(2).waitFor();
      await expectSame(page);
      await page.getByText("Heads that look elsewhere").waitFor();
      await page.getByRole("button", { name: "Undo" }).click();
      await page.getByRole("button", { name: "As it was" }).click();
      await expect.poll(() => chances(page), PATIENT).toEqual(before);
      await page.getByRole("button", { name: "Undo" }).click();
      await page.getByRole("button", { name: "As it was" }).click();
      // A row of the last layer, dragged by the keyboard.
      await page.getByText("Drag the weights of this row").click();
      const slider = page.locator('input[type="range"][data-key="1"]');
      await slider.focus();
      await page.keyboard.press("End");
      await page
        .getByText(/pinned/)
        .first()
        .waitFor();
      await expect.poll(() => slider.inputValue()).toBe("1");
      await expectSame(page);
      await page.getByRole("button", { name: "Rank exactly" }).click();
      await page.getByText(/^exact \(\d+ ms\)/).waitFor({ timeout: 30_000 });
      await page.getByRole("button", { name: "Rank to first order" }).click();
      await page.getByText(/^first order \(\d+ ms\)/).waitFor({ timeout: 30_000 });
      expect(await page.getByRole("region", { name: "Effects of heads" }).getByRole("row").count()).toBe(33);
      expect(await violations(page)).toEqual([]);
      await page.setViewportSize({ width: 390, height: 844 });
      await expect.poll(() => overflow(page), PATIENT).toBeLessThanOrEqual(0);
      expect(live.said).toEqual([]);
    } finally {
      await live.close();
    }
  },
);

itInChromium(
  "a language model goes on with its head knocked out, and the code makes the same numbers",
  async () => {
    const live = await openLive(browser());
    const { page } = live;
    try {
      await openTask(page, "Language model");
      await page.getByRole("button", { name: "Change its attention" }).click();
      await page.locator("[data-after]").first().waitFor();
      const before = await chances(page);
      await page.getByLabel("Key to change").selectOption({ index: 3 });
      await page.getByRole("button", { name: "Hide the key" }).click();
      await page.getByRole("button", { name: "Cut query → key" }).click();
      await page.getByRole("listitem").nth(1).waitFor();
      await expect.poll(() => chances(page), PATIENT).not.toEqual(before);
      await expectSame(page);
    } finally {
      await live.close();
    }
  },
);
