import { cpSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Browser } from "@playwright/test";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { bundleForBrowser, scratchFolder } from "../support/bundle.ts";
import { findChromium, itInChromium, launchChromium } from "../support/chromium.ts";
import { ISOLATION } from "../support/serve.ts";
import { visit } from "../support/visit.ts";

/** What the page reports on `window.result`. */
interface Report {
  isolated: boolean;
  backend: string;
  shared: boolean;
  build: string;
  worst: number;
  error?: string;
}

/** A product with both operands transposed and batched, an embedding, and their gradients, on cpu and on heed. */
const PROGRAM = `
import "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { BACKEND } from "@/host/backend.ts";
import { heapOf } from "@/host/heap.ts";

const compute = () => tf.tidy(() => {
  const [a, b] = [tf.randomNormal([3, 17, 5], 0, 1, "float32", 1), tf.randomNormal([3, 7, 17], 0, 1, "float32", 2)];
  const table = tf.randomNormal([11, 7], 0, 1, "float32", 3);
  const ids = tf.tensor1d([1, 10, 1], "int32");
  const loss = (a, b, table) =>
    tf.add(tf.sum(tf.square(tf.matMul(a, b, true, true))), tf.sum(tf.exp(tf.tanh(tf.gather(table, ids)))));
  const { value, grads } = tf.valueAndGrads(loss)([a, b, table]);
  return [value, ...grads, tf.matMul(a, b, true, true)].flatMap((t) => [...t.dataSync()]);
});

async function run() {
  await tf.setBackend("cpu");
  const expected = compute();
  setWasmPaths("/wasm/");
  if (location.search === "?threads") tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", true);
  await tf.setBackend(BACKEND);
  const got = compute();
  const heap = heapOf(tf.backend());
  const scale = Math.max(...expected.map(Math.abs));
  return {
    isolated: crossOriginIsolated,
    backend: tf.getBackend(),
    shared: heap.backend.wasm.HEAPU8.buffer instanceof (globalThis.SharedArrayBuffer ?? class {}),
    build: heap.build,
    worst: Math.max(...got.map((value, i) => Math.abs(value - expected[i]))) / scale,
  };
}

run().then((result) => { window.result = result; }, (error) => { window.result = { error: String(error.stack ?? error.message ?? error) }; });
`;

const scratch = scratchFolder();
/** The folders of the bundles. */
const pages: Record<"minified" | "readable", string> = { minified: "", readable: "" };
let browser: Browser;

beforeAll(async () => {
  if (!findChromium()) return;
  const wasm = path.dirname(
    createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json"),
  );
  for (const name of ["minified", "readable"] as const) {
    pages[name] = await bundleForBrowser(path.join(scratch.folder, name), PROGRAM, name === "minified");
    cpSync(path.join(wasm, "wasm-out"), path.join(pages[name], "wasm"), { recursive: true });
  }
  browser = await launchChromium();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  scratch.remove();
});

/** Sums of at most 17 terms, and of the 105 squares of the loss, with float32's 2⁻²³. */
const TOLERANCE = 105 * 2 ** -23;

describe("heed in Chromium", () => {
  const right = { backend: "heed", build: "relaxed" };

  itInChromium("computes on an ordinary page what cpu computes, minified", async () => {
    const { report, console } = await visit<Report>(browser, pages.minified);
    expect(report).toMatchObject({ ...right, isolated: false, shared: false });
    expect(report.worst).toBeLessThan(TOLERANCE);
    expect(console).toEqual([]);
  });

  itInChromium(
    "starts on a cross-origin-isolated page, where the stock backend hangs in a minified bundle",
    async () => {
      const { report, console } = await visit<Report>(browser, pages.minified, ISOLATION);
      expect(report).toMatchObject({ ...right, isolated: true, shared: false });
      expect(report.worst).toBeLessThan(TOLERANCE);
      expect(console).toEqual([]);
    },
  );

  itInChromium(
    "computes in the shared memory of TensorFlow.js' threads where the page asks for them",
    async () => {
      const { report } = await visit<Report>(browser, pages.readable, ISOLATION, "?threads");
      expect(report).toMatchObject({ ...right, isolated: true, shared: true });
      expect(report.worst).toBeLessThan(TOLERANCE);
    },
  );
});
