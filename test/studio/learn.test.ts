import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Page } from "@playwright/test";
import { describe, expect, test } from "vitest";
import { CHAPTERS, MORE } from "../../studio/learn/chapters.ts";
import { presetNamed } from "../../studio/playground/presets/index.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { overflow, violations } from "../support/elements.ts";
import { askedBeyond, openStudio } from "../support/studio-pages.ts";

const browser = browserForTests();

/** Shows all steps of a chapter at once. */
const showAll = (page: Page) =>
  page.evaluate(() => {
    for (const section of document.querySelectorAll<HTMLElement>("section[hidden]")) section.hidden = false;
  });

/** Sets numbers of a lab, as its reader would, and gives what it says then. */
const said = (page: Page, tag: string, values: Record<string, number> = {}): Promise<string> =>
  page.evaluate(
    async ([name, given]) => {
      const lab = document.querySelector(name) as HTMLElement & { updateComplete: Promise<unknown> };
      for (const [key, value] of Object.entries(given)) {
        const control = lab.shadowRoot!.querySelector<HTMLInputElement>(`#control-${key}`)!;
        control.value = String(value);
        control.dispatchEvent(new Event(control.tagName === "SELECT" ? "change" : "input"));
        await lab.updateComplete;
      }
      return lab.shadowRoot!.querySelector(".readout")!.textContent!.replace(/\s+/g, " ").trim();
    },
    [tag, values] as const,
  );

/** Leaves two maps of numbers and six formulas on a page: axe looks at every cell and letter, and all are the same elements. */
const thin = (page: Page) =>
  page.evaluate(() => {
    const within = (root: ParentNode): Element[] =>
      [...root.querySelectorAll("*")].flatMap((one) => [
        one,
        ...(one.shadowRoot ? within(one.shadowRoot) : []),
      ]);
    const all = within(document);
    const named = (tag: string) => all.filter(({ localName }) => localName === tag);
    for (const one of [...named("stage-map").slice(2), ...named("math-formula").slice(6)]) one.remove();
  });

const PAGES = [...CHAPTERS, ...MORE].map(({ page }) => page);
const WIDE = { colorScheme: "light" } as const;
const NARROW = { colorScheme: "dark", viewport: { width: 320, height: 640 } } as const;

describe("the pages of the path", () => {
  for (const [n, name] of PAGES.entries()) {
    const isWide = n % 2 === 0;
    itInChromium(
      `draw every step of ${name} offline, fit a phone, and are without a violation to axe`,
      async () => {
        const opened = await openStudio(browser(), `${name}.html`, isWide ? WIDE : NARROW);
        const { page } = opened;
        await showAll(page);
        await page.waitForFunction(() =>
          [...document.querySelectorAll("section *")].every((element) => element.matches(":defined")),
        );
        expect(await overflow(page)).toBe(0);
        await page.setViewportSize({ width: isWide ? 320 : 1280, height: 800 });
        expect(await overflow(page)).toBe(0);
        await page.setViewportSize({ width: isWide ? 1280 : 320, height: 800 });
        expect(await page.getByText(/SyntaxError|There is no mechanism/).count()).toBe(0);
        await thin(page);
        expect(await violations(page)).toEqual([]);
        expect(opened.gzipped()).toBeLessThan(300_000);
        expect(opened.said).toEqual([]);
        expect(askedBeyond(opened.requests)).toEqual([]);
        await opened.close();
      },
    );
  }

  itInChromium("lead from step to step by keyboard, and remember what was read", async () => {
    const { page, said: heard, close } = await openStudio(browser(), "learn.html");
    await page.getByRole("heading", { name: "A dot product says" }).waitFor();
    expect(await page.getByRole("heading", { level: 2 }).count()).toBe(1);
    await page.getByRole("link", { name: "Next step" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Scores become shares" }).waitFor();
    expect(new URL(page.url()).hash).toBe("#weights");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Scores become shares");
    await page.reload();
    await page.getByText("2 steps read").first().waitFor();
    await page.goto("http://studio.test/learn.html#history");
    await page.getByRole("link", { name: /^Next: Scores, masks/ }).click();
    await page.getByRole("heading", { name: "Why the score is divided" }).waitFor();
    expect(heard).toEqual([]);
    await close();
  });

  itInChromium("are text to read where no script runs, with their formulas as they are written", async () => {
    const { page, close } = await openStudio(browser(), "learn.html", { javaScriptEnabled: false });
    const text = await page.locator("main").textContent();
    for (const part of [
      "A dot product says",
      "Scores become shares",
      "out = ∑_s α_s v_s",
      "Where it comes from",
    ])
      expect(text).toContain(part);
    await close();
  });

  test("link to pages, steps and mechanisms that exist", () => {
    const folder = path.resolve(import.meta.dirname, "../../studio");
    const read = (name: string) => readFileSync(path.join(folder, name), "utf8");
    const dead = PAGES.flatMap((name) =>
      [...read(`${name}.html`).matchAll(/<a [^>]*href="(\.\/|#)([^"]*)"/g)].flatMap(([, start, rest]) => {
        const [file, step = ""] = start === "#" ? [`${name}.html`, rest!] : rest!.split("#");
        const preset = /^preset=([a-z-]+)/.exec(step)?.[1];
        const isThere = existsSync(path.join(folder, file!));
        const isStep = preset ? presetNamed(preset) : step === "" || read(file!).includes(`id="${step}"`);
        return isThere && isStep ? [] : [`${name}: ${start}${rest}`];
      }),
    );
    expect(dead).toEqual([]);
  });

  test("name examples that exist, and mechanisms of the playground", () => {
    const root = path.resolve(import.meta.dirname, "../..");
    const papers = readFileSync(path.join(root, "studio/papers.html"), "utf8");
    const examples = [...papers.matchAll(/node examples\/([\w-]+\.mjs)/g)].map(([, file]) => file!);
    expect(examples.length).toBeGreaterThanOrEqual(20);
    // Every paper has its equations and something to run.
    const sections = papers.split("<section ").filter((section) => section.includes("data-preset"));
    expect(
      sections.filter(
        (section) => !(section.includes("Run it: <code>") && section.includes("<math-formula>")),
      ),
    ).toEqual([]);
    const claims = [...papers.matchAll(/npm run prove -- ([\w/-]+)/g)].map(([, claim]) => claim!);
    const measured = readFileSync(path.join(root, "proofs/measured.json"), "utf8");
    expect(claims.filter((claim) => !measured.includes(`"${claim}"`))).toEqual([]);
    expect(examples.filter((file) => !existsSync(path.join(root, "examples", file)))).toEqual([]);
    const mechanisms = [...papers.matchAll(/data-preset="([\w-]+)"/g)].map(([, name]) => name!);
    expect(mechanisms.filter((name) => !presetNamed(name))).toEqual([]);
  });
});

describe("the labs", () => {
  itInChromium("show what the text says: shares, scale, masks, temperature", async () => {
    const first = await openStudio(browser(), "learn.html");
    await showAll(first.page);
    expect(await said(first.page, "lab-similarity", { q: 0, ql: 2, k: 90, kl: 1 })).toMatch(
      /= 0\.00\. They have little/,
    );
    expect(await said(first.page, "lab-weights", { shift: 100 })).toMatch(
      /sum to 1\.000\. .* no weight has changed/,
    );
    expect(await said(first.page, "lab-sum", { length: 0 })).toMatch(/asks for nothing/);
    await first.close();
    const second = await openStudio(browser(), "learn-scores.html");
    await showAll(second.page);
    const entropies = async (D: number) =>
      (await said(second.page, "lab-scale", { D })).match(/\d\.\d\d/g)!.map(Number) as [number, number];
    const [narrow, wide] = [await entropies(0), await entropies(8)];
    expect(narrow[0]).toBeCloseTo(narrow[1], 5);
    expect(wide[0]).toBeGreaterThan(0.85);
    expect(wide[1]).toBeLessThan(0.1);
    expect(await said(second.page, "lab-mask", { poison: 1, causal: 1 })).toMatch(
      /every output is a number still/,
    );
    expect(await said(second.page, "lab-temperature", { normalize: 5 })).toMatch(
      /1 of 5 weights above 0\. The gradient is 0/,
    );
    expect(await said(second.page, "lab-temperature", { normalize: 0, tau: 4 })).not.toMatch(/gradient is 0/);
    expect([...first.said, ...second.said]).toEqual([]);
    await second.close();
  });

  itInChromium("show what the text says: positions, products, online softmax, tiles", async () => {
    const layers = await openStudio(browser(), "learn-layers.html");
    await showAll(layers.page);
    expect(await said(layers.page, "lab-positions", { positions: 0 })).toMatch(/at most 0\.000\./);
    expect(await said(layers.page, "lab-positions", { positions: 1 })).toMatch(
      /at most 0\.[1-9]|at most [1-9]/,
    );
    expect(await said(layers.page, "lab-product", { wx: 0, wa: 0 })).toMatch(
      /error 0\.174\. No plane is nearer than 0\.174/,
    );
    expect(await said(layers.page, "lab-product", { net: 1 })).toMatch(/error 0\.000/);
    await layers.close();
    const fast = await openStudio(browser(), "learn-fast.html#online");
    await showAll(fast.page);
    const next = fast.page.locator("lab-online").getByRole("button", { name: "Next block" });
    for (let n = 0; n < 3; n++) await next.click();
    const end = await said(fast.page, "lab-online");
    const [, out, lse] = /Kept now: out (\S+), lse (\S+)\. /.exec(end)!;
    expect(end).toContain(`All at once it is ${out} and ${lse}: the same.`);
    expect(await said(fast.page, "lab-flash", { side: 1, kind: 1 })).toMatch(
      /^Tile 1 of 10: queries 0 to 1 meet keys 0 to 1\. Query 0 had seen nothing/,
    );
    await fast.page.locator("lab-flash").getByRole("button", { name: "Next tile" }).click();
    expect(await said(fast.page, "lab-flash")).toMatch(/^Tile 2 of 10: .* 2 of 8 queries are done/);
    await fast.page.locator("lab-flash").getByRole("button", { name: "To the end" }).click();
    expect(await said(fast.page, "lab-flash")).toMatch(
      /^Tile 10 of 10: .* counts exp\(.*\) = 0\.\d{3}, .* 8 of 8 queries are done, .* to the sixth decimal\. 28 numbers/,
    );
    expect(await said(fast.page, "lab-flash", { kind: 0, side: 2 })).toMatch(/of 4: .* sixth decimal/);
    expect(await said(fast.page, "lab-tiles", { rule: 1, block: 1 })).toMatch(
      /28 tiles whole, 8 with a mask, 28 skipped/,
    );
    await fast.page.goto(new URL("#on", fast.page.url()).href);
    await fast.page.getByRole("link", { name: "Next: change a model that runs" }).click();
    await fast.page.waitForURL(/live\.html/);
    expect([...layers.said, ...fast.said]).toEqual([]);
    await fast.close();
  });

  itInChromium(
    "let a Gaussian find its place from afar, and a spatial transformer from one pixel",
    async () => {
      const { page, said: heard, close } = await openStudio(browser(), "learn-glimpses.html#basin");
      expect(await said(page, "lab-footprint")).toMatch(/hears of 75/);
      const search = async (offset: number) => {
        await said(page, "lab-basin", { offset, sigma: 2 });
        await page.locator("lab-basin").getByRole("button", { name: "Search" }).click();
        const answer = page.locator("lab-basin").getByText(/^The Gaussian glimpse (found|ended)/);
        await answer.waitFor({ timeout: 60_000 });
        return (await answer.textContent())!.replace(/\s+/g, " ").trim();
      };
      expect(await search(1)).toBe("The Gaussian glimpse found it. The spatial transformer found it.");
      expect(await search(8)).toMatch(
        /^The Gaussian glimpse found it\. The spatial transformer ended [5-9]\.\d pixels away\.$/,
      );
      expect(heard).toEqual([]);
      await close();
    },
  );
});
