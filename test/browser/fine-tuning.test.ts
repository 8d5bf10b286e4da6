/** A published model is loaded from bytes, given a classifier, trained on with frozen layers and written, in a page. */
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeSafetensors } from "../../src/core/safetensors.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import { fixture } from "../models/transformer/fixture.ts";
import { bundleForBrowser, scratchFolder, scriptsOf } from "../support/bundle.ts";
import { browserForTests, itInChromium } from "../support/chromium.ts";
import { visit } from "../support/visit.ts";
import { fineTune, type Report } from "./fine-tune.ts";

const { config, state } = fixture("bert");
const tensors = Object.entries(state).map(([name, { shape, values }]) => {
  return [name, { dtype: "F32", shape, data: Float32Array.from(values) }] as const;
});
const weights = Buffer.from(encodeSafetensors(Object.fromEntries(tensors)));

const PROGRAM = `
import "@/host/backend.ts";
import { fineTune } from ${JSON.stringify(path.join(import.meta.dirname, "fine-tune.ts"))};
const bytes = Uint8Array.from(atob("${weights.toString("base64")}"), (letter) => letter.charCodeAt(0));
fineTune(bytes, ${JSON.stringify(config)}).then(
  (result) => { window.result = result; },
  (error) => { window.result = { error: String(error.stack ?? error) }; },
);
`;

const scratch = scratchFolder();
const browser = browserForTests();
let page: string;

beforeAll(async () => {
  page = await bundleForBrowser(path.join(scratch.folder, "fine-tuning"), PROGRAM, true);
  return () => scratch.remove();
}, 120_000);

describe("fine-tuning in a page", () => {
  it("imports no module of Node", () => {
    const scripts = scriptsOf(page);
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.filter(({ importsNode }) => importsNode)).toEqual([]);
  });

  itInChromium("learns what it learns in Node", async () => {
    await useHeedBackend();
    const here = await fineTune(weights, config);
    const { report, console } = await visit<Report>(browser(), page);
    expect(report.error).toBeUndefined();
    expect(console).toEqual([]);
    expect(report.frozen).toBe(true);
    expect(report.bytes).toBe(here.bytes);
    expect(report.losses[9]).toBeLessThan(0.9 * report.losses[0]!);
    expect(report.losses[19]).toBeLessThan(report.losses[10]!);
    // Engines may fuse products and sums, or not: both round, a step carries it on.
    for (const [n, loss] of here.losses.entries())
      expect(Math.abs(report.losses[n]! - loss)).toBeLessThan(1e-4);
  });
});
