/** The site: made from the documents, every link looked at, read in Chromium from its files as somebody offline reads it. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { BrowserContextOptions } from "@playwright/test";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keepSite } from "../../tools/site/keep.mjs";
import { brokenLinks } from "../../tools/site/links.mjs";
import { renderMarkdown } from "../../tools/site/markdown.mjs";
import { writePages } from "../../tools/site/write.mjs";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { overflow, violations, violationsInModes, watch } from "../support/elements.ts";
import { serve } from "../support/serve.ts";

const root = path.resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(path.join(tmpdir(), "heed-site-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The studio and the reference are made apart; see test/studio, and `npm run site` for the whole. */
const APART = ["studio/", "api/"];
let pages: string[];
beforeAll(async () => {
  pages = await writePages({ root, folder });
});

const asIs = (link: string) => link;

describe("the pages", () => {
  test("every link leads to a page, a file or an anchor that is there; none asks another server", () => {
    expect(brokenLinks(folder, { ignore: APART })).toEqual([]);
    expect(pages).toEqual(
      expect.arrayContaining(["index.html", "mechanisms/score.html", "guides/vite.html"]),
    );
  });

  test("a link that leads nowhere, to no anchor, to a folder or out of the site is found", () => {
    const broken = path.join(folder, "..", `${path.basename(folder)}-broken`);
    cpSync(path.join(folder, "assets"), path.join(broken, "assets"), { recursive: true });
    const links = ["gone.html", "#gone", "assets", "../out.html"];
    const html = `${links.map((link) => `<a href="${link}">x</a>`).join("")}<img src="https://a.test/b.png">`;
    const state = '<a href="page.html#preset=causal&amp;T=4">an address that is a state leads somewhere</a>';
    writeFileSync(path.join(broken, "page.html"), html + state);
    const found = brokenLinks(broken);
    rmSync(broken, { recursive: true });
    expect(found).toHaveLength(links.length + 1);
  });

  test("a document that links to what is not there stops the build", async () => {
    const copy = mkdtempSync(path.join(tmpdir(), "heed-site-"));
    writeFileSync(path.join(copy, "README.md"), "# heed\n\n[gone](docs/GONE.md)\n");
    await expect(writePages({ root: copy, folder: path.join(copy, "site") })).rejects.toThrow(
      "site: README.md links to docs/GONE.md, which is not there; mend the link",
    );
    rmSync(copy, { recursive: true });
  });
});

describe("renderMarkdown", () => {
  test("gives headings the anchors that they have in the repository, the second of a name a number", () => {
    const { html } = renderMarkdown("# `adaptiveSpan`\n## Bars, of all!\n## Bars, of all!\n", asIs);
    expect([...html.matchAll(/id="([^"]*)"/g)].map(([, id]) => id)).toEqual([
      "adaptivespan",
      "bars-of-all",
      "bars-of-all-1",
    ]);
  });

  test("links papers, and resolves the links and pictures of the document", () => {
    const text = '[a](b.md) ![c](d.svg)\n\n<img src="e.svg" alt="e">\n\nPaper: arxiv.org/abs/1706.03762.\n';
    const { html } = renderMarkdown(text, (link) => `x/${link}`);
    for (const part of [
      'href="x/b.md"',
      'src="x/d.svg"',
      'src="x/e.svg"',
      '<a href="https://arxiv.org/abs/1706.03762">arxiv.org/abs/1706.03762</a>.',
    ])
      expect(html).toContain(part);
  });

  test("keeps the text of each section for the search", () => {
    const { sections } = renderMarkdown(
      "# A\n\none\n\n## B\n\n| two |\n| --- |\n| three |\n\n```js\nfour\n```\n",
      asIs,
    );
    expect(sections.map(({ title, text }) => [title, text.trim().split(/\s+/)])).toEqual([
      ["A", ["one"]],
      ["B", ["two", "three", "four"]],
    ]);
  });
});

const browser = browserForTests();

async function open(place: string, options: BrowserContextOptions = {}) {
  const context = await browser().newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const opened = watch(page, () => context.close());
  await page.goto(pathToFileURL(path.join(folder, place)).href);
  return opened;
}

describe("the site in a browser", () => {
  /** Axe takes its time: in light it sees a page of each kind, in every mode the one with the most. */
  const KINDS = ["index.html", "mechanisms/quantum.html", "guides/vite.html"];
  const WIDEST = "benchmarks.html";

  itInChromium("is clean to axe, fits and says nothing: a page of each kind", async () => {
    for (const place of KINDS) {
      const { page, said, close } = await open(place, { colorScheme: "light" });
      expect(said, place).toEqual([]);
      // Axe asks for the style sheet once more, which a page from a file may not: it says so, and goes on.
      expect(await violations(page), place).toEqual([]);
      expect(await overflow(page), place).toBeLessThanOrEqual(0);
      await close();
    }
  });

  itInChromium("is clean to axe, fits and says nothing: light, dark, forced colours and 320 px", async () => {
    const { page, said, close } = await open(WIDEST);
    expect(said).toEqual([]);
    expect(await violationsInModes(page)).toEqual([]);
    await close();
  });

  itInChromium(
    "finds a mechanism by its name, and by what is said of it, and goes there by keyboard",
    async () => {
      const { page, said, close } = await open("benchmarks.html");
      await page.getByLabel("Search").fill("adaptiveSp");
      await page.getByRole("link", { name: "adaptiveSpan" }).waitFor();
      await page.getByLabel("Search").fill("bahdanau small network");
      await page.getByRole("link", { name: "additiveScore" }).first().waitFor();
      await page.getByLabel("Search").fill("zzzzzz");
      await page.getByText("Nothing was found.").waitFor();
      await page.getByLabel("Search").fill("adaptiveSpan");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.waitForURL(/mechanisms\/adaptive\.html#adaptivespan$/);
      expect(said).toEqual([]);
      await close();
    },
  );

  itInChromium("is read without JavaScript too", async () => {
    const { page, close } = await open("mechanisms/score.html", { javaScriptEnabled: false });
    await page.getByRole("heading", { name: "additiveScore" }).waitFor();
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Choosing" }).click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    await close();
  });
});

describe("the site from a server", () => {
  itInChromium("is read without a network: the pages of the menu, and others that were read", async () => {
    const version = await keepSite(folder);
    const { url, server } = await serve(folder);
    const context = await browser().newContext();
    const page = await context.newPage();
    const { said } = watch(page, () => context.close());
    await page.goto(`${url}index.html`);
    const keeps = () => page.evaluate(() => navigator.serviceWorker.controller?.state);
    await expect.poll(keeps, { timeout: 30_000 }).toBe("activated");
    const read = pages.find((place) => place.startsWith("sources/"))!;
    await page.goto(url + read);
    await page.getByRole("heading", { level: 1 }).waitFor();
    const names = () =>
      page.evaluate(async () =>
        (await (await caches.open((await caches.keys())[0]!)).keys()).map(({ url }) => url),
      );
    await expect.poll(names).toContain(url + read);
    server.close();
    server.closeAllConnections();
    for (const place of ["", "mechanisms/score.html", "benchmarks.html", read]) {
      await page.goto(url + place);
      await page.getByRole("heading", { level: 1 }).waitFor();
    }
    await page.getByLabel("Search").fill("adaptiveSp");
    await page.getByRole("link", { name: "adaptiveSpan" }).waitFor();
    expect(await page.evaluate(() => caches.keys())).toContain(`heed / shell ${version}`);
    expect(said).toEqual([]);
    await context.close();
  });
});

test("the styles are those of the studio's pages and the site's own", () => {
  const css = readFileSync(path.join(folder, "assets/site.css"), "utf8");
  for (const file of ["studio/shell/page.css", "tools/site/site.css"])
    expect(css).toContain(readFileSync(path.join(root, file), "utf8"));
});
