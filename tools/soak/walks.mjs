// One round through each page of the studio, as a reader would who tries everything: the studio, the live models, the playground
// and the chapters of the path. A round ends where it began, so that what is left over is what was not let go of.
import { readFileSync } from "node:fs";
import path from "node:path";

/** @typedef {import("@playwright/test").Page} Page */

/** For a model that answers while this machine does other things too, in milliseconds. */
const PATIENT = 120_000;
/** How long a model is trained in one round, in milliseconds. */
const TRAINED = 3000;

/** The documents that ship, by their ids. */
const documentsOf = (/** @type {string} */ pages) =>
  /** @type {{ id: string }[]} */ (
    JSON.parse(readFileSync(path.join(pages, "traces/traces.json"), "utf8"))
  ).map(({ id }) => id);

/**
 * Gives files of the server to a field, as a reader would from a disk. Not by the browser's debugger: it would hold the field, and
 * with it all that was around it, for ever.
 */
async function openFiles(
  /** @type {Page} */ page,
  /** @type {string} */ label,
  /** @type {readonly string[]} */ addresses,
) {
  await page.evaluate(
    async ([label, ...addresses]) => {
      const data = new DataTransfer();
      for (const address of addresses) {
        const response = await fetch(address);
        data.items.add(
          new File([await response.blob()], decodeURIComponent(address.split("/").at(-1) ?? "")),
        );
      }
      const inside = (/** @type {ParentNode} */ root) =>
        /** @type {Element[]} */ ([...root.querySelectorAll("*")]).flatMap((one) =>
          one.shadowRoot ? [one, ...inside(one.shadowRoot)] : [one],
        );
      const field = /** @type {HTMLInputElement} */ (
        inside(document).find(
          (one) =>
            one instanceof HTMLInputElement &&
            one.type === "file" &&
            (one.ariaLabel === label || one.labels?.[0]?.textContent?.includes(label)),
        )
      );
      field.files = data.files;
      field.dispatchEvent(new Event("change"));
    },
    [label, ...addresses],
  );
}

/**
 * Every document, every view, heads, tokens, pins, two documents compared, files opened, colours and exports.
 *
 * @param {Page} page
 * @param {{ round: number, pages: string, folder: string }} options
 */
export async function walkStudio(page, { round, pages, folder }) {
  const choose = (/** @type {string} */ list, /** @type {string} */ value) =>
    page.getByRole("combobox", { name: list, exact: true }).selectOption(value);
  const painted = () => page.locator("studio-app [data-ready]").last().waitFor();
  for (const id of documentsOf(pages)) {
    await choose("Document", id);
    await painted();
    const tabs = page.getByRole("tab");
    for (let n = 0; n < (await tabs.count()); n++) {
      await tabs.nth(n).click();
      await painted();
    }
    const queries = page.getByRole("listbox", { name: /^Queries/ });
    if ((await queries.count()) === 0) continue;
    await tabs.first().click();
    for (const key of ["Home", "ArrowRight", "ArrowRight", "End"]) await queries.press(key);
    const pin = page.locator("studio-inspector").getByRole("button", { name: /^(Pin|Unpin)$/ });
    await pin.click();
    await pin.click();
    const heads = page.locator("head-list").getByRole("button");
    await heads.nth(round % (await heads.count())).click();
  }
  await choose("Document", "language-model");
  for (const other of ["picture", "translation", ""]) {
    await choose("Compare with", other);
    await painted();
  }
  await openFiles(page, "Open files", ["traces/caption.attn"]);
  await page.getByRole("heading", { name: "A picture is described" }).waitFor();
  await openFiles(page, "Open files", ["index.html"]);
  await page.getByText("This cannot be shown").waitFor();
  await choose("Document", "translation");
  await painted();
  for (const colours of ["dark", "auto"]) await choose("Colours", colours);
  for (const format of ["PNG", "SVG", "JSON", "HTML", "trace"]) {
    const download = page.waitForEvent("download");
    await page
      .getByRole("button", { name: `Save ${format}`, exact: true })
      .first()
      .click();
    await (await download).saveAs(path.join(folder, "saved"));
  }
}

/**
 * Every task with its model, sentences typed, heads operated on, pictures, training, and a published model that is opened where
 * there is one.
 *
 * @param {Page} page
 * @param {{ round: number, model: readonly string[] }} options of the model the addresses of its files
 */
export async function walkLive(page, { round, model }) {
  const task = (/** @type {string} */ title) => page.getByRole("tab", { name: title, exact: true }).click();
  const answered = () => page.locator('[data-status="ready"][data-ms]').first().waitFor({ timeout: PATIENT });
  const type = async (/** @type {string} */ label, /** @type {string} */ text) => {
    const before = await page.locator("[data-ms]").first().getAttribute("data-ms");
    await page.getByLabel(label, { exact: true }).fill(text);
    await page.waitForFunction(
      (was) => {
        const panel = document
          .querySelector("live-models")
          ?.shadowRoot?.querySelector("#task")?.firstElementChild;
        return panel?.shadowRoot?.querySelector("[data-ms]")?.getAttribute("data-ms") !== was;
      },
      before,
      { timeout: PATIENT },
    );
  };
  await task("Translation");
  await answered();
  for (const text of ["Where is the station?", `I have ${round} red cars.`, "Good evening."])
    await type("An English sentence", text);
  await page.getByRole("button", { name: "Change its attention" }).click();
  await page.locator("[data-after]").first().waitFor({ timeout: PATIENT });
  await page.getByRole("button", { name: "Knock out this head" }).click();
  await page.getByRole("button", { name: "As it was" }).click();
  await page.getByRole("button", { name: "Change its attention" }).click();
  for (const other of ["translation-en-fr", "translation-en"]) {
    await page.getByLabel("Model to use").selectOption(other);
    await answered();
  }
  for (const title of [
    "Summary",
    "Language model",
    "Captions",
    "Detection",
    "Questions",
    "Atoms of reactions",
  ]) {
    await task(title);
    await answered();
    const scenes = page.getByRole("button", { name: /^Scene \d$/ });
    if ((await scenes.count()) > 0) await scenes.nth(round % (await scenes.count())).click();
  }
  await task("Train one");
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page.waitForTimeout(TRAINED);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Begin anew" }).click();
  await task("Your model");
  if (model.length === 0) return;
  await openFiles(page, "Files of a model", model);
  await answered();
  await page.locator("heed-view").waitFor({ timeout: PATIENT });
  await task("Translation");
}

/**
 * Every mechanism, every slider and list to another place, a cell written into and taken back.
 *
 * @param {Page} page
 * @param {{ round: number }} options
 */
export async function walkPlayground(page, { round }) {
  const names = await page.locator("attention-playground nav li button").allTextContents();
  for (const name of names) {
    await page.locator("attention-playground nav li").getByRole("button", { name, exact: true }).click();
    await page.getByRole("heading", { name, exact: true }).first().waitFor();
    await setAll(page, round);
  }
}

/**
 * Twelve mechanisms of the page that has all, others in each round, each with its code written anew.
 *
 * @param {Page} page
 * @param {{ round: number }} options
 */
export async function walkMechanisms(page, { round }) {
  const list = page.locator("every-mechanism nav li button");
  const count = await list.count();
  for (let n = 0; n < 12; n++) {
    await list.nth((12 * round + n) % count).click();
    await rewrite(page, "every-mechanism");
  }
}

/**
 * Every function that the page of scores begins with, each with its code written anew and its sliders moved.
 *
 * @param {Page} page
 * @param {{ round: number }} options
 */
export async function walkScores(page, { round }) {
  const list = page.locator("score-playground nav li button");
  for (let n = 0; n < (await list.count()); n++) {
    await list.nth(n).click();
    await rewrite(page, "score-playground");
    await setAll(page, round);
  }
}

/** Writes the code of a page wrong, waits for what it says, writes it right again, and waits for the maps. */
async function rewrite(/** @type {Page} */ page, /** @type {string} */ element) {
  const editor = page.locator(`${element} code-editor textarea`);
  const text = await editor.inputValue();
  await editor.fill(`${text}\nconst =`);
  await page.getByRole("alert").first().waitFor();
  await editor.fill(text);
  await page.locator(`${element} stage-map`).first().waitFor();
}

/**
 * Every step of a chapter, and every slider, list and button in it.
 *
 * @param {Page} page
 * @param {{ round: number }} options
 */
export async function walkChapter(page, { round }) {
  const steps = await page.locator("learn-path > section[id]").evaluateAll((all) => all.map(({ id }) => id));
  for (const step of steps) {
    await page.evaluate((id) => {
      location.hash = id;
    }, step);
    await page.locator(`section#${step}`).waitFor();
    // To another place, and back: how much a lab shows depends on its sliders.
    for (const turn of [round, 0]) await setAll(page, turn, `section#${step}`);
  }
}

/** Sets every slider and list within something to a place of this round, and presses what can be pressed in a lab. */
async function setAll(/** @type {Page} */ page, /** @type {number} */ round, within = "main") {
  await page.evaluate(
    async ([selector, turn]) => {
      const inside = (/** @type {ParentNode} */ root) =>
        /** @type {Element[]} */ ([...root.querySelectorAll("*")]).flatMap((one) =>
          one.shadowRoot ? [one, ...inside(one.shadowRoot)] : [one],
        );
      const frame = () => new Promise((resolve) => setTimeout(resolve, 20));
      const start = document.querySelector(/** @type {string} */ (selector));
      const found = start ? inside(start) : [];
      for (const [n, one] of found.entries()) {
        if (one instanceof HTMLInputElement && one.type === "range") {
          const [least, most] = [Number(one.min), Number(one.max)];
          one.value = String(least + ((most - least) * (((turn + n) * 7) % 10)) / 10);
          one.dispatchEvent(new Event("input", { bubbles: true }));
        } else if (one instanceof HTMLSelectElement && one.id.startsWith("control-")) {
          one.selectedIndex = (turn + n) % one.options.length;
          one.dispatchEvent(new Event("change", { bubbles: true }));
        } else if (one instanceof HTMLButtonElement && one.getRootNode() instanceof ShadowRoot) {
          const { host } = /** @type {ShadowRoot} */ (one.getRootNode());
          if (!host.localName.startsWith("lab-") || one.disabled) continue;
          one.click();
        } else continue;
        await frame();
      }
    },
    /** @type {[string, number]} */ ([within, round]),
  );
}
