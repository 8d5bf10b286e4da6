import path from "node:path";
import type { Browser } from "@playwright/test";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { bundleForBrowser, scratchFolder } from "../support/bundle.ts";
import { findChromium, itInChromium, launchChromium } from "../support/chromium.ts";
import { ISOLATION } from "../support/serve.ts";
import { visit } from "../support/visit.ts";

interface Report {
  info: { build: string; threads: number };
  /** Whether threads gave the bits that one thread gives. */
  same: boolean;
  worst: number;
  error?: string;
}

/** Attention and its gradients, with functions of scores too, on as many threads as the page gets, on one, and by the oracle. */
const PROGRAM = `
import { attention, attentionBackward, init, referenceAttention } from "@/kernels/index.ts";
import { RandomStream } from "@/core/random.ts";

const sizes = { B: 1, H: 3, T: 301, S: 301, D: 32 };
const [q, k, v, dout] = [1, 2, 3, 4].map((seed) => new RandomStream(seed).fillNormal(new Float32Array(3 * 301 * 32), 0, 1));
const slopes = { shape: [3], dtype: "float32", values: Float32Array.of(0.5, 0.25, 0.125) };
/** By an option, and by functions that are compiled here, by the workers too. */
const OPTIONS = [
  { causal: true },
  {
    scoreMod: (score, { h, q, k }, tensors) => score.sub(tensors.slopes.at(h).mul(q.sub(k).abs())),
    maskMod: ({ q, k }) => q.greaterEqual(k),
    tensors: { slopes },
  },
];
const compute = () => {
  const calls = OPTIONS.map((options) => {
    const { output, saved } = attention(q, k, v, sizes, options);
    const { dq, dk, dv, dtensors = { none: [] } } = attentionBackward(dout, saved);
    return { all: [output, dq, dk, dv, ...Object.values(dtensors)].flatMap((x) => [...x]), output, program: saved.program };
  });
  return { all: calls.flatMap(({ all }) => all), calls };
};

async function run() {
  const info = await init({ threads: 2 });
  const shared = compute();
  await init({ threads: 1 });
  const alone = compute();
  const far = alone.calls.map(({ program }, n) => {
    const expected = referenceAttention(program, { q, k, v }).output;
    return Math.max(...expected.map((x, e) => Math.abs(x - shared.calls[n].output[e])));
  });
  return {
    info,
    same: shared.all.every((x, e) => Object.is(x, alone.all[e])),
    worst: Math.max(...far),
  };
}

run().then((result) => { window.result = result; }, (error) => { window.result = { error: String(error.stack ?? error) }; });
`;

const scratch = scratchFolder();
let page: string;
let browser: Browser;

beforeAll(async () => {
  if (!findChromium()) return;
  page = await bundleForBrowser(path.join(scratch.folder, "kernels"), PROGRAM, true);
  browser = await launchChromium();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  scratch.remove();
});

/** A mean of values of the order of 1, over at most 301 of them. */
const TOLERANCE = 301 * 2 ** -24;

describe("heed/kernels in Chromium, minified", () => {
  itInChromium("computes on two threads where the page is cross-origin isolated", async () => {
    const { report, console } = await visit<Report>(browser, page, ISOLATION);
    expect(report).toMatchObject({ info: { build: "relaxed", threads: 2 }, same: true });
    expect(report.worst).toBeLessThan(TOLERANCE);
    expect(console).toEqual([]);
  });

  itInChromium("computes on one thread elsewhere", async () => {
    const { report, console } = await visit<Report>(browser, page);
    expect(report).toMatchObject({ info: { build: "relaxed", threads: 1 }, same: true });
    expect(report.worst).toBeLessThan(TOLERANCE);
    expect(console).toEqual([]);
  });
});
