import { describe, expect, test } from "vitest";
import { createTrace, traceTensor } from "../../src/inspect/index.ts";
import { drawTrace, type View } from "../../src/views/index.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import {
  exampleTrace,
  FIGURES,
  openPage,
  painted,
  SENTENCE,
  violations,
  violationsInModes,
} from "../support/elements.ts";
import { IMAGE, selfTrace, WORDS } from "../views/support.ts";

const browser = browserForTests();

const LOAD = '<script type="module" src="/heed-figures.js"></script>';
const TAGS = ["heed-heads", "heed-neuron", "heed-statistics", "heed-rollout", "heed-glimpse", "heed-gates"];
const CELL = '[role="gridcell"][tabindex="0"]';

/** Two layers of q and k, an image with two glimpses, and two gates. */
const fullTrace = () =>
  selfTrace({
    name: "all of it",
    tokens: { src: ["<b>", "</script>", ...WORDS.slice(2)] },
    image: IMAGE,
    glimpses: [
      traceTensor([2, 3], [0.5, 0, 0.2, 0, 0.5, -0.1]),
      traceTensor([2, 3], [0.25, 0.1, 0, -0.1, 0.25, 0]),
    ],
    gates: {
      channels: traceTensor([5], [0.1, 0.9, 0.5, 0.3, 0.7]),
      places: traceTensor([2, 3], [0, 0.2, 0.4, 0.6, 0.8, 1]),
    },
  });

describe("heed-figures.js", () => {
  test("imports nothing", () => {
    expect(FIGURES).not.toMatch(/\bimport\s*[{*"'`]/);
  });

  itInChromium(
    "draws every view without a violation to axe in light, dark, forced colours and 320 px, and fits the page",
    async () => {
      const body = `${LOAD}${TAGS.map((tag) => `<${tag} src="/trace.attn"></${tag}>`).join("")}`;
      const { page, said, close } = await openPage(browser(), body, fullTrace());
      for (const tag of TAGS) await painted(page, tag);
      expect(await violationsInModes(page)).toEqual([]);
      expect(said).toEqual([]);
      await close();
    },
  );

  itInChromium(
    "<heed-figure> gives the text that drawTrace gives, for the layer, head and query chosen",
    async () => {
      const body = `${LOAD}<heed-figure src="/trace.attn" view="neuron"></heed-figure>`;
      const trace = fullTrace();
      const { page, said, close } = await openPage(browser(), body, trace, { colorScheme: "light" });
      await painted(page, "heed-figure");
      const choose = (label: string, value: string) =>
        page.getByRole("combobox", { name: label }).selectOption(value);
      const svg = () => page.evaluate(() => document.querySelector("heed-figure")!.exportSvg());
      await choose("Layer", "1");
      await choose("Head", "1");
      await choose("Query", "2");
      const wanted = { layer: 1, head: 1, title: "", theme: "light" } as const;
      expect(await svg()).toBe(drawTrace(trace, { ...wanted, view: "neuron", query: 2 }));
      await choose("View", "heatmap");
      expect(await svg()).toBe(drawTrace(trace, { ...wanted, view: "heatmap" }));
      await choose("View", "rollout");
      await choose("Through", "1");
      const through = drawTrace(trace, { ...wanted, view: "rollout", through: "flow" });
      expect(await svg()).toBe(through);
      await choose("Through", "2");
      await page.getByRole("alert").getByText("must have the gradient of its weights").waitFor();
      await choose("View", "heatmap");
      const saved = page.waitForEvent("download");
      await page.getByRole("button", { name: "Save SVG" }).click();
      expect((await saved).suggestedFilename()).toBe("heed-heatmap.svg");
      expect(said).toEqual([]);
      await close();
    },
  );

  itInChromium(
    "says what a view lacks and goes on with another; <script> in a token stays text",
    async () => {
      const body = `${LOAD}<heed-figure src="/trace.attn" view="neuron"></heed-figure>`;
      const tokens = ["<script>alert(1)</script>", ...SENTENCE.slice(1)];
      const { page, said, close } = await openPage(browser(), body, exampleTrace(tokens));
      await page.getByRole("alert").getByText("must have q and k for the view neuron").waitFor();
      await page.getByRole("combobox", { name: "View" }).selectOption("statistics");
      await painted(page, "heed-figure");
      expect(await page.getByRole("alert").count()).toBe(0);
      await page.getByRole("combobox", { name: "View" }).selectOption("heatmap");
      expect(await page.locator("heed-figure script").count()).toBe(0);
      expect(said).toEqual([]);
      await close();
    },
  );

  itInChromium(
    "<heed-glimpse> steps through the glimpses by list, buttons and keys, and plays them",
    async () => {
      const body = `${LOAD}<heed-glimpse src="/trace.attn"></heed-glimpse>`;
      const trace = fullTrace();
      const { page, said, close } = await openPage(browser(), body, trace, { colorScheme: "light" });
      await painted(page, "heed-glimpse");
      const svg = () => page.evaluate(() => document.querySelector("heed-glimpse")!.exportSvg());
      const drawn = (step?: number) =>
        drawTrace(trace, { view: "glimpse", title: "", theme: "light", ...(step !== undefined && { step }) });
      expect(await svg()).toBe(drawn());
      const list = page.getByRole("combobox", { name: "Step" });
      await page.getByRole("button", { name: "Next step" }).click();
      expect([await list.inputValue(), await svg()]).toEqual(["1", drawn(0)]);
      await page.getByRole("group", { name: "Picture" }).focus();
      await page.keyboard.press(".");
      expect([await list.inputValue(), await svg()]).toEqual(["2", drawn(1)]);
      expect(await page.getByRole("button", { name: "Next step" }).isDisabled()).toBe(true);
      await page.keyboard.press(",");
      expect(await svg()).toBe(drawn(0));
      await list.selectOption("0");
      expect(await svg()).toBe(drawn());
      await page.getByRole("group", { name: "Picture" }).focus();
      await page.keyboard.press("p");
      expect(await svg()).toBe(drawn(0));
      await page.getByRole("button", { name: "Stop" }).waitFor();
      await expect.poll(svg, { timeout: 5000 }).toBe(drawn(1));
      await page.getByRole("button", { name: "Play" }).waitFor();
      expect(await violations(page)).toEqual([]);
      expect(said).toEqual([]);
      await close();
    },
  );

  itInChromium("<heed-marginals> shows the first Gaussian glimpse, or the one that is chosen", async () => {
    const body = `${LOAD}<heed-view src="/trace.attn"></heed-view>`;
    const gaussian = (u: number) => traceTensor([6], [u, 1, 0.8, 8, 1.2, 0.9]);
    const sizes = {
      glimpseSizes: [
        [4, 4],
        [5, 3],
        [5, 3],
      ] as const,
    };
    const glimpses = [traceTensor([2, 3], [0.5, 0, 0, 0, 0.5, 0]), gaussian(3), gaussian(9)];
    const trace = createTrace({ ...fullTrace(), ...sizes, glimpses });
    const { page, said, close } = await openPage(browser(), body, trace, { colorScheme: "light" });
    await page.getByRole("tab", { name: "Marginals" }).click();
    await painted(page, "heed-marginals");
    const svg = () =>
      page.evaluate(() =>
        document.querySelector("heed-view")!.shadowRoot!.querySelector("heed-marginals")!.exportSvg(),
      );
    const drawn = (step: number) =>
      drawTrace(trace, { view: "marginals", title: "", theme: "light", palette: "viridis", step });
    expect(await svg()).toBe(drawn(1));
    await page.getByRole("combobox", { name: "Step" }).selectOption("3");
    expect(await svg()).toBe(drawn(2));
    await page.getByRole("combobox", { name: "Step" }).selectOption("1");
    await page.getByRole("alert").getByText("glimpse 0 must be Gaussian").waitFor();
    expect(await violations(page)).toEqual([]);
    expect(said).toEqual([]);
    await close();
  });

  itInChromium(
    "<heed-heads> takes heads in and out by Space, and Alt and Space leaves one alone",
    async () => {
      const body = `${LOAD}<heed-heads src="/trace.attn"></heed-heads>`;
      const trace = exampleTrace(SENTENCE, { H: 9 });
      const { page, said, close } = await openPage(browser(), body, trace, { colorScheme: "light" });
      await painted(page, "heed-heads");
      const svg = () => page.evaluate(() => document.querySelector("heed-heads")!.exportSvg());
      const drawn = (head: number[]) =>
        drawTrace(trace, { view: "heads", layer: 0, head, title: "", theme: "light" });
      const box = (name: string) => page.getByRole("checkbox", { name, exact: true });
      // Marked as disabled, for which playwright would wait.
      await box("head 8").click({ force: true });
      expect(await box("head 8").isChecked(), "a ninth").toBe(false);
      await box("head 2").focus();
      await page.keyboard.press(" ");
      await box("head 8").click();
      expect(await svg()).toBe(drawn([0, 1, 3, 4, 5, 6, 7, 8]));
      await box("head 4").focus();
      await page.keyboard.press("Alt+ ");
      expect(await svg()).toBe(drawn([4]));
      await page.keyboard.press(" ");
      expect(await box("head 4").isChecked(), "the last one").toBe(true);
      await box("head 6").click();
      expect(await svg()).toBe(drawn([4, 6]));
      await page.locator("heed-heads").getByText("head 1", { exact: true }).dblclick();
      expect(await svg()).toBe(drawn([1]));
      await page.getByRole("button", { name: "First 8 heads" }).click();
      expect(await svg()).toBe(drawn([0, 1, 2, 3, 4, 5, 6, 7]));
      expect(await violations(page)).toEqual([]);
      expect(said).toEqual([]);
      await close();
    },
  );

  itInChromium(
    "gives <heed-view> a tab for each view that the trace has, with the same selection",
    async () => {
      const body = `${LOAD}<heed-view src="/trace.attn"></heed-view>`;
      const { page, said, close } = await openPage(browser(), body, fullTrace());
      await painted(page, "heed-heatmap");
      await page.locator(CELL).focus();
      await page.keyboard.press("]");
      const tabs = await page.getByRole("tab").allTextContents();
      expect(tabs).toEqual([
        "Heat map",
        "Flow",
        "All heads",
        "Compare",
        "Heads",
        "Neurons",
        "Statistics",
        "Rollout",
        "Glimpses",
        "Gates",
      ]);
      await page.getByRole("tab", { name: "Neurons" }).click();
      await painted(page, "heed-neuron");
      expect(await page.getByRole("combobox", { name: "Head" }).inputValue()).toBe("1");
      expect(await violations(page)).toEqual([]);
      expect(said).toEqual([]);
      await close();
    },
  );
});

test("every view that a figure draws is one of heed/views", () => {
  const views: View[] = ["heads", "neuron", "statistics", "rollout", "glimpse", "gates"];
  for (const view of views) expect(drawTrace(fullTrace(), { view })).toMatch(/^<svg/);
});
