/** Models of a hub, opened by their name in the page: fetched when the reader says so, checked, kept, and every failure answered. */
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import type { Page } from "@playwright/test";
import { describe, expect, onTestFinished, test } from "vitest";
import { ownFolders } from "../../src/cli/studio/own-folders.ts";
import { startStudioServer } from "../../src/cli/studio/server.ts";
import { MODEL_TYPES } from "../../src/models/pretrained/index.ts";
import { RUN_HERE } from "../../studio/live/hub/fetch.ts";
import { placeOfModel } from "../../studio/live/hub/place.ts";
import { status } from "../data/file-server.ts";
import { browserForTests, itInChromium, withoutServiceWorker } from "../support/chromium.ts";
import { overflow, violations, watch } from "../support/elements.ts";
import { PAGES } from "../support/studio.ts";
import { modelFolder } from "../tasks/pretrained/fixture.ts";
import { repositoryFiles } from "../tasks/pretrained/hub/fixture.ts";
import {
  type Files,
  filesOf,
  type HubOptions,
  hubServer,
  MODEL,
  sibling,
} from "../tasks/pretrained/hub/hub-server.ts";
import { openLive } from "./live-page.ts";

const browser = browserForTests();
const OPEN_TO_ALL = { "Access-Control-Allow-Origin": "*" };
const PATIENT = { timeout: 30_000 };
const NAME = /Or from the Hugging Face hub/;

/** The panel for models of the reader's own, of a `heed studio` that was told of a hub. */
async function openPanel(hub: string) {
  const server = await startStudioServer({ folders: ownFolders(PAGES), opened: [], hub, port: 0 });
  onTestFinished(() => server.close());
  const context = await browser().newContext({ viewport: { width: 1280, height: 900 } });
  onTestFinished(() => context.close());
  await withoutServiceWorker(context);
  const page = await context.newPage();
  const { said, requests } = watch(page, () => context.close());
  await page.goto(`${server.url}live.html`);
  await page.getByRole("tab", { name: "Your model" }).click();
  return { page, said, requests, context };
}

const hubOf = (files: Files, options: HubOptions = {}) =>
  hubServer(files, { headers: OPEN_TO_ALL, ...options });

async function open(page: Page, name: string): Promise<void> {
  await page.getByLabel(NAME).fill(name);
  await page.getByLabel(NAME).press("Enter");
}

const failure = (page: Page) => page.locator("hub-models [role=alert] p");
const runs = (page: Page) => page.getByText(/^bert, \d+ layers of \d+ heads$/).waitFor(PATIENT);

describe("what a reader may write", () => {
  test("is a name, with revision and file, or the address of a page of any hub", () => {
    const hub = "https://huggingface.co";
    const cases = [
      ["a/b", hub, { owner: "a", name: "b" }],
      [" a/b@v1 ", hub, { owner: "a", name: "b", revision: "v1" }],
      ["a/b/c.gguf", hub, { owner: "a", name: "b", file: "c.gguf" }],
      [`${hub}/a/b/`, hub, { owner: "a", name: "b" }],
      [`${hub}/a/b/tree/v1`, hub, { owner: "a", name: "b", revision: "v1" }],
      [`${hub}/a/b/blob/main/c.gguf`, hub, { owner: "a", name: "b", file: "c.gguf" }],
      ["http://127.0.0.1:7/a/b?x#y", "http://127.0.0.1:7", { owner: "a", name: "b" }],
    ] as const;
    for (const [text, endpoint, name] of cases) expect(placeOfModel(text), text).toEqual({ endpoint, name });
    expect(placeOfModel("a/b", "https://mirror.test/").endpoint).toBe("https://mirror.test");
  });

  test("is refused where it is neither", () => {
    for (const text of [
      "",
      "bert",
      "a/b/c/d",
      "../b",
      "ftp://x.test/a/b",
      "https://x.test/a",
      "https://x.test/%ff/b",
    ])
      expect(() => placeOfModel(text), text).toThrow(
        /^studio: a model must be named OWNER\/NAME, or by the address/,
      );
  });

  test("runs in a page where heed computes it", () => {
    expect(RUN_HERE.filter((type) => !MODEL_TYPES.includes(type))).toEqual([]);
  });
});

describe("a model of a hub", () => {
  itInChromium("comes when the reader says so, is kept for the next time, and is let go of", async () => {
    const hub = await hubOf(repositoryFiles());
    const { page, said, requests, context } = await openPanel(hub.endpoint);
    expect(await violations(page)).toEqual([]);
    expect(hub.requests, "nothing before the reader's act").toEqual([]);
    await open(page, MODEL);
    await runs(page);
    expect(hub.asked()[0], "what it is comes first").toBe("config.json");
    const needed = ["config.json", "model.safetensors", "modules.json", "tokenizer.json", "vocab.txt"];
    expect(hub.asked().sort()).toEqual(needed);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    await page.getByText("Kept in this browser:").waitFor();
    const before = hub.asked().length;
    await page.reload();
    expect(await page.getByLabel(NAME).inputValue()).toBe(MODEL);
    await page.getByRole("button", { name: `Open ${MODEL}` }).click();
    await runs(page);
    expect(hub.asked()).toHaveLength(before);
    // A second tab has it too.
    const other = await context.newPage();
    await other.goto(page.url());
    await other.getByRole("tab", { name: "Your model" }).click();
    await open(other, MODEL);
    await runs(other);
    expect(hub.asked()).toHaveLength(before);
    await other.close();
    // And without the hub.
    await context.route(`${hub.endpoint}/**`, (route) => route.abort());
    await page.reload();
    await page.getByRole("button", { name: `Open ${MODEL}` }).click();
    await runs(page);
    await page.getByRole("button", { name: `Remove ${MODEL}` }).click();
    await expect.poll(() => page.getByText("Kept in this browser:").count()).toBe(0);
    await open(page, MODEL);
    await expect
      .poll(() => failure(page).textContent())
      .toMatch(/ must answer, .* check the connection; models that were fetched/);
    const own = [new URL(page.url()).origin, hub.endpoint];
    expect(
      requests.filter((url) => !/^(blob|data):/.test(url) && !own.includes(new URL(url).origin)),
    ).toEqual([]);
    expect(said.filter((line) => !line.includes("ERR_FAILED"))).toEqual([]);
  });

  itInChromium(
    "says its size first where it is large, and can be cancelled; what came whole stays",
    async () => {
      const files = repositoryFiles();
      let hang: ServerResponse | undefined;
      const wait = (_: IncomingMessage, response: ServerResponse) => {
        hang = response.writeHead(200, { "content-length": files["model.safetensors"]!.length });
        hang.write(files["model.safetensors"]!.subarray(0, 1000));
      };
      // The hub says a tokenizer of 90 MB, which it is not: it is listed, and never asked for.
      const large = { ...sibling("tokenizer_config.json", Buffer.from("{}")), size: 90_000_000 };
      const siblings = [...Object.entries(files).map(([name, bytes]) => sibling(name, bytes)), large];
      const told = await hubOf(files, { says: { siblings, cardData: { license: "mit" } } });
      const { page } = await openPanel(told.endpoint);
      await open(page, MODEL);
      await page.getByText(`${MODEL} has 6 files, 90.`).waitFor();
      await page.getByText("licence mit.").waitFor();
      expect(told.asked()).toEqual([]);
      await page.getByRole("button", { name: "Not now" }).click();
      expect(await page.getByRole("button", { name: "Not now" }).count()).toBe(0);
      const slow = await hubOf(files, { first: { "model.safetensors": [wait] } });
      await open(page, `${slow.endpoint}/${MODEL}`);
      // Another address than the one that `heed studio` was told of: its policy refuses it.
      await expect.poll(() => failure(page).textContent()).toMatch(/ must answer/);
      const second = await openPanel(slow.endpoint);
      await open(second.page, MODEL);
      await second.page.getByRole("progressbar").waitFor();
      await expect.poll(() => hang !== undefined).toBe(true);
      await second.page.getByRole("button", { name: "Cancel" }).click();
      await expect.poll(() => second.page.getByRole("progressbar").count()).toBe(0);
      expect(await failure(second.page).count()).toBe(0);
      await open(second.page, MODEL);
      await runs(second.page);
      expect(
        slow.asked().filter((name) => name === "config.json"),
        "it was kept",
      ).toHaveLength(1);
    },
  );

  itInChromium("that does not come has an answer each", async () => {
    const files = repositoryFiles();
    const damaged = { ...files, "tokenizer.json": Buffer.from("other bytes") };
    const other = Buffer.from('{"model_type":"whisper"}');
    const gguf = { "README.md": Buffer.from("x"), "tiny-q4.gguf": Buffer.from("GGUF") };
    const siblings = Object.entries(files).map(([name, content]) => sibling(name, content));
    const huge = siblings.map((one) =>
      one.rfilename === "model.safetensors" ? { ...one, lfs: { sha256: "a".repeat(64), size: 14e9 } } : one,
    );
    const cases: readonly [Files, HubOptions, RegExp, string?][] = [
      [files, {}, /^nobody\/nothing must be there, got 404 .*; look for it at 127/, "nobody/nothing"],
      [files, {}, /^a model must be named OWNER\/NAME/, "no name"],
      [
        files,
        { first: { api: [status(401)] } },
        /must be there and open to all, got 401.*HF_TOKEN=… heed models fetch/,
      ],
      [files, { first: { api: [status(503)] } }, /^127[^ ]+ must answer, got 503.*try again later/],
      [
        { "README.md": Buffer.from("x") },
        {},
        /must have one of model\.safetensors.*got none; this is no model that heed reads/,
      ],
      [gguf, {}, /got tiny-q4\.gguf; name another file of weights, as heed-test\/tiny-bert\/tiny-q4\.gguf/],
      [
        files,
        { says: { siblings: huge } },
        /must have at most 1\.1 GB to be run in a page, got 14\.0 GB; run "heed models fetch/,
      ],
      [damaged, { says: { siblings } }, /^tokenizer\.json must be the file that the hub lists/],
      [
        { ...files, "config.json": other },
        {},
        /the model_type of heed-test\/tiny-bert must be one of bert, .*got "whisper"/,
      ],
      [files, { headers: {} }, /must answer, and let pages of other sites read it, got nothing/],
    ];
    // A page under no policy: who serves the pages elsewhere may say which hubs they ask.
    const live = await openLive(browser());
    onTestFinished(live.close);
    const { page } = live;
    await page.getByRole("tab", { name: "Your model" }).click();
    for (const [n, [has, options, says, name = MODEL]] of cases.entries()) {
      const hub = await hubOf(has, options);
      await open(page, name.includes("/") ? `${hub.endpoint}/${name}` : name);
      await expect
        .poll(() => failure(page).textContent(), { timeout: 15_000, message: String(n) })
        .toMatch(says);
      if (n === 0) expect(await violations(page)).toEqual([]);
      if (!options.first) continue;
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByText("Kept in this browser:").waitFor();
      await page.getByRole("button", { name: `Remove ${MODEL}` }).click();
      await expect.poll(() => page.getByText("Kept in this browser:").count()).toBe(0);
    }
    await runs(page);
  });

  itInChromium("opens where the browser keeps nothing for the page", async () => {
    const hub = await hubOf(filesOf(modelFolder()));
    const { page, said, context } = await openPanel(hub.endpoint);
    await context.addInitScript(() => {
      delete (globalThis as { caches?: unknown }).caches;
      Object.defineProperty(globalThis, "sessionStorage", {
        get: () => {
          throw new DOMException("denied", "SecurityError");
        },
      });
    });
    await page.reload();
    await page.getByRole("tab", { name: "Your model" }).click();
    await open(page, MODEL);
    await runs(page);
    expect(await page.getByText("Kept in this browser:").count()).toBe(0);
    expect(said).toEqual([]);
  });

  itInChromium("is fetched on after a reload in the middle", async () => {
    const files = filesOf(modelFolder());
    const never = () => {};
    const hub = await hubOf(files, { first: { "model.safetensors": [never] } });
    const { page } = await openPanel(hub.endpoint);
    await open(page, MODEL);
    await page.getByRole("progressbar").waitFor();
    await expect.poll(() => hub.asked()).toContain("model.safetensors");
    await page.reload();
    await page.getByRole("button", { name: "Open", exact: true }).click();
    await runs(page);
    expect(hub.asked().filter((name) => name === "config.json")).toHaveLength(1);
    expect(path.basename(page.url())).toBe("live.html");
  });
});
