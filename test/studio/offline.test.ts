/** The pages without a network: kept whole by their service worker, renewed whole, and never what a reader opened. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import path from "node:path";
import type { BrowserContext, Page } from "@playwright/test";
import { describe, expect, onTestFinished, test } from "vitest";
import { openPlaces } from "../../src/cli/studio/opened.ts";
import { ownFolders } from "../../src/cli/studio/own-folders.ts";
import { startStudioServer } from "../../src/cli/studio/server.ts";
import { Caches, placeOf } from "../../studio/offline/manifest.ts";
import { digestsOf, writeServiceWorker } from "../../tools/offline.mjs";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { watch } from "../support/elements.ts";
import { serve } from "../support/serve.ts";
import { PAGES, testFolder, viewed, WEIGHTS } from "../support/studio.ts";

const browser = browserForTests();
/** For the files of all pages to come. */
const PATIENT = { timeout: 30_000 };
const HTML = readdirSync(PAGES).filter((file) => file.endsWith(".html"));

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** A page with its service worker, and what it says. */
async function opened(address: string, context?: BrowserContext) {
  const own = context ?? (await browser().newContext({ viewport: { width: 1280, height: 900 } }));
  onTestFinished(() => own.close());
  const page = await own.newPage();
  const { said } = watch(page, () => own.close());
  await page.goto(address);
  return { page, said, context: own };
}

/** Waits until the pages are kept. */
async function kept(page: Page): Promise<void> {
  await expect
    .poll(() => page.evaluate(() => navigator.serviceWorker.controller?.state), PATIENT)
    .toBe("activated");
}

/** Addresses that are kept, of all caches. */
const keptAddresses = (page: Page) =>
  page.evaluate(async () => {
    const caches = await Promise.all(
      (await globalThis.caches.keys()).map((name) => globalThis.caches.open(name)),
    );
    const keys = await Promise.all(caches.map((cache) => cache.keys()));
    return keys.flat().map(({ url }) => new URL(url).pathname);
  });

const translation = (page: Page) =>
  page.locator('live-translation [data-status="ready"][data-ms]').waitFor(PATIENT);

describe("places and caches", () => {
  test("a place is an address below the folder, without its query; folders are their index", () => {
    const scope = "https://a.test/b/";
    expect(placeOf(scope, "https://a.test/b/live.html?x=1#y")).toBe("live.html");
    expect(placeOf(scope, scope)).toBe("index.html");
    expect(placeOf(scope, "https://a.test/b/c/")).toBe("c/index.html");
    expect(placeOf(scope, "https://a.test/bc.html")).toBeUndefined();
    expect(placeOf(scope, "https://other.test/b/")).toBeUndefined();
  });

  test("caches of a folder are its own, those of one version of it too", () => {
    const [one, next, other] = [
      new Caches("https://a.test/b/", "1"),
      new Caches("https://a.test/b/", "2"),
      new Caches("https://a.test/", "1"),
    ] as const;
    const names = [one.shell, next.shell, one.kept, other.shell, "another program's"];
    expect(next.others(names)).toEqual([one.shell]);
    expect(other.others(names)).toEqual([]);
    expect(next.own(names)).toEqual([one.shell, next.shell, one.kept]);
  });
});

describe("without a network", () => {
  itInChromium(
    "every page of a folder below another stands, and a model that was used translates",
    async () => {
      const mounts = { "/a/b/weights/": WEIGHTS, "/a/b/": PAGES };
      const { url, server } = await serve(testFolder(), {}, mounts);
      const base = `${url}a/b/`;
      const { page, said } = await opened(`${base}live.html`);
      await translation(page);
      await kept(page);
      await expect
        .poll(() => keptAddresses(page), PATIENT)
        .toContain("/a/b/weights/translation-en/model.safetensors");
      await stop(server);
      for (const file of ["", ...HTML]) {
        await page.goto(base + file);
        await page.locator("main h1").first().waitFor();
      }
      await page.goto(`${base}index.html#d=language-model`);
      await viewed(page, "heed-heatmap");
      await page.goto(`${base}live.html`);
      await translation(page);
      await page.getByLabel("An English sentence").fill("Good evening.");
      await expect
        .poll(() => page.locator("[data-answer]").first().textContent(), PATIENT)
        .toMatch(/^Bonsoir/);
      // A part of a file that is kept, and one that it does not have.
      const parts = await page.evaluate(async () => {
        const address = "weights/translation-en/model.safetensors";
        const ask = (Range: string) => fetch(address, { headers: { Range } });
        const [part, none] = [await ask("bytes=8-15"), await ask("bytes=999999999-")];
        return [
          part.status,
          (await part.arrayBuffer()).byteLength,
          part.headers.get("content-range"),
          none.status,
        ];
      });
      const { length } = readFileSync(path.join(WEIGHTS, "translation-en/model.safetensors"));
      expect(parts).toEqual([206, 8, `bytes 8-15/${length}`, 416]);
      expect(said.filter((line) => !line.includes("416"))).toEqual([]);
    },
  );

  itInChromium("pages of heed studio stand isolated; what a reader opened is not kept", async () => {
    const { folders, places } = openPlaces("heed studio", [path.join(PAGES, "traces/caption.attn")]);
    const options = { folders: [...folders, ...ownFolders(PAGES)], opened: places };
    const server = await startStudioServer({ ...options, port: 0 });
    const { page, said } = await opened(`${server.url}#d=opened-0`);
    await viewed(page, "heed-heatmap");
    await kept(page);
    await page.reload();
    await viewed(page, "heed-heatmap");
    expect(await page.getByRole("combobox", { name: "Document" }).inputValue()).toBe("opened-0");
    await server.close();
    await page.reload();
    await page.getByText("it was a file or a run of yours").waitFor();
    await viewed(page, "heed-heatmap");
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    const addresses = await keptAddresses(page);
    expect(addresses).toContain("/index.html");
    expect(addresses.filter((address) => /^\/(opened|api)\//.test(address))).toEqual([]);
    expect(said).toEqual([]);
  });

  itInChromium("an address that another program answers at is let go of", async () => {
    const server = await startStudioServer({ folders: ownFolders(PAGES), opened: [], port: 0 });
    const { page } = await opened(server.url);
    await kept(page);
    await server.close();
    const other = createServer((_, response) => response.end("<!doctype html><title>other</title>"));
    await new Promise<void>((resolve) => other.listen(server.port, "127.0.0.1", resolve));
    onTestFinished(() => stop(other));
    await page.goto(server.url);
    expect(await page.title()).toBe("other");
    const left = () =>
      page.evaluate(async () => [
        ...(await navigator.serviceWorker.getRegistrations()),
        ...(await globalThis.caches.keys()),
      ]);
    await expect.poll(left, PATIENT).toEqual([]);
  });
});

describe("a newer version", () => {
  itInChromium("comes whole, when the reader says so, and keeps models that are the same", async () => {
    const folder = testFolder();
    cpSync(PAGES, folder, { recursive: true });
    cpSync(path.join(WEIGHTS, "tracking"), path.join(folder, "weights/tracking"), { recursive: true });
    const write = () => {
      const isModel = (place: string) => place.startsWith("weights/");
      return writeServiceWorker(folder, {
        shell: digestsOf(folder, (place) => !isModel(place)),
        kept: digestsOf(folder, isModel),
        ...{ never: [], keepsOthers: false },
      });
    };
    await write();
    const { url, server } = await serve(folder);
    onTestFinished(() => stop(server));
    const { page, said, context } = await opened(`${url}index.html`);
    await viewed(page, "heed-heatmap");
    await kept(page);
    const model = "/weights/tracking/model.safetensors";
    // A file that is not the one of this version is used, and not kept.
    const card = path.join(folder, "weights/tracking/card.json");
    const before = readFileSync(card);
    writeFileSync(card, "{}");
    const read = await page.evaluate(async () => (await fetch("weights/tracking/card.json")).text());
    expect(read).toBe("{}");
    writeFileSync(card, before);
    await page.evaluate(async () => (await fetch("weights/tracking/model.safetensors")).arrayBuffer());
    await expect.poll(() => keptAddresses(page), PATIENT).toContain(model);
    const list = path.join(folder, "traces/traces.json");
    writeFileSync(list, readFileSync(list, "utf8").replace('"title": "', '"title": "New: '));
    const version = await write();
    const titles = (tab: Page) => tab.locator("select option").allTextContents();
    await page.reload();
    await page.getByText("A newer version of these pages has come.").waitFor(PATIENT);
    await viewed(page, "heed-heatmap");
    expect((await titles(page)).join()).not.toContain("New: ");
    const second = await opened(`${url}index.html`, context);
    await viewed(second.page, "heed-heatmap");
    expect((await titles(second.page)).join(), "of one version with the first tab").not.toContain("New: ");
    await page.getByRole("button", { name: "Load it" }).click();
    await expect.poll(async () => (await titles(page)).join(), PATIENT).toContain("New: ");
    await second.page.getByRole("button", { name: "Load it" }).click();
    await expect.poll(async () => (await titles(second.page)).join(), PATIENT).toContain("New: ");
    expect(await page.evaluate(() => globalThis.caches.keys())).toEqual(
      expect.arrayContaining([`heed / shell ${version}`, "heed / kept"]),
    );
    expect((await keptAddresses(page)).filter((address) => address === "/index.html")).toHaveLength(1);
    expect(await keptAddresses(page)).toContain(model);
    expect(await keptAddresses(page)).not.toContain("/weights/tracking/card.json");
    expect([...said, ...second.said]).toEqual([]);
  });

  itInChromium("that has not come whole is none: the older one stays", async () => {
    const folder = testFolder();
    cpSync(PAGES, folder, { recursive: true });
    const { url, server } = await serve(folder);
    const manifest = { kept: {}, never: [], keepsOthers: false };
    await writeServiceWorker(folder, { ...manifest, shell: digestsOf(folder) });
    const { page } = await opened(`${url}index.html`);
    await kept(page);
    writeFileSync(path.join(folder, "heed-elements.js"), "// of another build");
    const shell = { ...digestsOf(folder), "heed-elements.js": "0".repeat(32) };
    await writeServiceWorker(folder, { ...manifest, shell });
    const failed = await page.evaluate(async () => {
      const registration = (await navigator.serviceWorker.getRegistration())!;
      await registration.update();
      const { installing } = registration;
      await new Promise<void>((resolve) => {
        if (!installing || installing.state === "redundant") return resolve();
        installing.addEventListener("statechange", () => installing.state === "redundant" && resolve());
      });
      return [registration.waiting, (await caches.keys()).filter((name) => name.includes("shell")).length];
    });
    expect(failed).toEqual([null, 1]);
    await stop(server);
    await page.reload();
    await viewed(page, "heed-heatmap");
  });
});
