import path from "node:path";
import type { Browser } from "@playwright/test";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleForBrowser, scratchFolder, scriptsOf } from "../support/bundle.ts";
import { findChromium, itInChromium, launchChromium } from "../support/chromium.ts";
import { visit } from "../support/visit.ts";

interface Report {
  same: boolean;
  loss: [number, number];
  error?: string;
}

/** A model with heed's layers learns, is saved to the page's storage, and loaded. */
const PROGRAM = `
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { input, loadLayersModel, model } from "@tensorflow/tfjs-layers";
import { MultiHeadAttention, TransformerEncoderLayer } from "@/layers/index.ts";

async function run() {
  await tf.setBackend("cpu");
  const x = input({ shape: [5, 6] });
  const block = new TransformerEncoderLayer({ numHeads: 2, intermediateDim: 8 }).apply(x);
  const made = model({ inputs: x, outputs: new MultiHeadAttention({ numHeads: 2, keyDim: 3 }).apply(block) });
  made.compile({ optimizer: "adam", loss: "meanSquaredError" });
  const data = tf.randomNormal([4, 5, 6]);
  const { history } = await made.fit(data, data, { epochs: 3, verbose: 0 });
  await made.save("localstorage://model");
  const loaded = await loadLayersModel("localstorage://model");
  const [a, b] = [made, loaded].map((each) => each.predict(data).dataSync());
  return { same: a.every((value, at) => Object.is(value, b[at])), loss: [history.loss[0], history.loss[2]] };
}

run().then((result) => { window.result = result; }, (error) => { window.result = { error: String(error.stack ?? error) }; });
`;

const scratch = scratchFolder();
let page: string;
let browser: Browser;

beforeAll(async () => {
  page = await bundleForBrowser(path.join(scratch.folder, "layers"), PROGRAM, true);
  if (findChromium()) browser = await launchChromium();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  scratch.remove();
});

describe("heed/layers in browsers, minified", () => {
  it("imports no module of Node", () => {
    const scripts = scriptsOf(page);
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.filter(({ importsNode }) => importsNode)).toEqual([]);
  });

  itInChromium("trains, saves and loads a model", async () => {
    const { report, console } = await visit<Report>(browser, page);
    expect(report.error).toBeUndefined();
    expect(report.same).toBe(true);
    expect(report.loss[1]).toBeLessThan(report.loss[0]);
    expect(console).toEqual([]);
  });
});
