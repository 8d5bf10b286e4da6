import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContextOptions, Page } from "@playwright/test";
import { createTrace, type Trace, traceTensor, writeTrace } from "../../src/inspect/index.ts";
import { encodePng } from "../../src/viz/index.ts";

const built = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../dist/elements/${name}.js`, import.meta.url)), "utf8");

/** The built elements: one module without imports. */
export const BUNDLE = built("heed-elements");
/** The built figures, likewise. */
export const FIGURES = built("heed-figures");

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const ORIGIN = "http://heed.test/";

/**
 * Weights of causal self-attention in which head h of layer l leans to the token h + l before. The tokens are also the
 * patches of an image where they stand in `rows`; ten of them do, in two.
 */
export function exampleTrace(
  tokens: readonly string[],
  { L = 2, H = 3, rows = tokens.length === 10 ? 2 : 0 } = {},
): Trace {
  const T = tokens.length;
  const layers = Array.from({ length: L }, (_, l) => {
    const weights = new Float32Array(H * T * T);
    for (let h = 0; h < H; h++)
      for (let t = 0; t < T; t++) {
        const row = weights.subarray((h * T + t) * T, (h * T + t) * T + t + 1);
        for (let s = 0; s <= t; s++) row[s] = Math.exp(-Math.abs(t - s - h - l));
        const sum = row.reduce((total, weight) => total + weight, 0);
        for (let s = 0; s <= t; s++) row[s]! /= sum;
      }
    return {
      name: `encoder.${l}`,
      ...{ alignQ: "src", alignK: "src", maskSpec: { right: 0 }, attn: traceTensor([H, T, T], weights) },
    };
  });
  return createTrace({
    ...{ name: "example", tokens: { src: tokens }, layers },
    ...(rows > 0 ? imageOf({ height: rows, width: T / rows }) : {}),
  });
}

/** A grey image of so many patches. */
function imageOf({ height, width }: { height: number; width: number }) {
  const grid = { height, width, patch: 8, cls: 0 };
  const data = Uint8Array.from({ length: 64 * height * width }, (_, n) => (n * 7) % 256);
  return { grid, image: encodePng({ width: 8 * width, height: 8 * height, channels: 1, data }) };
}

export const SENTENCE = ["<s>", "The", "cat", "sat", "on", "the", "mat", "and", "slept", "."];

/** A page with these elements, and what its console, its dialogs and its network said. */
export interface Opened {
  readonly page: Page;
  readonly said: string[];
  readonly requests: string[];
  close(): Promise<void>;
}

/** Opens a page whose main part is `body`; `/trace.attn` answers with the trace. */
export async function openPage(
  browser: Browser,
  body: string,
  trace: Trace = exampleTrace(SENTENCE),
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 900, height: 900 }, ...options });
  const page = await context.newPage();
  const opened = watch(page, () => context.close());
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Elements</title>
    <meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
    <style>:root{color-scheme:light dark}body{background:light-dark(#fff,#121212);color:light-dark(#000,#fff)}</style></head>
    <body><main><h1>Elements</h1>${body}</main><script type="module" src="/heed-elements.js"></script></body></html>`;
  await context.route(`${ORIGIN}**`, (route) => {
    const path = new URL(route.request().url()).pathname;
    if (path === "/") return route.fulfill({ contentType: "text/html", body: html });
    if (path === "/trace.attn") return route.fulfill({ body: Buffer.from(writeTrace(trace)) });
    if (path === "/heed-figures.js") return route.fulfill({ contentType: "text/javascript", body: FIGURES });
    if (path.endsWith(".js")) return route.fulfill({ contentType: "text/javascript", body: BUNDLE });
    return route.fulfill({ status: 404 });
  });
  await page.goto(ORIGIN);
  return opened;
}

/** Collects what a page says and asks for. */
export function watch(page: Page, close: () => Promise<void>): Opened {
  const said: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("dialog", (dialog) => {
    said.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => requests.push(request.url()));
  return { page, said, requests, close };
}

/** Waits until an element has painted all of its picture. */
export async function painted(page: Page, tag: string): Promise<void> {
  await page.locator(`${tag}[data-ready]`).first().waitFor({ timeout: 20_000 });
}

/** What depends on colours alone; most of the time of axe. */
const COLOURS = ["color-contrast", "link-in-text-block"];

/**
 * What axe finds, as one line each. Legacy mode finds the same on a page without frames, and opens no second page to
 * gather; what passes is neither listed nor given selectors.
 */
export async function violations(page: Page, rules: "all" | "colours" | "others" = "all"): Promise<string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode(true);
  axe.options({ resultTypes: ["violations"], selectors: false });
  if (rules === "colours") axe.withRules(COLOURS);
  else axe.withTags(TAGS);
  if (rules === "others") axe.disableRules(COLOURS);
  const { violations: found } = await axe.analyze();
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}

/** How a page is looked at, and what can be wrong there that was not in light. */
const MODES = [
  { name: "light", media: { colorScheme: "light" }, width: 900, rules: "all" },
  { name: "dark", media: { colorScheme: "dark", reducedMotion: "reduce" }, width: 900, rules: "colours" },
  { name: "forced colours", media: { forcedColors: "active" }, width: 900, rules: "colours" },
  { name: "320 px", media: { colorScheme: "light" }, width: 320, rules: "others" },
] as const;

/** What axe finds in any mode, and where the page is too wide: one page is switched, since opening four costs more than axe. */
export async function violationsInModes(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const { name, media, width, rules } of MODES) {
    await page.emulateMedia({ colorScheme: null, forcedColors: null, reducedMotion: null, ...media });
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    const wide = await overflow(page);
    const wrong = [...(await violations(page, rules)), ...(wide > 0 ? [`${wide} px too wide`] : [])];
    found.push(...wrong.map((line) => `${name}: ${line}`));
  }
  return found;
}

/** The label of the active cell, once it has the focus. */
export async function focusedLabel(page: Page): Promise<string> {
  return page.evaluate(() => {
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    return active?.getAttribute("aria-label") ?? "";
  });
}

/** How many pixels of the page lie beyond its right edge. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Whether a script that someone else puts into the page runs there. */
export async function runsForeignScripts(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "globalThis.foreign = true";
    document.body.append(script);
    return "foreign" in globalThis;
  });
}

/** What a page that lies in page.html asked for beyond itself. */
export const askedElsewhere = (requests: readonly string[]): string[] =>
  requests.filter((url) => !/^(file:.*page\.html|data:|blob:)/.test(url));
