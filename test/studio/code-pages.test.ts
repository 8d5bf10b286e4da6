/** The two pages of the playground on which a reader writes code, in Chromium. */
import type { Page } from "@playwright/test";
import { describe, expect } from "vitest";
import { mechanismFamilies } from "../../tools/studio-mechanisms.mjs";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { overflow, violations } from "../support/elements.ts";
import { openStudio as openServed } from "../support/studio.ts";
import { askedBeyond, openStudio } from "../support/studio-pages.ts";

const browser = browserForTests();
const editor = (page: Page) => page.locator("code-editor textarea");
const SHOWN = { timeout: 30_000 };
const MECHANISMS = "playground-mechanisms.html";
const SCORE = "playground-score.html";

describe("the page of every mechanism", () => {
  itInChromium("draws one, its options change it, and it says what is out of range", async () => {
    const opened = await openStudio(browser(), `${MECHANISMS}#mechanism=topKAttention`);
    const { page } = opened;
    await page.locator("stage-map").first().waitFor(SHOWN);
    expect(opened.gzipped()).toBeLessThan(300_000);
    const kept = () =>
      page.evaluate(() => {
        const { values } = document.querySelector("every-mechanism")!.shadowRoot!.querySelector("stage-map")!;
        return values.at(-1)!.filter((x) => x > 0).length;
      });
    expect(await kept()).toBe(3);
    await page.getByLabel("k", { exact: true }).fill("5");
    await page.keyboard.press("Tab");
    await expect.poll(kept).toBe(5);
    expect(await editor(page).inputValue()).toContain("{ k: 5, causal: true, weights: true }");
    await page.getByLabel("k", { exact: true }).fill("99");
    await page.keyboard.press("Tab");
    await page
      .getByRole("alert")
      .getByText(/^Line 2: topKAttention: k must be from 1 to S = 24, got 99/)
      .waitFor(SHOWN);
    await page.getByRole("button", { name: "Undo what I wrote" }).click();
    await expect.poll(kept).toBe(3);
    expect(opened.said).toEqual([]);
    expect(askedBeyond(opened.requests)).toEqual([]);
    await opened.close();
  });

  itInChromium("lists all of them, finds by what they do, and stops code that does not end", async () => {
    const { page, said, close } = await openStudio(browser(), MECHANISMS);
    const count = mechanismFamilies().reduce((sum, { mechanisms }) => sum + mechanisms.length, 0);
    await page.getByText(`${count} of ${count}`).waitFor();
    await page.getByLabel(/^Search/).fill("sparse transformer");
    await page.getByLabel(/^Search/).fill("surrogate");
    await page.getByRole("button", { name: "spike", exact: true }).click();
    expect(new URL(page.url()).hash).toBe("#mechanism=spike");
    await page.locator("stage-map").first().waitFor(SHOWN);
    await editor(page).fill("const f = (n) => (n > 0 ? f(n - 1) + f(n - 1) : 0);\nreturn tf.scalar(f(40));");
    await page
      .getByRole("alert")
      .getByText(/3000000 steps|was stopped/)
      .waitFor(SHOWN);
    // The next one runs again.
    await editor(page).fill("return causalMask(3, 3);");
    await page.getByRole("gridcell", { name: "row 0, column 2: 0.00" }).waitFor(SHOWN);
    await page.goBack();
    await page.getByRole("heading", { name: "softAttention" }).waitFor();
    expect(said).toEqual([]);
    await close();
  });
});

describe("the page of a reader's own score", () => {
  itInChromium("traces what is written, and leads to the line that is wrong", async () => {
    const opened = await openStudio(browser(), SCORE);
    const { page } = opened;
    await page.getByText(/^Of 16 blocks, 0 skipped, 16 whole, 0 with the mask/).waitFor(SHOWN);
    expect(opened.gzipped()).toBeLessThan(300_000);
    await editor(page).fill("const maskMod = ({ q, k }) =>\n  q >= k;");
    await page
      .getByRole("alert")
      .getByText(/^Line 2: >= cannot be written on a traced value/)
      .waitFor(SHOWN);
    expect(await editor(page).getAttribute("aria-invalid")).toBe("true");
    await page.getByRole("button", { name: "Go to line 2" }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.type("q.greaterEqual(k);");
    await page.getByText(/^Of 16 blocks, 6 skipped, 6 whole, 4 with the mask/).waitFor(SHOWN);
    expect(await editor(page).getAttribute("aria-invalid")).toBe("false");
    // Tab leaves the text.
    await editor(page).focus();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.tagName)).toBe(
      "BUTTON",
    );
    expect(opened.said).toEqual([]);
    await opened.close();
  });

  itInChromium(
    "has sliders for the numbers of the text, and a formula, WGSL and program that follow them",
    async () => {
      const { page, said, close } = await openStudio(browser(), `${SCORE}#score=soft-cap`);
      await page.getByLabel(/^cap/).waitFor(SHOWN);
      await page.getByLabel(/^cap/).focus();
      await page.keyboard.press("Home");
      await expect.poll(() => editor(page).inputValue()).toMatch(/^const cap = 0\.25; /);
      const texts = () =>
        page.evaluate(() => {
          const root = document.querySelector("score-playground")!.shadowRoot!;
          const formulas = [...root.querySelectorAll("math-formula")].map(({ source }) => source!);
          return { formulas, code: [...root.querySelectorAll("pre")].map(({ textContent }) => textContent) };
        });
      await expect.poll(async () => (await texts()).formulas[0]).toBe('"score′" = tanh(score · 4) · 0.25');
      const { formulas, code } = await texts();
      expect(formulas[1]).toContain('\\frac{∂"score′"}{∂score} = ');
      expect(code[0]).toContain("tanh(clamp((score * 4.0), -15.0, 15.0))");
      expect(code[1]).toContain("Math.tanh((score * 4))");
      expect(code[2]).toContain(
        "const result = attention(queries, keys, values, { scoreMod, weights: true });",
      );
      expect(said).toEqual([]);
      await close();
    },
  );
});

describe("under the policy of heed studio", () => {
  itInChromium("which forbids text to become code, written code runs all the same", async () => {
    const { page, said, requests } = await openServed(browser(), { fragment: SCORE });
    await page.locator("stage-map").first().waitFor(SHOWN);
    const worker = requests.find((url) => /code-worker/.test(url))!;
    for (const url of [page.url(), worker]) {
      const policy = (await fetch(url)).headers.get("content-security-policy");
      expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    }
    await editor(page).fill("const scoreMod = (score) => score.mul(2).add(1);");
    const formula = () =>
      page.evaluate(() => document.querySelector("score-playground")!.answer?.formulas[0]?.source);
    await expect.poll(formula, { timeout: 30_000 }).toBe('"score′" = score · 2 + 1');
    expect(said).toEqual([]);
  });
});

const modes = {
  light: [`${SCORE}#score=window`, { colorScheme: "light" }],
  dark: [`${MECHANISMS}#mechanism=spike`, { colorScheme: "dark" }],
  "forced colours": [`${SCORE}#score=causal`, { forcedColors: "active" }],
  "a page of 320 px": [`${MECHANISMS}#mechanism=sinkAttention`, { viewport: { width: 320, height: 640 } }],
} as const;
describe("both", () => {
  for (const [mode, [address, options]] of Object.entries(modes))
    itInChromium(`are without a violation to axe in ${mode}, and fit the page`, async () => {
      const opened = await openStudio(browser(), address, options);
      await opened.page.locator("stage-map").first().waitFor(SHOWN);
      // A text that is wrong is a state as any other.
      await editor(opened.page).fill("return 1 +;");
      await opened.page
        .getByRole("alert")
        .getByText(/^Line 1: This is no TypeScript/)
        .waitFor(SHOWN);
      expect(await violations(opened.page)).toEqual([]);
      expect(await overflow(opened.page)).toBe(0);
      expect(opened.said).toEqual([]);
      await opened.close();
    });
});
