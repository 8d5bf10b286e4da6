import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "@playwright/test";
import { describe, expect } from "vitest";
import { encodeSafetensors } from "../../src/core/safetensors.ts";
import { createTrace, importTrace, traceTensor, writeTrace } from "../../src/inspect/index.ts";
import { encodePng } from "../../src/viz/index.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { askedElsewhere, exampleTrace, SENTENCE, violations, watch } from "../support/elements.ts";
import { openStudio, PAGES, testFolder, viewed, WEIGHTS } from "../support/studio.ts";

const browser = browserForTests();

/** Tokens that would do something if they were taken for anything but text. */
const HOSTILE = [
  ...["<s>", "</script><img src=x onerror=alert(1)>", "\n", "\u202etxt", "\u001b[31m", "x".repeat(10_000)],
  ...["👩‍👩‍👧‍👦", "مرحبا", "", "{{alert(1)}}"],
];

const open = (page: Page, ...files: string[]) => page.getByLabel("Open files").setInputFiles(files);
const alertText = (page: Page) => page.locator('studio-app [role="alert"]').textContent();
const status = (page: Page) => page.locator("studio-app .status");

describe("files that are opened", () => {
  itInChromium("are traces of every kind that heed reads, several at once", async () => {
    const folder = testFolder();
    const files = {
      "own.attn": writeTrace(exampleTrace(SENTENCE)),
      "table.csv": ",a,b\nx,0.25,0.75\ny,0.5,0.5\n",
    };
    const json = "[[[[0.25, 0.75], [0.5, 0.5]]]]";
    for (const [name, data] of Object.entries({ ...files, "bert.json": json }))
      writeFileSync(path.join(folder, name), data);
    const { page, said } = await openStudio(browser());
    await viewed(page, "heed-heatmap");
    await open(page, ...["own.attn", "table.csv", "bert.json"].map((name) => path.join(folder, name)));
    await page.getByRole("heading", { name: "example" }).waitFor();
    const documents = page.getByRole("combobox", { name: "Document" });
    expect(await documents.locator('optgroup[label="Opened"] option').allTextContents()).toEqual([
      "own.attn",
      "table.csv",
      "bert.json",
    ]);
    for (const name of ["table.csv", "bert.json"]) {
      await documents.selectOption({ label: name });
      await page.getByRole("heading", { name }).waitFor();
      await viewed(page, "heed-heatmap");
    }
    expect(said).toEqual([]);
  });

  itInChromium("are text in every view, whatever their tokens hold", async () => {
    const file = path.join(testFolder(), "hostile.attn");
    writeFileSync(file, writeTrace({ ...exampleTrace(HOSTILE), name: "<img src=x onerror=alert(1)>" }));
    const { page, said } = await openStudio(browser());
    await viewed(page, "heed-heatmap");
    await open(page, file);
    await page.getByRole("heading", { name: "<img src=x" }).waitFor();
    for (const tab of await page.getByRole("tab").all()) {
      await tab.click();
      await page.waitForTimeout(50);
    }
    await page.locator("token-strip").getByText("</script><img").first().waitFor();
    await page.getByRole("listbox", { name: /^Queries/ }).press("End");
    await page.locator("studio-inspector").getByText("{{alert(1)}}").first().waitFor();
    expect(await page.locator("studio-app img").count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    expect(said).toEqual([]);
  });

  itInChromium("that are no traces have an answer each, and the studio goes on", async () => {
    const folder = testFolder();
    const at = (name: string) => path.join(folder, name);
    const picture = encodePng({ width: 2, height: 2, channels: 1, data: new Uint8Array(4) });
    const whole = writeTrace(exampleTrace(SENTENCE));
    const files = {
      "photo.png": picture,
      "fake.png": "no picture",
      "nothing.attn": "",
      "notes.txt": "Dear diary, today I read a paper.\n",
      "cut.attn": whole.subarray(0, whole.length - 100),
      "zeros.bin": new Uint8Array(4096),
    };
    for (const [name, data] of Object.entries(files)) writeFileSync(at(name), data);
    writeFileSync(at("huge.attn"), "");
    truncateSync(at("huge.attn"), 3 * 2 ** 30);
    const { page, said } = await openStudio(browser());
    await viewed(page, "heed-heatmap");
    await open(page, at("photo.png"));
    await status(page).getByText("photo.png is a picture: in Live, models look at pictures.").waitFor();
    await open(page, at("nothing.attn"));
    await status(page).getByText("nothing.attn is empty.").waitFor();
    expect(await page.locator("heed-heatmap").count(), "what was shown stays").toBe(1);
    for (const [name, says] of [
      ["fake.png", /fake\.png: the table must have a row of numbers, got none/],
      ["notes.txt", /notes\.txt: the table must have a row of numbers, got none/],
      ["cut.attn", /cut\.attn: /],
      ["zeros.bin", /zeros\.bin: /],
      ["huge.attn", /huge\.attn must have at most 1\.0 GiB .*got 3\.0 GiB/],
    ] as const) {
      await open(page, at(name));
      await expect.poll(() => alertText(page).catch(() => ""), { message: name }).toMatch(says);
      expect(await alertText(page), name).toMatch(/^This cannot be shown/);
    }
    expect(await violations(page)).toEqual([]);
    await page.getByRole("combobox", { name: "Document" }).selectOption("translation");
    await viewed(page, "heed-heatmap");
    expect(await page.locator('studio-app [role="alert"]').count()).toBe(0);
    expect(said).toEqual([]);
  });

  itInChromium("are taken where they are dropped", async () => {
    const { page, said } = await openStudio(browser());
    await viewed(page, "heed-heatmap");
    const bytes = Array.from(writeTrace(exampleTrace(SENTENCE)));
    await page.locator("studio-app .app").evaluate((app, numbers) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(numbers)], "dropped.attn"));
      for (const type of ["dragover", "drop"])
        app.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
    }, bytes);
    await page.getByRole("heading", { name: "example" }).waitFor();
    expect(said).toEqual([]);
  });
});

describe("models that are opened", () => {
  itInChromium("are told by their files: format, types, shapes and what stands beside", async () => {
    const folder = testFolder();
    const model = path.join(folder, "tiny-bert");
    mkdirSync(model);
    const F32 = (shape: number[]) => ({
      ...{ dtype: "F32" as const, shape },
      data: new Float32Array(shape.reduce((a, b) => a * b)),
    });
    const tensors = { "embeddings.weight": F32([7, 3]), "pooler.bias": F32([3]) };
    writeFileSync(path.join(model, "model.safetensors"), encodeSafetensors(tensors));
    writeFileSync(path.join(model, "config.json"), JSON.stringify({ model_type: "bert", hidden_size: 3 }));
    writeFileSync(path.join(folder, "broken.gguf"), "GGUF and no more");
    const places = [model, path.join(WEIGHTS, "tracking"), path.join(PAGES, "traces/caption.attn")];
    const { page, said } = await openStudio(browser(), { places, fragment: "#d=opened-0" });
    const card = page.locator("model-card");
    await card.getByRole("heading", { name: "tiny-bert" }).waitFor();
    const text = await card.locator("dl").textContent();
    expect(text?.replace(/\s+/g, " ")).toContain("architecturebert formatsafetensors parameters24");
    expect(text).toContain("2, 96 B: 2 F32");
    expect(text).toContain("config.json");
    await card.getByRole("rowheader", { name: "embeddings.weight" }).waitFor();
    await card.getByRole("cell", { name: "7 × 3" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByLabel("Open a folder").setInputFiles(path.join(WEIGHTS, "tracking"));
    await card.getByRole("heading", { name: "tracking" }).waitFor();
    expect(await card.locator("dl").textContent()).toMatch(/architecture\s*digit|architecture\s*tracking/);
    await open(page, path.join(folder, "broken.gguf"));
    await expect.poll(() => alertText(page).catch(() => "")).toMatch(/broken\.gguf/);
    expect(said).toEqual([]);
  });
});

describe("files of weights", () => {
  itInChromium("of each format are told, those of Keras by the library that the server has", async () => {
    const fixtures = path.join(import.meta.dirname, "../fixtures/checkpoints");
    const { page, said } = await openStudio(browser());
    await viewed(page, "heed-heatmap");
    const card = page.locator("model-card");
    for (const [file, format] of [
      ["small.safetensors", "safetensors"],
      ["small.gguf", "gguf"],
      ["zip.pt", "pytorch"],
      ["legacy.bin", "pytorch"],
      ["small.weights.h5", "keras"],
      ["small.keras", "keras"],
    ] as const) {
      await open(page, path.join(fixtures, file));
      await card.getByRole("heading", { name: file }).waitFor();
      expect(await card.locator("dd").nth(1).textContent(), file).toBe(format);
      expect(await card.locator("tbody tr").count(), file).toBeGreaterThan(0);
    }
    expect(said).toEqual([]);
  });
});

describe("what is saved", () => {
  itInChromium("is PNG, SVG, JSON, a page of its own and the trace, by keyboard", async () => {
    const folder = testFolder();
    const { page, said } = await openStudio(browser(), { fragment: "#d=caption&view=heatmap" });
    await viewed(page, "heed-heatmap");
    const save = async (format: string) => {
      const download = page.waitForEvent("download");
      await page
        .getByRole("button", { name: `Save ${format}`, exact: true })
        .first()
        .press("Enter");
      const file = await download;
      const place = path.join(folder, file.suggestedFilename());
      await file.saveAs(place);
      return { place, bytes: readFileSync(place) };
    };
    expect((await save("PNG")).bytes.subarray(1, 4).toString()).toBe("PNG");
    const svg = (await save("SVG")).bytes.toString();
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain("trouser");
    const { layers } = importTrace((await save("JSON")).bytes);
    expect([layers[0]!.T, layers[0]!.S]).toEqual([9, 64]);
    const { place, bytes } = await save("trace");
    expect(path.basename(place)).toBe("A-picture-is-described-heatmap.attn");
    const shipped = importTrace(readFileSync(path.join(PAGES, "traces/caption.attn")));
    expect(importTrace(bytes).layers[0]!.attn!.data).toEqual(shipped.layers[0]!.attn!.data);
    const html = await save("HTML");
    copyFileSync(html.place, path.join(folder, "page.html"));
    const context = page.context();
    await context.setOffline(true);
    const own = await context.newPage();
    const opened = watch(own, () => own.close());
    await own.goto(pathToFileURL(path.join(folder, "page.html")).href);
    await own.locator("heed-heatmap[data-ready]").waitFor();
    expect(askedElsewhere(opened.requests)).toEqual([]);
    expect(opened.said).toEqual([]);
    await own.close();
    await page.getByRole("tab", { name: "Gates" }).click();
    await viewed(page, "heed-gates");
    expect((await save("PNG")).bytes.subarray(1, 4).toString()).toBe("PNG");
    await page.getByRole("button", { name: "Save JSON", exact: true }).first().press("Enter");
    await status(page).getByText("Not saved: the view gates has no numbers of its own").waitFor();
    expect(said).toEqual([]);
  });

  itInChromium("is a link that has no text in it", async () => {
    const options = { permissions: ["clipboard-read", "clipboard-write"] };
    const { page, said } = await openStudio(browser(), { fragment: "#d=translation&q=3", options });
    await viewed(page, "heed-heatmap");
    await page.getByRole("button", { name: "Copy link" }).press("Enter");
    await status(page).getByText("The link is copied").waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toMatch(/#d=translation&q=3/);
    expect(link).not.toMatch(/fille|girl/);
    expect(said).toEqual([]);
  });
});

describe("a trace without layers", () => {
  itInChromium("has its gates alone, and no panels of heads", async () => {
    const file = path.join(testFolder(), "gates.attn");
    const gates = { channels: traceTensor([3], [0.25, 0.5, 0.75]) };
    writeFileSync(file, writeTrace(createTrace({ name: "gates", tokens: {}, layers: [], gates })));
    const { page, said } = await openStudio(browser());
    await viewed(page, "heed-heatmap");
    await open(page, file);
    await viewed(page, "heed-gates");
    expect(await page.locator("studio-inspector, token-strip, head-list").count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    expect(said).toEqual([]);
  });
});
