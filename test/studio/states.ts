/** Every state of the studio and of the live models that a reader can bring about, each with how. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Page } from "@playwright/test";
import { encodeSafetensors } from "../../src/core/safetensors.ts";
import { PAGES, testFolder, viewed } from "../support/studio.ts";
import { modelFolder } from "../tasks/pretrained/fixture.ts";
import { openTask } from "./live-page.ts";

/** A state of a page, entered from the one before it in the list. */
export interface PageState {
  readonly name: string;
  readonly enter: (page: Page, url: string) => Promise<unknown>;
}

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const chooseDocument = (page: Page, list: string, id: string) =>
  page.getByRole("combobox", { name: list, exact: true }).selectOption(id);

/** Each document with the views that no document before it has. */
const VIEWS: readonly (readonly [document: string, views: readonly string[]])[] = [
  ["translation", ["Heat map", "Flow", "Statistics"]],
  ["language-model", ["All heads", "Compare", "Heads", "Neurons", "Rollout"]],
  ["picture", ["Image"]],
  ["caption", ["Gates"]],
  ["tracking", ["Glimpses", "Marginals"]],
];

const views: readonly PageState[] = VIEWS.flatMap(([document, labels]) =>
  labels.map((label, n) => ({
    name: `${document}, ${label}`,
    async enter(page) {
      if (n === 0) await chooseDocument(page, "Document", document);
      await page.locator('studio-app [aria-busy="false"]').waitFor();
      await page.getByRole("tab", { name: label, exact: true }).click();
      await viewed(page, "heed-view [role='tabpanel'] > *");
    },
  })),
);

const open = (page: Page, name: string, bytes: Uint8Array | string) => {
  const file = path.join(testFolder(), name);
  writeFileSync(file, bytes);
  return page.getByLabel("Open files").setInputFiles(file);
};

/** The studio at its first address. */
export const STUDIO: readonly PageState[] = [
  ...views,
  {
    name: "a pin, a table and the list of keys",
    async enter(page) {
      await chooseDocument(page, "Document", "translation");
      await page.getByRole("tab", { name: "Heat map" }).click();
      await viewed(page, "heed-heatmap");
      await page.locator("studio-inspector").getByRole("button", { name: "Pin" }).click();
      await button(page, "Data table").click();
      await page.locator("heed-heatmap").getByText("Keys", { exact: true }).click();
    },
  },
  {
    name: "two documents alike",
    async enter(page) {
      await chooseDocument(page, "Document", "language-model");
      await open(page, "same.attn", readPage("traces/language-model.attn"));
      await chooseDocument(page, "Compare with", "language-model");
      await viewed(page, "heed-compare");
    },
  },
  {
    name: "two documents unlike",
    async enter(page) {
      await chooseDocument(page, "Compare with", "caption");
      await page.getByText("No head of B has A's").waitFor();
    },
  },
  {
    name: "a file that cannot be shown",
    async enter(page) {
      await open(page, "page.html", "<html>");
      await page.getByText("This cannot be shown").waitFor();
    },
  },
  {
    name: "a model that was opened",
    async enter(page) {
      const w = { dtype: "F32" as const, shape: [2, 3], data: new Float32Array(6) };
      await open(page, "model.safetensors", encodeSafetensors({ w }));
      await page.getByText("A model, not yet a trace").waitFor();
    },
  },
  {
    name: "a model that runs beside the views",
    async enter(page) {
      await chooseDocument(page, "Document", "translation");
      await button(page, "Run a model").click();
      await page.locator('[data-status="ready"][data-ms]').first().waitFor({ timeout: 60_000 });
      await viewed(page, "heed-heatmap");
    },
  },
];

/** The page of live models, whose weights come once `letIn` is called. */
export const liveStates = (letIn: () => Promise<unknown>): readonly PageState[] => [
  {
    name: "a run that was made earlier",
    enter: (page) => page.locator("heed-heatmap[data-ready]").waitFor(),
  },
  {
    name: "a model that does not load",
    enter: (page) => page.getByText("cannot be fetched; check the connection").waitFor(),
  },
  {
    name: "a translation",
    async enter(page) {
      await letIn();
      await button(page, "Try again").click();
      await openTask(page, "Translation");
    },
  },
  {
    name: "a translator whose attention is changed, heads ranked and code copied",
    async enter(page) {
      await button(page, "Change its attention").click();
      await page.locator("[data-after]").first().waitFor();
      await page.getByText("Drag the weights of this row").click();
      await button(page, "Knock out this head").click();
      await button(page, "Rank to first order").click();
      await page.getByText(/^first order \(\d+ ms\)/).waitFor({ timeout: 30_000 });
      await button(page, "Copy as code").click();
    },
  },
  {
    name: "a sentence that is too long to be operated on",
    async enter(page) {
      await page.getByLabel("An English sentence").fill("I am very tired. ".repeat(12));
      await page.getByRole("alert").waitFor({ timeout: 30_000 });
    },
  },
  ...["Summary", "Language model"].map((task) => ({
    name: `a task: ${task}`,
    enter: (page: Page) => openTask(page, task),
  })),
  {
    name: "a text with what the model does not know",
    async enter(page) {
      await page.getByLabel("A text").fill("ROMEO: 漢");
      await page.getByText("every character must be one of").waitFor();
    },
  },
  ...["Captions", "Detection", "Questions"].map((task) => ({
    name: `a task: ${task}`,
    enter: (page: Page) => openTask(page, task),
  })),
  {
    name: "a picture that is none",
    async enter(page) {
      const buffer = Buffer.from("no picture");
      await page.getByLabel("Your own").setInputFiles({ name: "a.png", mimeType: "image/png", buffer });
      await page.getByText("a.png is no picture that can be read").waitFor();
    },
  },
  { name: "a task: atoms", enter: (page) => openTask(page, "Atoms of reactions") },
  {
    name: "a translator that has learnt for a while",
    async enter(page) {
      await page.getByRole("tab", { name: "Train one" }).click();
      await button(page, "Train").click();
      await page.locator("live-training svg").waitFor({ timeout: 30_000 });
      await button(page, "Pause").click();
      await button(page, "Go on").waitFor();
    },
  },
  { name: "no model yet", enter: (page) => page.getByRole("tab", { name: "Your model" }).click() },
  {
    name: "files without a configuration",
    async enter(page) {
      const files = filesOf(modelFolder("bert"));
      const some = files.filter((file) => !file.endsWith("config.json"));
      await page.getByLabel("Files of a model").setInputFiles(some);
      await page.getByText("config.json must be opened together").waitFor();
    },
  },
  {
    name: "a model that the reader opened, and what it learns",
    async enter(page) {
      await page.getByLabel("Files of a model").setInputFiles(filesOf(modelFolder("bert")));
      await page.getByText(/^bert, \d+ layers of \d+ heads$/).waitFor();
      await page.locator("heed-view").waitFor();
      for (const [label, word] of ["cat", "dog"].entries())
        await page.getByLabel(`Class ${label + 1}, a sentence a line`).fill(`the ${word} sat.\n${word}.`);
      await page.getByLabel("A new sentence").fill("the dog.");
      await button(page, "Train").click();
      await page.getByText(/Step 24 of 24/).waitFor({ timeout: 20_000 });
    },
  },
];

const filesOf = (folder: string) => readdirSync(folder).map((file) => path.join(folder, file));
const readPage = (name: string) => readFileSync(path.join(PAGES, name));
