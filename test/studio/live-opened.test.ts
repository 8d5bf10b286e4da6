/** A published model is opened in the page, looked into, and learns two classes; what is no model is said. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { violations } from "../support/elements.ts";
import { modelFolder } from "../tasks/pretrained/fixture.ts";
import { openLive } from "./live-page.ts";

const browser = browserForTests();
const filesOf = (folder: string) => readdirSync(folder).map((file) => path.join(folder, file));

itInChromium(
  "a BERT of the reader's own shows its heads and learns two classes; a GPT-2 writes and is operated on",
  async () => {
    const live = await openLive(browser(), {
      before: (context) => context.route("**/weights/**", (route) => route.abort()),
    });
    const { page } = live;
    try {
      await page.getByRole("tab", { name: "Your model" }).click();
      const picker = page.getByLabel("Files of a model");
      const bert = modelFolder("bert");
      await picker.setInputFiles(filesOf(bert).filter((file) => !file.endsWith("config.json")));
      await page.getByText("config.json must be opened together with model.safetensors").waitFor();
      await picker.setInputFiles(filesOf(bert));
      await page.getByText(/^bert, \d+ layers of \d+ heads$/).waitFor();
      await page.locator("heed-view").waitFor();
      await page.getByLabel("Class 1, a sentence a line").fill("the cat sat.\nthe cats sat.\ncat.\nthe cat");
      await page.getByLabel("Class 2, a sentence a line").fill("the dog sat.\nthe dogs sat.\ndog.\nthe dog");
      await page.getByLabel("A new sentence").fill("and the dog.");
      await page.getByRole("button", { name: "Train", exact: true }).click();
      await page.getByText(/Step 24 of 24: 100 % .* class 2/).waitFor({ timeout: 20_000 });
      expect(await violations(page)).toEqual([]);
      await picker.setInputFiles(filesOf(modelFolder("gpt2")));
      await page.getByText(/^gpt2, \d+ layers of \d+ heads$/).waitFor();
      await page.getByLabel("A text").fill("the cat");
      await page.getByRole("button", { name: "Change its attention" }).click();
      await page.getByRole("button", { name: "Knock out this head" }).click();
      await page.getByRole("listitem").first().waitFor();
    } finally {
      await live.close();
    }
  },
);
