import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect } from "vitest";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { serve } from "../support/serve.ts";
import { openStudio, PAGES, viewed } from "../support/studio.ts";

const browser = browserForTests();
/** For a model that loads and answers. */
const PATIENT = { timeout: 30_000 };
const focusedTag = () => {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active?.tagName;
};
const CELL = 'heed-heatmap [role="gridcell"][tabindex="0"]';

describe("the first load", () => {
  itInChromium("takes 300 kB at most, asks for nothing elsewhere, and can be used at once", async () => {
    const { page, said, requests, url } = await openStudio(browser());
    await viewed(page, "heed-heatmap");
    await page.getByRole("tab", { name: "Statistics" }).waitFor();
    expect(requests.filter((address) => !address.startsWith(url) && !address.startsWith("data:"))).toEqual(
      [],
    );
    const files = [...new Set(requests.filter((address) => address.startsWith(url)))].map((address) => {
      const { pathname } = new URL(address);
      return pathname === "/" ? "index.html" : pathname.slice(1);
    });
    const sizes = files
      .filter((file) => !file.startsWith("api/"))
      .map((file) => gzipSync(readFileSync(path.join(PAGES, file))).length);
    expect(files).toContain("traces/translation.attn");
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300_000);
    await page.locator(CELL).focus();
    await page.keyboard.press("ArrowDown");
    await page.getByText("query 1 “petite”, key 0 “The”").first().waitFor();
    expect(said).toEqual([]);
  });

  itInChromium(
    "works from a folder of another server, without isolation, and says what that means",
    async () => {
      const { url, server } = await serve(PAGES);
      const { page, said } = await openStudio(browser(), { url: `${url}index.html` });
      await viewed(page, "heed-heatmap");
      await page.getByText("not cross-origin isolated: models run on one thread").waitFor();
      expect(said).toEqual([]);
      server.close();
    },
  );

  itInChromium("needs no network once it stands", async () => {
    const { page, said } = await openStudio(browser());
    await viewed(page, "heed-heatmap");
    await page.getByRole("tab", { name: "Statistics" }).click();
    await viewed(page, "heed-statistics");
    await page.context().setOffline(true);
    for (const [tab, tag] of [
      ["Flow", "heed-flow"],
      ["Statistics", "heed-statistics"],
      ["Heat map", "heed-heatmap"],
    ] as const) {
      await page.getByRole("tab", { name: tab }).click();
      await viewed(page, tag);
    }
    expect(said).toEqual([]);
  });
});

describe("a newcomer", () => {
  itInChromium(
    "comes from the first page to a sentence of their own, and what its words looked at",
    async () => {
      const { page, said, url } = await openStudio(browser());
      await viewed(page, "heed-heatmap");
      expect(await page.getByRole("link", { name: "What is attention?" }).getAttribute("href")).toBe(
        "./learn.html",
      );
      await page.getByRole("button", { name: "Try a sentence of your own" }).press("Enter");
      // The field has the focus: one types.
      await expect.poll(() => page.evaluate(focusedTag)).toBe("TEXTAREA");
      await page.keyboard.press("ControlOrMeta+A");
      await page.keyboard.type("I like green tea.");
      await expect
        .poll(() => page.locator("[data-answer]").first().textContent(), PATIENT)
        .toMatch(/thé vert/);
      await page
        .getByRole("listbox", { name: /^Queries/ })
        .getByText("vert", { exact: true })
        .click();
      await page.getByText(/^“vert” attends most to “green” \(0\.\d+\)/).waitFor();
      expect(await page.locator("heed-heatmap").count(), "the map is there once").toBe(1);
      await page.getByRole("link", { name: "Live", exact: true }).click();
      await page.waitForURL(`${url}live.html`);
      expect(await page.getByRole("heading").first().textContent()).toBe("Live models");
      expect(said).toEqual([]);
    },
  );
});

describe("the studio", () => {
  itInChromium("links views, grid, measures, inspector and tokens, by keyboard alone", async () => {
    const { page, said } = await openStudio(browser(), { fragment: "#d=language-model" });
    await viewed(page, "heed-heatmap");
    const inspector = page.locator("studio-inspector");
    await page.getByRole("listbox", { name: /^Queries/ }).focus();
    for (let n = 0; n < 5; n++) await page.keyboard.press("ArrowRight");
    await inspector.getByText("5 “,”").waitFor();
    await page.getByRole("listbox", { name: /^Keys/ }).focus();
    await page.keyboard.press("End");
    const isInView = await page
      .getByRole("option", { selected: true })
      .last()
      .evaluate((option) => {
        const [own, list] = [option, option.parentElement!].map((one) => one.getBoundingClientRect());
        return own!.top >= list!.top - 1 && own!.bottom <= list!.bottom + 1;
      });
    expect(isInView).toBe(true);
    await inspector.locator(".cell", { hasText: "masked" }).waitFor();
    await page.keyboard.press("Home");
    await inspector.getByText(/^rank \d of 6 keys$/).waitFor();
    const scores = await inspector.locator("dl").nth(1).locator("dt, dd").allTextContents();
    const [raw, factor, scaled] = [1, 2, 3].map((n) =>
      Number(scores[n]!.replace("−", "-").replace("× ", "")),
    );
    expect(Math.abs(raw! * factor! - scaled!)).toBeLessThan(0.02);
    await inspector.getByRole("button", { name: "Pin", exact: true }).press("Enter");
    await inspector.getByRole("heading", { name: "Pins" }).waitFor();
    await page.locator("head-list").getByRole("button").first().press("Enter");
    await page.locator('head-list tr[aria-current="true"]').first().waitFor();
    await page.locator("head-list input").fill("0.9");
    await page.getByText("No head has so much.").waitFor();
    await page.locator("head-list input").fill("");
    await page.getByRole("tab", { name: "Heat map" }).focus();
    await page.keyboard.press("End");
    expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Rollout");
    await viewed(page, "heed-rollout");
    await page.locator("details.side > summary").first().press("Enter");
    expect(await page.locator("head-list").isVisible()).toBe(false);
    expect(said).toEqual([]);
  });

  itInChromium("keeps the document, the view and the place in the address", async () => {
    const { page, said, url } = await openStudio(browser());
    await viewed(page, "heed-heatmap");
    await page.getByRole("combobox", { name: "Document" }).selectOption("language-model");
    await page.getByRole("tab", { name: "All heads" }).waitFor();
    await page.getByRole("tab", { name: "Flow" }).click();
    await page.locator("head-list").getByRole("button", { name: "attention 3, head 2" }).click();
    await page.waitForURL(/d=language-model.*view=flow|view=flow.*d=language-model/);
    await expect.poll(() => page.url()).toMatch(/l=3&h=2/);
    await page.reload();
    await viewed(page, "heed-flow");
    await page.locator("studio-inspector").getByText("attention 3, head 2").waitFor();
    await page.goBack();
    await expect.poll(() => page.url()).not.toMatch(/l=3&h=2/);
    await page.goto(`${url}#d=file-1`);
    await page.reload();
    await page.getByText("it was a file or a run of yours").waitFor();
    await viewed(page, "heed-heatmap");
    expect(said).toEqual([]);
  });

  itInChromium("compares a document with another, and its heads where they are of one size", async () => {
    const { page, said } = await openStudio(browser(), {
      fragment: "#d=language-model&l=2&h=1",
      places: [path.join(PAGES, "traces/language-model.attn")],
    });
    await viewed(page, "heed-heatmap");
    await page.getByRole("combobox", { name: "Compare with" }).selectOption("opened-0");
    await viewed(page, "heed-compare");
    await page.getByText("The largest difference is 0.000").waitFor();
    expect(await page.getByRole("combobox", { name: "B:" }).locator("option:checked").textContent()).toBe(
      "B: attention 2, head 1",
    );
    expect(await page.getByRole("button", { name: "Save PNG", exact: true }).first().isDisabled()).toBe(true);
    // Another head of B is in the link, where a second tab finds it.
    const chosen = page.getByRole("combobox", { name: "B:" });
    await chosen.selectOption({ label: "B: attention 3, head 2" });
    await expect.poll(() => page.url()).toMatch(/[#&]b=\d+\.2(&|$)/);
    const second = await page.context().newPage();
    await second.goto(page.url());
    await viewed(second, "heed-compare");
    const choice = (tab: typeof page) =>
      tab.getByRole("combobox", { name: "B:" }).locator("option:checked").textContent();
    expect(await choice(second)).toBe("B: attention 3, head 2");
    await second.close();
    await page.reload();
    await viewed(page, "heed-compare");
    expect(await choice(page)).toBe("B: attention 3, head 2");
    await page.getByRole("combobox", { name: "Compare with" }).selectOption("caption");
    await page.getByText("No head of B has A's 32 queries and 32 keys").waitFor();
    expect(page.url()).not.toMatch(/[#&]b=/);
    await page.getByRole("combobox", { name: "Compare with" }).selectOption("");
    await viewed(page, "heed-view heed-heatmap");
    // Two heads of one document, likewise.
    await page.getByRole("tab", { name: "Compare" }).click();
    await viewed(page, "heed-compare");
    await page.getByRole("combobox", { name: "B:" }).selectOption({ label: "attention 1, head 3" });
    await expect.poll(() => page.url()).toMatch(/[#&]b=\d+\.3(&|$)/);
    await page.reload();
    await viewed(page, "heed-compare");
    expect(await choice(page)).toBe("attention 1, head 3");
    expect(said).toEqual([]);
  });

  itInChromium("takes on the colours that the reader chose, and keeps them", async () => {
    const { page, said } = await openStudio(browser());
    await viewed(page, "heed-heatmap");
    await page.getByRole("combobox", { name: "Colours" }).selectOption("dark");
    const dark = () =>
      page.evaluate(() => {
        const view = document.querySelector("studio-app")!.shadowRoot!.querySelector("heed-view")!;
        const [inner] = view.shadowRoot!.querySelectorAll("heed-heatmap");
        return [document.body, view, inner!].map((element) => getComputedStyle(element).color);
      });
    const light = "rgb(237, 237, 237)";
    await expect.poll(dark).toEqual([light, light, light]);
    await page.reload();
    await viewed(page, "heed-heatmap");
    expect(await dark()).toEqual([light, light, light]);
    expect(said).toEqual([]);
  });
});
