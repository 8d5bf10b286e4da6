/** Statistics of weights on a software GPU against the oracle's. */
import { describe, expect, test } from "vitest";
import { attention } from "../../../src/kernels/attention.ts";
import { init } from "../../../src/kernels/init.ts";
import { referenceCall } from "../../../src/kernels/reference-layouts.ts";
import { referenceProbe } from "../../../src/kernels/reference-probe.ts";
import { probeOnGpu } from "../../../src/kernels/webgpu/run-probe.ts";
import { gpuTest } from "../../support/gpu.ts";
import { floats, normal } from "../cases.ts";
import { CLASSICS } from "../modification-cases.ts";

const SHAPES = { B: 2, H: 4, Hkv: 2, T: 37, S: 101, D: 7, Dv: 5 };

/** A call with rows that see no key, and padding. */
function call() {
  const { B, H, Hkv, T, S, D, Dv } = SHAPES;
  const [q, k, v] = [normal(1, B * H * T * D), normal(2, B * Hkv * S * D), normal(3, B * Hkv * S * Dv)];
  return attention(q, k, v, SHAPES, {
    ...CLASSICS.causalDocuments!(SHAPES),
    keyLengths: [S, 19],
    queryLengths: [T - 5, T],
    sink: floats(4, [H]),
    onEmptyRow: "uniform",
  });
}

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(b).reduce((most, x, n) => Math.max(most, Math.abs(x - a[n]!)), 0);

describe("probes on WebGPU", () => {
  gpuTest("rows, the largest weights, entropy and the sink's share are those of the oracle", async () => {
    await init();
    const { saved } = call();
    const request = { rows: [36, 0, 33], topK: 3, max: true, entropy: true, sinkMass: true } as const;
    const [q, k, v] = [saved.q, saved.k, saved.v].map((x) => Float64Array.from(x));
    const { weights } = referenceCall(saved.program, saved.layout, { q: q!, k: k!, v: v! });
    const want = referenceProbe(saved.program, weights, request);
    const got = await probeOnGpu(saved, request);
    expect(got.rows.index).toEqual(request.rows);
    expect(got.topK.indices).toEqual(want.topK.indices);
    expect(got.max.key).toEqual(want.max.key);
    // A weight is e^y of a y that is off by a few roundings of the scores and of lse, which are below 8 here.
    const tolerance = 16 * 2 ** -23;
    for (const [mine, theirs] of [
      [got.rows.weights, want.rows.weights],
      [got.topK.weights, want.topK.weights],
      [got.max.weight, want.max.weight],
      [got.sinkMass, want.sinkMass],
    ] as const) {
      expect(mine.length).toBe(theirs.length);
      expect(furthest(mine, theirs)).toBeLessThan(tolerance);
    }
    // Entropy is Σ w·|ln w|, below ln S.
    expect(furthest(got.entropy, want.entropy)).toBeLessThan(tolerance * Math.log(SHAPES.S) * 2);
    expect(Math.max(...want.entropy)).toBeGreaterThan(1);
  });

  test("what needs sums over queries is refused", async () => {
    await init();
    await expect(probeOnGpu(call().saved, { columnMass: true } as object)).rejects.toThrow(
      "probeOnGpu: what is asked for must be rows or topK or max or entropy or sinkMass, got columnMass; choose one of them",
    );
  });
});
