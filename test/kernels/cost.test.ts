import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostArray } from "../../src/core/notation.ts";
import { compileProgram } from "../../src/core/program.ts";
import { isAllowed } from "../../src/core/program-rows.ts";
import { type AttentionOptions, attention, attentionBackward } from "../../src/kernels/attention.ts";
import { attentionCost } from "../../src/kernels/cost.ts";
import { init, kernelMemoryBytes, shutdown } from "../../src/kernels/init.ts";
import { referenceAttention } from "../../src/kernels/reference.ts";

describe("attentionCost", () => {
  it("is 4·T·S·D flops a head forward and 10·T·S·D backward where nothing is hidden", () => {
    const cost = attentionCost({ B: 3, H: 5, T: 7, S: 11, D: 13 });
    expect(cost.forward).toBe(3 * 5 * 4 * 7 * 11 * 13);
    expect(cost.backward).toBe(3 * 5 * 10 * 7 * 11 * 13);
    expect(cost.denseBytes).toBe(3 * 5 * 7 * 11 * 4);
  });

  it.each<[string, AttentionOptions]>([
    ["causality", { causal: "bottomRight" }],
    ["a window", { window: { left: 2, right: 1 }, queryOffset: 3 }],
    ["lengths", { queryLengths: [7, 3], keyLengths: [0, 11] }],
  ])("counts the pairs that %s leaves", (_, options) => {
    const shapes = { B: 2, H: 3, Hkv: 3, T: 7, S: 11, D: 2, Dv: 5 };
    const program = compileProgram("test", shapes, options);
    let pairs = 0;
    for (let b = 0; b < 2; b++) {
      for (let i = 0; i < 7; i++) for (let j = 0; j < 11; j++) if (isAllowed(program, b, 0, i, j)) pairs += 3;
    }
    expect(attentionCost(shapes, options)).toMatchObject({
      pairs,
      forward: 14 * pairs,
      backward: 32 * pairs,
    });
  });
});

it("attentionCost counts what the plain loops multiply", () => {
  const shapes = { B: 2, H: 6, Hkv: 3, T: 7, S: 11, D: 3, Dv: 5 };
  const options = { causal: "bottomRight", queryLengths: [7, 3], keyLengths: [5, 11] } as const;
  let reads = 0;
  // A product of a query and a key reads D numbers of the key, one of a weight and a value Dv of the value.
  const counted = (n: number) =>
    new Proxy(new Float64Array(n).fill(0.5), {
      get(array, name) {
        if (typeof name === "string" && /^\d+$/.test(name)) reads++;
        const found = Reflect.get(array, name);
        return typeof found === "function" ? found.bind(array) : found;
      },
    });
  const { B, H, Hkv, T, S, D, Dv } = shapes;
  const q = new Float64Array(B * H * T * D).fill(0.5);
  const program = compileProgram<HostArray>("test", shapes, options);
  referenceAttention(program, { q, k: counted(B * Hkv * S * D), v: counted(B * Hkv * S * Dv) });
  expect(2 * reads).toBe(attentionCost(shapes, options).forward);
});

it("time grows with the square of the length, as the flops do", async () => {
  await init();
  // Wide enough that what a call costs besides its flops does not count.
  const D = 64;
  /** Processor time of as many flops as one call of 2048 has. */
  const seconds = (n: number) => {
    const x = new Float32Array(n * D).fill(0.1);
    const used = process.cpuUsage();
    for (let calls = 0; calls < (2048 / n) ** 2; calls++) attention(x, x, x, { B: 1, H: 1, T: n, S: n, D });
    const { user, system } = process.cpuUsage(used);
    return (user + system) / 1e6 / (2048 / n) ** 2;
  };
  // Both sizes in each round, so that a busy moment slows both; the median of all rounds, however they look.
  const slopes = Array.from({ length: 15 }, () => Math.log2(seconds(2048) / seconds(512)) / 2);
  const slope = slopes.sort((a, b) => a - b)[7]!;
  expect(slope).toBeGreaterThan(1.8);
  expect(slope).toBeLessThan(2.2);
});

describe("The kernels' memory", () => {
  beforeAll(() => shutdown());
  afterAll(() => shutdown());

  it("grows with n·D while the weights would grow with n²", async () => {
    expect(kernelMemoryBytes()).toBe(0);
    await init();
    const D = 16;
    const measured = [2048, 4096, 8192].map((n) => {
      const x = new Float32Array(n * D).fill(0.1);
      const { saved } = attention(x, x, x, { B: 1, H: 1, T: n, S: n, D });
      attentionBackward(x, saved);
      const { pairs, denseBytes } = attentionCost({ B: 1, H: 1, T: n, S: n, D });
      return { bytes: kernelMemoryBytes(), pairs, denseBytes };
    });
    expect(measured.map(({ pairs }) => pairs)).toEqual([2048 ** 2, 4096 ** 2, 8192 ** 2]);
    // Twice the rows, twice the bytes, beside what is there for any size.
    const [first, second, third] = measured.map(({ bytes }) => bytes) as [number, number, number];
    expect((third - second) / (second - first)).toBeGreaterThan(1.8);
    expect((third - second) / (second - first)).toBeLessThan(2.2);
    expect(third).toBeLessThan(measured[2]!.denseBytes / 10);
  });
});
