/** Strided, fixed and Longformer attention, which are two or three calls of the op over parts of the sequence. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { patternMask } from "../../../src/attention/mask/index.ts";
import { softAttention } from "../../../src/attention/sequence/index.ts";
import {
  fixedAttention,
  fixedPattern,
  longformerAttention,
  longformerPattern,
  stridedAttention,
  stridedPattern,
  topKAttention,
} from "../../../src/attention/sparse/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import fixtures from "../../fixtures/sparse/sparse.json" with { type: "json" };
import { expectFixture, type FixtureArray } from "../position/fixtures.ts";
import { distance, onEveryBackend } from "../support.ts";
import { expectDense, inputs, kernelsOf, make, type Qkv, spoiled } from "./inputs.ts";

const SIZES = [
  [2, 3, 3, 13, 13, 5, 7],
  [1, 4, 2, 11, 11, 3, 5],
  [3, 2, 1, 7, 7, 2, 3],
];
const rowsOf = (x: tf.Tensor4D, positions: readonly number[]) =>
  tf.gather(x, [...positions], 2) as tf.Tensor4D;
const global = ({ q, k, v }: Qkv, positions: readonly number[]) => ({
  positions,
  q: rowsOf(q, positions),
  k,
  v,
});

onEveryBackend("sparse patterns", () => {
  it.each(fixtures.map((fixture) => [fixture.name, fixture] as const))(
    "give what PyTorch gives under the dense mask, and its gradients: %s",
    (name, { options, inputs, dy, output, gradients }) => {
      const { positions, ...rest } = options as { positions?: number[] } & Record<string, unknown>;
      const f = (...[q, k, v, qg, kg, vg]: tf.Tensor[]) => {
        const given = { ...rest, ...(positions && { global: { positions, q: qg, k: kg, v: vg } }) };
        const mechanisms = { stridedAttention, fixedAttention, longformerAttention, topKAttention };
        const mechanism = mechanisms[name as keyof typeof mechanisms] as (
          q: tf.Tensor4D,
          k: tf.Tensor4D,
          v: tf.Tensor4D,
          options: object,
        ) => { output: tf.Tensor };
        return mechanism(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, given).output;
      };
      const arrays = { ...inputs, gradients } as unknown as Record<string, FixtureArray>;
      const { gradients: _, ...x } = arrays;
      const own = Object.fromEntries(Object.entries(x).filter(([, array]) => array));
      expectFixture(f, own, { dy, output, gradients: gradients as unknown as Record<string, FixtureArray> });
    },
  );

  it.each(SIZES)("are dense attention under their masks, to 1e-6 with gradients: %i %i %i %i", (...sizes) => {
    const x = inputs(sizes);
    for (const stride of [1, 3, 20]) {
      for (const part of ["both", "local", "strided"] as const) {
        const options = { stride, part };
        expectDense(
          ({ q, k, v }) => stridedAttention(q, k, v, { ...options, lse: true }),
          x,
          stridedPattern(options),
        );
      }
      for (const part of ["both", "local", "summary"] as const) {
        for (const summary of new Set([1, stride])) {
          const options = { stride, part, summary };
          expectDense(
            ({ q, k, v }) => fixedAttention(q, k, v, { ...options, lse: true }),
            x,
            fixedPattern(options),
          );
        }
      }
    }
  });

  it.each(SIZES)(
    "of Longformer are dense attention under theirs, to 1e-6 with gradients: %i %i %i %i",
    (...sizes) => {
      const x = inputs(sizes);
      for (const positions of [[], [0], [6, 0, 3]]) {
        for (const dilation of [1, 2, 3]) {
          for (const causal of [false, true]) {
            const options = { window: { left: 2, right: 1 }, dilation, causal };
            const pattern = longformerPattern({ ...options, global: positions });
            const f = (x: Qkv) =>
              longformerAttention(x.q, x.k, x.v, { ...options, lse: true, global: global(x, positions) });
            expectDense(f, x, pattern);
          }
        }
      }
    },
  );

  it("keep to each example's length, and let NaN beyond it reach nothing", () => {
    tf.tidy(() => {
      const x = inputs([2, 2, 2, 11, 11, 3, 5]);
      const keyLengths = [5, 0];
      const dirty = { q: x.q, k: spoiled(x.k, 5), v: spoiled(x.v, 5) };
      const strided = { stride: 3 };
      expectDense(
        ({ q, k, v }) => stridedAttention(q, k, v, { ...strided, keyLengths }),
        x,
        stridedPattern(strided),
        {
          keyLengths,
        },
      );
      expectDense(
        ({ q, k, v }) => fixedAttention(q, k, v, { ...strided, keyLengths }),
        x,
        fixedPattern(strided),
        {
          keyLengths,
        },
      );
      const window = { left: 1, right: 1 };
      for (const dilation of [1, 2]) {
        const options = { window, dilation, keyLengths };
        const pattern = longformerPattern({ window, dilation, global: [4, 8] });
        const f = (x: Qkv) => longformerAttention(x.q, x.k, x.v, { ...options, global: global(x, [4, 8]) });
        expectDense(f, x, pattern, { keyLengths });
        expect(f(dirty).output.dataSync()).toEqual(f(x).output.dataSync());
      }
      for (const f of [
        ({ q, k, v }: Qkv) => stridedAttention(q, k, v, { ...strided, keyLengths }).output,
        ({ q, k, v }: Qkv) => fixedAttention(q, k, v, { ...strided, keyLengths }).output,
        ({ q, k, v }: Qkv) => topKAttention(q, k, v, { k: 2, keyLengths }).output,
      ]) {
        // The kernel goes through tiles with NaN another way, so the last bit may differ.
        expect(distance(f(dirty).dataSync(), f(x).dataSync())).toBeLessThanOrEqual(1e-6);
        // Example 1 has no key: all 0.
        expect(f(x).dataSync().slice(110)).toEqual(new Float32Array(110));
      }
    });
  });

  it("of Longformer give global positions their own projections, which all pass gradcheck", () => {
    const x = {
      ...inputs([1, 2, 1, 5, 5, 2, 3]),
      qg: make(11, 1, 2, 2, 2),
      kg: make(12, 1, 1, 5, 2),
      vg: make(13, 1, 1, 5, 3),
    };
    const f = (x: Record<string, tf.Tensor>) => {
      const { q, k, v, qg, kg, vg } = x as Record<string, tf.Tensor4D>;
      const own = { positions: [3, 1], q: qg!, k: kg!, v: vg! };
      return longformerAttention(q!, k!, v!, { window: { left: 1, right: 0 }, global: own }).output;
    };
    gradcheckTensors(f, x, 64);
    tf.tidy(() => {
      const everywhere = softAttention(x.qg, x.kg, x.vg).output;
      expect(
        distance(rowsOf(f(x) as tf.Tensor4D, [3, 1]).dataSync(), everywhere.dataSync()),
      ).toBeLessThanOrEqual(1e-6);
    });
  });

  it("pass gradcheck", () => {
    const x = inputs([1, 2, 1, 7, 7, 2, 3]) as unknown as Record<string, tf.Tensor>;
    const given = (x: Record<string, tf.Tensor>) =>
      [x.q, x.k, x.v] as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    gradcheckTensors((x) => stridedAttention(...given(x), { stride: 3 }).output, x, 64);
    gradcheckTensors((x) => fixedAttention(...given(x), { stride: 3 }).output, x, 64);
  });

  it("leave no tensor behind", () => {
    tf.tidy(() => {
      const x = inputs([1, 2, 2, 11, 11, 3, 5]);
      const own = global(x, [0]);
      const before = tf.memory().numTensors;
      stridedAttention(x.q, x.k, x.v, { stride: 3, lse: true });
      fixedAttention(x.q, x.k, x.v, { stride: 3 });
      longformerAttention(x.q, x.k, x.v, { window: { left: 1, right: 1 }, dilation: 2, global: own });
      expect(tf.memory().numTensors).toBe(before + 4);
    });
  });

  it("are a few calls of the attention kernel, none for each position or block", async () => {
    const x = inputs([1, 2, 2, 50, 50, 3, 5]);
    const own = global(x, [0, 7]);
    const calls = async (f: () => tf.Tensor) => (await kernelsOf(f)).length;
    expect(await calls(() => stridedAttention(x.q, x.k, x.v, { stride: 7 }).output)).toBe(2);
    expect(await calls(() => fixedAttention(x.q, x.k, x.v, { stride: 7 }).output)).toBe(2);
    const window = { left: 1, right: 1 };
    expect(await calls(() => longformerAttention(x.q, x.k, x.v, { window, dilation: 3 }).output)).toBe(1);
    expect(await calls(() => longformerAttention(x.q, x.k, x.v, { window, global: own }).output)).toBe(3);
  });
});

describe("sparse patterns", () => {
  it("as drawn in their headers", () => {
    const rows = (mask: tf.Tensor2D) => (mask.arraySync() as number[][]).map((row) => row.join(""));
    expect(rows(patternMask(5, 5, stridedPattern({ stride: 2 })))).toEqual([
      "10000",
      "11000",
      "11100",
      "01110",
      "10111",
    ]);
    expect(rows(patternMask(5, 5, stridedPattern({ stride: 2, part: "local" })))).toEqual([
      ...["10000", "11000", "11100", "01110", "00111"],
    ]);
    expect(rows(patternMask(5, 5, fixedPattern({ stride: 2 })))).toEqual([
      "10000",
      "11000",
      "01100",
      "01110",
      "01011",
    ]);
    expect(rows(patternMask(5, 5, fixedPattern({ stride: 2, part: "summary" })))).toEqual([
      ...["00000", "01000", "01000", "01010", "01010"],
    ]);
    const window = { left: 1, right: 1 };
    expect(rows(patternMask(5, 5, longformerPattern({ window, global: [0] })))).toEqual([
      ...["11111", "11100", "11110", "10111", "10011"],
    ]);
    expect(rows(patternMask(5, 5, longformerPattern({ window, dilation: 2 })))).toEqual([
      ...["10100", "01010", "10101", "01010", "00101"],
    ]);
  });

  const x = () => inputs([1, 2, 2, 5, 5, 3, 3]);
  const window = { left: 1, right: 1 };
  const other = (positions: number[]) => ({ ...global(x(), [0]), positions });
  it.each([
    [
      () => stridedAttention(x().q, x().k, x().v, { stride: 0 }),
      "stridedAttention: stride must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
    [
      () => fixedAttention(x().q, x().k, x().v, { stride: 3, summary: 4 }),
      "fixedAttention: summary must be an integer from 1 to stride = 3, got 4; choose one in that range or leave it out",
    ],
    [
      () => stridedAttention(x().q, x().k, x().v, { stride: 2, part: "far" as "both" }),
      'stridedAttention: part must be "both" or "local" or "strided", got far; choose one of them',
    ],
    [
      () => longformerAttention(x().q, x().k, x().v, { window: { left: 0, right: 0 } }),
      "longformerAttention: window.left + window.right must be 1 or more, got 0; choose one in that range or leave it out",
    ],
    [
      () => longformerAttention(x().q, x().k, x().v, { window, dilation: 0 }),
      "longformerAttention: dilation must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
    [
      () => longformerAttention(x().q, x().k, x().v, { window, global: other([5]) }),
      "longformerAttention: global positions must be integers from 0 to T − 1 = 4, got 5; choose one in that range or leave it out",
    ],
    [
      () => longformerAttention(x().q, x().k, x().v, { window, global: other([0, 1]) }),
      "longformerAttention: global.q [B, H, g = 2, D] and global.positions [g] must have the same g, got shapes [1, 2, 1, 3] and [2]; make their g equal",
    ],
    [
      () => longformerAttention(x().q, x().k, x().v, { window, global: global(x(), [1, 1]) }),
      "longformerAttention: global.positions must be different positions, got 1,1; choose one in that range or leave it out",
    ],
    [
      () => fixedAttention(x().q, make(1, 1, 2, 4, 3), make(2, 1, 2, 4, 3), { stride: 2 }),
      "fixedAttention: queries and keys must be one sequence, T = S ≥ 1, got T=5 and S=4; use blockSparseAttention with a mask of T × S for two sequences",
    ],
    [
      () => stridedAttention(x().q, x().k, x().v, { stride: 2, keyLengths: [6] }),
      "stridedAttention: keyLengths must be B=1 integers from 0 to 5, got [6]; give one length per example",
    ],
  ])("say what is wrong: %#", (call, message) => {
    expect(call).toThrow(expect.objectContaining({ message }));
  });
});
