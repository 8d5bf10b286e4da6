/** What goes wrong in use has an answer: texts that are too long, files that are no models, reloads in the middle, two tabs. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Page, Route } from "@playwright/test";
import { describe, expect, onTestFinished } from "vitest";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { openStudio, viewed } from "../support/studio.ts";
import { modelFolder } from "../tasks/pretrained/fixture.ts";
import { answerOf, openLive, openTask } from "./live-page.ts";

const browser = browserForTests();
const PATIENT = { timeout: 30_000 };
const WORDS = Array.from({ length: 2500 }, () => "I am very tired.").join(" ");

async function livePage(options: Parameters<typeof openLive>[1] = {}) {
  const live = await openLive(browser(), options);
  onTestFinished(live.close);
  return live;
}

/** The alert of the panel in front. */
const alertOf = (page: Page) => page.locator("live-models [role=alert]").first();

describe("a text of 10,000 words", () => {
  itInChromium("is read from its end by a language model, and its beginning summed up", async () => {
    const { page, said } = await livePage();
    await openTask(page, "Language model");
    await page.getByLabel("A text").fill(WORDS);
    await page.getByText(/64 tokens are shown; \d+ others are left out/).waitFor(PATIENT);
    await page.getByLabel("A text").fill("ROMEO:");
    await expect.poll(() => page.getByText("others are left out").count(), PATIENT).toBe(0);
    await openTask(page, "Summary");
    const before = await answerOf(page).textContent();
    await page.getByRole("textbox").first().fill(WORDS);
    await expect.poll(() => answerOf(page).textContent(), PATIENT).not.toBe(before);
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(said).toEqual([]);
  });

  itInChromium("is refused by a model with fewer positions, which then reads a shorter one", async () => {
    const { page } = await livePage();
    await page.getByRole("tab", { name: "Your model" }).click();
    const folder = modelFolder("bert");
    const files = readdirSync(folder).map((file) => path.join(folder, file));
    await page.getByLabel("Files of a model").setInputFiles(files);
    await page.getByText(/^bert, \d+ layers/).waitFor(PATIENT);
    await page.getByLabel("A text").fill(WORDS);
    await expect
      .poll(() => alertOf(page).textContent(), PATIENT)
      .toMatch(/a text must have at most the \d+ tokens/);
    await page.getByLabel("A text").fill("the cat sat.");
    await expect.poll(() => page.getByRole("alert").count(), PATIENT).toBe(0);
  });
});

describe("files that are no model", () => {
  itInChromium("are said to be none, and another is opened after them", async () => {
    const { page, said } = await livePage();
    await page.getByRole("tab", { name: "Your model" }).click();
    const picker = page.getByLabel("Files of a model");
    const folder = modelFolder("bert");
    const bytes = readFileSync(path.join(folder, "model.safetensors"));
    const file = (name: string, buffer: Buffer) => ({ name, mimeType: "application/octet-stream", buffer });
    const config = file("config.json", readFileSync(path.join(folder, "config.json")));
    const damaged = file("model.safetensors", bytes.subarray(0, bytes.length >> 1));
    const broken = file("config.json", Buffer.from("{"));
    for (const [files, says] of [
      [[file("scene.png", Buffer.from("\x89PNG"))], /weights are missing: .* got scene\.png/],
      [[damaged, config], /must/],
      [[file("model.safetensors", bytes), broken], /config\.json is no JSON/],
      [[file("model.safetensors", Buffer.alloc(0)), config], /./],
    ] as const) {
      await picker.setInputFiles([...files]);
      await expect
        .poll(
          () =>
            alertOf(page)
              .textContent()
              .catch(() => ""),
          PATIENT,
        )
        .toMatch(says);
      expect(await alertOf(page).textContent()).not.toMatch(/undefined|TypeError|NaN|RangeError/);
    }
    await picker.setInputFiles(readdirSync(folder).map((name) => path.join(folder, name)));
    await page.getByText(/^bert, \d+ layers/).waitFor(PATIENT);
    await expect.poll(() => page.getByRole("alert").count(), PATIENT).toBe(0);
    expect(said).toEqual([]);
  });
});

describe("a reload in the middle", () => {
  itInChromium("of a model that loads, loads it anew; of training, begins it anew", async () => {
    let waits = true;
    const hold = (route: Route) => (waits ? undefined : route.continue());
    const { page } = await livePage({
      before: (context) => context.route("**/weights/translation-en/model.safetensors", hold),
    });
    await page.getByText(/^Loading the model/).waitFor(PATIENT);
    waits = false;
    await page.reload();
    await page.locator('[data-status="ready"][data-ms]').first().waitFor(PATIENT);
    await page.getByRole("tab", { name: "Train one" }).click();
    await page.getByRole("button", { name: "Train", exact: true }).click();
    await page
      .getByText(/^Step \d+/)
      .first()
      .waitFor(PATIENT);
    await page.reload();
    await page.getByRole("tab", { name: "Train one", selected: true }).waitFor(PATIENT);
    await page.getByRole("button", { name: "Train", exact: true }).waitFor();
  });
});

describe("two tabs", () => {
  itInChromium("each have a place of their own, and one choice of colours", async () => {
    const { page, said, url } = await openStudio(browser(), { fragment: "#d=language-model&l=1&h=2" });
    await viewed(page, "heed-heatmap");
    const other = await page.context().newPage();
    await other.goto(`${url}#d=translation`);
    await viewed(other, "heed-heatmap");
    await other.getByRole("combobox", { name: "Colours" }).selectOption("dark");
    await expect.poll(() => page.getByRole("combobox", { name: "Colours" }).inputValue()).toBe("dark");
    await other.close();
    await page.reload();
    await viewed(page, "heed-heatmap");
    expect(page.url()).toMatch(/d=language-model.*l=1.*h=2/);
    expect(said).toEqual([]);
  });

  itInChromium("share no text: a model that fails in one runs in the other", async () => {
    const { page, context } = await livePage({
      before: (all) => all.route("**/weights/**", (route) => route.abort()),
    });
    await page.getByText("cannot be fetched; check the connection").waitFor(PATIENT);
    await context.unroute("**/weights/**");
    const other = await context.newPage();
    await other.goto(page.url());
    await other.locator('[data-status="ready"][data-ms]').first().waitFor(PATIENT);
    expect(await page.locator('[data-status="failed"]').count()).toBe(1);
  });
});
