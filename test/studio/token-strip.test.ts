/** The strip of tokens: whole words, special tokens, and how much of a query's weight the keys hold. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Page } from "@playwright/test";
import { describe, expect, it } from "vitest";
import { createTrace, type Trace, traceTensor, writeTrace } from "../../src/inspect/index.ts";
import { readStrip, writeStrip } from "../../studio/app/strip-state.ts";
import { massOf, unitsOf, wordsOf } from "../../studio/app/token-units.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { overflow, violations } from "../support/elements.ts";
import { openStudio, testFolder, viewed } from "../support/studio.ts";

const browser = browserForTests();
const QUERIES = ["[CLS]", "un", "##happi", "##ness", "ends"];
const KEYS = ["[CLS]", "joy", "##ful", "days", "come", "back", "[SEP]"];
// Sums of sixteenths, which float32 has exactly. Query 1 gives 3/8 to a mark and 4/16 + 1/16 to “joyful”.
const WEIGHTS = [
  [10, 1, 1, 1, 1, 1, 1],
  [6, 4, 1, 3, 1, 1, 0],
  [2, 3, 2, 5, 2, 2, 0],
  [2, 5, 4, 2, 2, 1, 0],
  [0, 0, 0, 16, 0, 0, 0],
].map((row) => row.map((sixteenths) => sixteenths / 16));

const example = (): Trace =>
  createTrace({
    name: "pieces of words",
    tokens: { q: QUERIES, k: KEYS },
    layers: [{ name: "x", alignQ: "q", alignK: "k", attn: traceTensor([1, 5, 7], WEIGHTS.flat()) }],
  });

describe("the units of the strip", () => {
  it("are tokens, or words with the tokens that they are made of", () => {
    expect(unitsOf(wordsOf(QUERIES, false)).map(({ text }) => text)).toEqual(QUERIES);
    expect(unitsOf(wordsOf(QUERIES, true))).toEqual([
      { text: "[CLS]", first: 0, end: 1, isSpecial: true },
      { text: "unhappiness", first: 1, end: 4, isSpecial: false },
      { text: "ends", first: 4, end: 5, isSpecial: false },
    ]);
  });

  it("hold the wanted share of the weight, the strongest first; what is masked or no number holds nothing", () => {
    const cells = {
      ...{ rows: 1, columns: 5 },
      values: Float32Array.of(0.125, 0.5, 0, 0.25, Number.NaN),
      kinds: Uint8Array.of(0, 0, 1, 0, 2),
    };
    const facts = massOf(cells, 0.8, (n) => n !== 3);
    expect([...facts.held]).toEqual([1, 3]);
    expect(facts).toMatchObject({ share: 0.75 / 0.875, weighed: 3, hidden: 0.25 / 0.875 });
    const none = massOf({ ...cells, values: new Float32Array(5) }, 0.8, () => true);
    expect(none).toMatchObject({ share: 0, weighed: 0, hidden: 0 });
  });
});

it("the address says how the strip is set, and takes no share that is none", () => {
  const state = { isWhole: true, hidesSpecial: true, mass: 0.55 };
  expect(writeStrip("#d=caption&l=1", state)).toBe("#d=caption&l=1&w=1&sp=0&mass=0.55");
  expect(readStrip(writeStrip("", state))).toEqual(state);
  for (const mass of ["0", "1.5", "x", "", "NaN"]) expect(readStrip(`#mass=${mass}`).mass).toBe(0.7);
});

/** What the strip shows, a list of the options' texts for each line. */
const lines = (page: Page) =>
  page
    .locator("token-strip")
    .evaluate((strip) =>
      [...strip.shadowRoot!.querySelectorAll('[role="listbox"]')].map((list) =>
        [...list.querySelectorAll('[role="option"]')].map((option) => option.textContent!.trim()),
      ),
    );

describe("the strip in the studio", () => {
  itInChromium("puts pieces together, hides marks and shows the mass, by keyboard alone", async () => {
    const file = path.join(testFolder(), "pieces.attn");
    writeFileSync(file, writeTrace(example()));
    const { page, said } = await openStudio(browser(), { places: [file] });
    await viewed(page, "heed-heatmap");
    const strip = page.locator("token-strip");
    const queries = page.getByRole("listbox", { name: /^Queries/ });
    const chosen = (list: RegExp) =>
      page.getByRole("listbox", { name: list }).getByRole("option", { selected: true }).textContent();
    await queries.focus();
    await page.keyboard.press("ArrowRight");
    const rest = KEYS.slice(4);
    expect(await lines(page)).toEqual([QUERIES, ["[CLS] 38 %", "joy 25 %", "##ful", "days 19 %", ...rest]]);
    await strip.getByText("3 of 6 keys hold 81 % of what “un” gives.").waitFor();
    // 3/8 and 1/4 hold 62.5 %: too little for 65, enough for 60.
    const mass = strip.getByRole("slider", { name: "mass" });
    await mass.press("ArrowLeft");
    await strip.getByText("3 of 6 keys hold 81 %").waitFor();
    await mass.press("ArrowLeft");
    await strip.getByText("2 of 6 keys hold 63 % of what “un” gives.").waitFor();
    // The word is the mean of its three pieces, and “joyful” the sum of its two.
    await strip.getByRole("checkbox", { name: "whole words" }).press("Space");
    expect(await lines(page)).toEqual([
      ["[CLS]", "unhappiness", "ends"],
      ["[CLS] 21 %", "joyful 40 %", "days", ...rest],
    ]);
    await queries.press("ArrowRight");
    expect(await chosen(/^Queries/)).toBe("ends");
    await strip.getByText("One key holds 100 % of what “ends” gives.").waitFor();
    await queries.press("ArrowLeft");
    expect(await chosen(/^Queries/)).toBe("unhappiness");
    await page.locator("studio-inspector").getByText("1 “un”").waitFor();
    await strip.getByRole("checkbox", { name: "hide special tokens" }).press("Space");
    await strip.getByText("hidden tokens hold 21 %").waitFor();
    await queries.press("Home");
    expect(await chosen(/^Queries/)).toBe("unhappiness");
    expect((await lines(page))[1]!.map((text) => text.split(" ")[0])).toEqual([
      "joyful",
      "days",
      "come",
      "back",
    ]);
    expect(await violations(page)).toEqual([]);
    expect(page.url()).toMatch(/w=1&sp=0&mass=0.6/);
    await page.reload();
    await strip.getByText("hidden tokens hold 21 %").waitFor();
    await page.setViewportSize({ width: 320, height: 640 });
    await expect.poll(() => overflow(page)).toBe(0);
    expect(said).toEqual([]);
  });

  itInChromium("offers no words and no marks where there are none", async () => {
    const { page } = await openStudio(browser());
    await viewed(page, "heed-heatmap");
    const strip = page.locator("token-strip");
    await strip.getByRole("slider", { name: "mass" }).waitFor();
    expect(await strip.getByRole("checkbox").count()).toBe(0);
  });
});
