/**
 * Any problem on every path: each is as near to the float64 reference as float32 can be, so all are near each other. A few
 * hundred here, as many as you like with `npm run fuzz -- attention`.
 */
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BACKEND } from "../../src/host/backend.ts";
import { startHeedBackend } from "../../src/host/start.ts";
import { AttentionEngine } from "../../src/kernels/wasm/attention/engine.ts";
import { PoolSpace } from "../../src/kernels/wasm/pool/pool.ts";
import { allowRelaxedSimd } from "../../src/kernels/wasm/relaxed.ts";
import { cases, smallCases } from "../kernels/arbitrary.ts";
import {
  type Arrays,
  type Case,
  firstDifference,
  makeCase,
  runFused,
  runReference,
  tolerances,
} from "../kernels/cases.ts";
import { type HostOptions, runOp } from "../ops/attention-support.ts";
import { useBuild } from "../support/kernel-build.ts";

let engines: { relaxed: AttentionEngine; plain: AttentionEngine; threaded: AttentionEngine };
let pool: PoolSpace;
const COMPOSED = "composed";

beforeAll(async () => {
  allowRelaxedSimd();
  // The smallest work is handed out too.
  pool = await PoolSpace.start("relaxed", 2, { leastFlops: 0 });
  engines = {
    relaxed: new AttentionEngine("relaxed"),
    plain: new AttentionEngine("plain"),
    threaded: new AttentionEngine(pool, PoolSpace.FREE),
  };
  await useBuild("relaxed");
  // Our backend without its attention: the stock ones are unsound where a length is 0.
  tf.copyRegisteredKernels(BACKEND, COMPOSED);
  for (const kernel of ["HeedAttention", "HeedAttentionGrad", "HeedAttentionWeights"]) {
    tf.unregisterKernel(kernel, COMPOSED);
  }
  tf.registerBackend(COMPOSED, startHeedBackend);
  await tf.setBackend(COMPOSED);
});

afterAll(() => pool.close());

/** The op, composed of TensorFlow.js ops, and fused in place. */
async function runOps(one: Case, options: HostOptions): Promise<Record<string, Arrays>> {
  await tf.setBackend(COMPOSED);
  const composed = runOp(one, options, "bhtd");
  await tf.setBackend(BACKEND);
  return { composed, "in place": runOp(one, options, "bhtd") };
}

async function disagreement(...[shapes, options, seed, gain]: Parameters<typeof makeCase>): Promise<string> {
  const one = makeCase(shapes, options, seed, gain);
  const expected = runReference(one);
  const tolerance = tolerances(one, expected);
  const relaxed = runFused(engines.relaxed, one);
  const paths: Record<string, Arrays> = { relaxed, plain: runFused(engines.plain, one) };
  for (const [name, got] of Object.entries(paths)) {
    const difference = firstDifference(got, expected, tolerance);
    if (difference) return `${name}: ${difference}`;
  }
  const threads = firstDifference(runFused(engines.threaded, one), relaxed, {});
  if (threads) return `two threads: ${threads}`;
  // Of TensorFlow.js ops, the gradient of v is a product over all of dout, so that must be finite everywhere; a sink
  // that is a number has no gradient there.
  const hidesNothing = !one.dout.some(Number.isNaN);
  const finite = hidesNothing ? one : { ...one, dout: one.dout.map((x) => (Number.isNaN(x) ? 0 : x)) };
  const { dsink, ...rest } = hidesNothing ? expected : runReference(finite);
  const wanted = typeof options.sink === "object" ? { ...rest, dsink: dsink! } : rest;
  for (const [name, got] of Object.entries(await runOps(finite, options))) {
    const difference = firstDifference(got, wanted, tolerance);
    if (difference) return `${name}: ${difference}`;
  }
  return "";
}

/** How many problems, and what they are drawn by: the fuzzer asks for more, and for others. */
const PROBLEMS = Number(process.env.HEED_PROBLEMS ?? 320);
const SEED = Number(process.env.HEED_SEED ?? 20261126);

describe("Reference, kernels of both builds, one thread and two, and the op composed and in place", () => {
  const check = async (arbitrary: typeof cases, numRuns: number) => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async (drawn) => {
        expect(await disagreement(...drawn)).toBe("");
      }),
      { seed: SEED, numRuns },
    );
  };
  const patienceMs = Math.max(60_000, 200 * PROBLEMS);

  it(
    "agree on small problems with any options, in values and all gradients, NaN in every hidden place",
    () => check(smallCases, Math.ceil((7 / 8) * PROBLEMS)),
    patienceMs,
  );

  it("agree on problems at the edges of blocks", () => check(cases, Math.ceil(PROBLEMS / 8)), patienceMs);
});
