/** Attention on a software GPU against the oracle. `npm run fuzz -- webgpu` does thousands of option sets. */
import { describe, expect } from "vitest";
import type { ModifiedOptions } from "../../../src/core/modified-program.ts";
import type { AttentionShapes, HostArray } from "../../../src/core/notation.ts";
import { gpuDevice } from "../../../src/kernels/webgpu/device.ts";
import { BASE_LIMITS } from "../../../src/kernels/webgpu/pass.ts";
import { gpuTest } from "../../support/gpu.ts";
import { type Case, firstDifference, floats, holes, makeCase, runReference, tolerances } from "../cases.ts";
import { CLASSICS } from "../modification-cases.ts";
import { runOnGpu } from "./cases.ts";

/** What is wrong with the results of a case, if anything is. */
function differenceOf(c: Case, results: Awaited<ReturnType<typeof runOnGpu>>["results"]): string {
  const { weights: _, ...all } = runReference(c);
  const expected = Object.fromEntries(Object.entries(all).filter(([name]) => name in results));
  return firstDifference(results, expected, tolerances(c, expected));
}

const PLAIN: AttentionShapes = { B: 2, T: 37, S: 67, H: 2, Hkv: 2, D: 8, Dv: 8 };
const WHOLE: AttentionShapes = { B: 2, T: 37, S: 67, H: 6, Hkv: 2, D: 35, Dv: 9 };

/** Every option at once, and functions, with rows that see nothing and NaN where nobody looks. */
function everything(shapes: AttentionShapes): ModifiedOptions<HostArray> {
  const { B, H, T, S } = shapes;
  const bias = floats(11, [1, H, T, S]);
  for (let e = 0; e < bias.values.length; e += 7) bias.values[e] = -Infinity;
  return {
    bias,
    allow: holes(12, [B, 1, T, S], true),
    causal: "bottomRight",
    window: { left: 40 },
    queryLengths: [T, T - 5],
    keyLengths: [S - 13, 1],
    softCap: 3,
    sink: floats(13, [H]),
    dropout: { rate: 0.3, seed: 2 ** 40 + 5 },
    training: true,
    ...CLASSICS.mixed!(shapes),
  };
}

describe("attention on WebGPU", () => {
  gpuTest(
    "all options and functions at once are those of the oracle, with the buffers that every device has",
    async () => {
      const c = makeCase(WHOLE, everything(WHOLE), 2);
      const { results, passes } = await runOnGpu(c);
      expect(differenceOf(c, results)).toBe("");
      expect(Math.max(...passes.map(({ bindings }) => bindings.length))).toBe(8);
    },
  );

  gpuTest("the same inputs give the same bits, in one dispatch or in many", async () => {
    const c = makeCase(WHOLE, everything(WHOLE), 3);
    const { results, passes } = await runOnGpu(c);
    const again = await runOnGpu(c);
    // A head of q has 37 · 35 numbers, one of bias 37 · 67.
    const small = { ...BASE_LIMITS, maxStorageBufferBindingSize: 4 * 3 * 37 * 67 + 1024 };
    const cut = await runOnGpu(c, { limits: small });
    expect(cut.passes.length).toBeGreaterThan(passes.length);
    expect(again.results).toEqual(results);
    expect(Object.keys(results)).toContain("dtensors.slopes");
    expect(cut.results).toEqual(results);
  });

  gpuTest("a key that is hidden from one query and seen by another may hold NaN", async () => {
    const c = makeCase(PLAIN, { causal: "bottomRight" }, 4);
    const { T, S, Dv } = PLAIN;
    // Key S − 2 of the first head: seen by the last two queries alone.
    c.v.fill(Number.NaN, (S - 2) * Dv, (S - 1) * Dv);
    const { results } = await runOnGpu(c, { forwardOnly: true });
    const rowIsNaN = (i: number) => Number.isNaN(results.output![i * Dv]!);
    expect(Array.from({ length: T }, (_, i) => i).filter(rowIsNaN)).toEqual([T - 2, T - 1]);
    const clean = makeCase(PLAIN, { causal: "bottomRight" }, 4);
    const sound = (await runOnGpu(clean, { forwardOnly: true })).results.output!;
    expect(Array.from(results.output!).slice(0, (T - 2) * Dv)).toEqual(
      Array.from(sound).slice(0, (T - 2) * Dv),
    );
  });

  gpuTest("few queries over many keys are split and merged, by subgroups where there are some", async () => {
    const shapes = { ...PLAIN, B: 1, T: 3, S: 517 };
    const c = makeCase(shapes, { causal: "bottomRight", keyLengths: [509] }, 5);
    const { subgroups } = (await gpuDevice()).features;
    const { results, passes } = await runOnGpu(c, { forwardOnly: true, subgroups });
    expect(passes.map(({ label }) => label)).toContain("attention merge");
    expect(differenceOf(c, results)).toBe("");
  });

  gpuTest("scores beyond float32's range take their row's mass, as with the oracle", async () => {
    const c = makeCase(PLAIN, {}, 6);
    c.q.fill(1e30, 0, PLAIN.D);
    c.k.fill(1e30, 0, PLAIN.D);
    c.k.fill(-1e30, PLAIN.D, 2 * PLAIN.D);
    const { output, lse } = (await runOnGpu(c, { forwardOnly: true })).results;
    const { Dv } = PLAIN;
    expect(Array.from(output!).slice(0, Dv)).toEqual(Array.from(c.v.slice(0, Dv)));
    expect(lse![0]).toBe(Infinity);
  });
});
