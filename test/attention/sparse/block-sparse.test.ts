import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { type Pattern, patternMask } from "../../../src/attention/mask/index.ts";
import { softAttention } from "../../../src/attention/sequence/index.ts";
import {
  type BlockMask,
  type BlockSparseOptions,
  bigBirdAttention,
  bigBirdMask,
  blockMask,
  blockMaskOfRows,
  blockSparseAttention,
  denseMask,
  drawBlocks,
  fixedPattern,
  stridedPattern,
} from "../../../src/attention/sparse/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend, onPlainKernels } from "../support.ts";
import { expectDense, inputs, kernelsOf, make, type Qkv, spoiled } from "./inputs.ts";

const near: Pattern = (i, j) => Math.abs(i - j) <= 1;
const patternOf = (mask: BlockMask): Pattern => {
  const cells = tf.tidy(() => denseMask(mask).dataSync());
  return (i, j) => cells[i * mask.S + j] !== 0;
};

function blockTests(): void {
  const run = (mask: BlockMask, options: BlockSparseOptions = {}) => {
    return ({ q, k, v }: Qkv) => blockSparseAttention(q, k, v, mask, { ...options, lse: true });
  };

  it.each([
    [2, 3, 3, 13, 13, 5, 7],
    [1, 4, 2, 17, 11, 3, 5],
    [2, 2, 1, 5, 19, 2, 3],
  ])("is dense attention under its mask, to 1e-6 with gradients: %i %i %i %i %i", (...sizes) => {
    const [T, S] = [sizes[3]!, sizes[4]!];
    const x = inputs(sizes);
    for (const block of [1, 2, 3, 5]) {
      for (const pattern of [
        near,
        (i: number, j: number) => j <= i && (i - j) % 7 < 2,
        (i: number) => i === 3,
      ]) {
        const mask = blockMask(T, S, pattern, { block });
        expectDense(run(mask), x, pattern);
      }
    }
  });

  it("is dense attention under strided, fixed and BigBird's masks, causal or not", () => {
    const T = 23;
    const x = inputs([2, 4, 2, T, T, 3, 5]);
    for (const pattern of [stridedPattern({ stride: 11 }), fixedPattern({ stride: 4 })]) {
      expectDense(run(blockMask(T, T, pattern, { block: 2 })), x, pattern);
    }
    for (const causal of [false, true]) {
      const options = { block: 3, global: [0], random: 1, seed: 5, causal };
      const mask = bigBirdMask(T, options);
      expectDense(({ q, k, v }) => bigBirdAttention(q, k, v, { ...options, lse: true }), x, patternOf(mask));
    }
  });

  it("keeps to lengths, scale and soft-cap as the op does, by blocks and by the whole mask", () => {
    const x = inputs([3, 2, 1, 13, 13, 3, 5]);
    const options = { keyLengths: [13, 5, 0], queryLengths: [4, 13, 13], scale: 0.7, softCap: 2 };
    const wide: Pattern = (i, j) => Math.abs(i - j) <= 9;
    for (const pattern of [near, wide]) {
      expectDense(run(blockMask(13, 13, pattern, { block: 2 }), options), x, pattern, options);
    }
  });

  it("lets NaN in hidden keys, values and queries reach nothing", () => {
    tf.tidy(() => {
      const x = inputs([1, 2, 2, 11, 11, 3, 5]);
      const mask = blockMask(11, 11, near, { block: 2 });
      const f = run(mask, { keyLengths: [6], queryLengths: [7] });
      const dirty = { q: spoiled(x.q, 7), k: spoiled(x.k, 6), v: spoiled(x.v, 6) };
      expect(f(dirty).output.dataSync()).toEqual(f(x).output.dataSync());
      const grads = ({ q, k, v }: Qkv) =>
        tf
          .grads((q, k, v) => f({ q, k, v } as Qkv).output)([q, k, v])
          .map((g) => g.dataSync());
      expect(grads(dirty)).toEqual(grads(x));
    });
  });

  it("gives weights, and drops them as dense attention does", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs([1, 2, 2, 11, 11, 3, 5]);
      const mask = blockMask(11, 11, near, { block: 2 });
      const allow = patternMask(11, 11, near);
      const options = { training: true, dropout: { rate: 0.5, seed: 3 }, weights: true } as const;
      const [got, expected] = [
        blockSparseAttention(q, k, v, mask, options),
        softAttention(q, k, v, { ...options, allow }),
      ];
      expect(got.weights.dataSync()).toEqual(expected.weights.dataSync());
      expect(got.output.dataSync()).toEqual(expected.output.dataSync());
    });
  });

  it("passes gradcheck by blocks, with tails", () => {
    const x = inputs([1, 2, 1, 7, 5, 2, 3]) as unknown as Record<string, tf.Tensor>;
    const mask = blockMask(7, 5, (i, j) => i < 4 && j < 2 && i >= j, { block: 2 });
    expect(mask.share).toBeLessThan(0.5);
    const f = (x: Record<string, tf.Tensor>) => run(mask)(x as unknown as Qkv).output;
    gradcheckTensors(f, x, 64);
  });

  it("gives 0, and no gradient, where the mask is empty", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs([1, 2, 2, 5, 7, 3, 3]);
      const mask = blockMask(5, 7, () => false, { block: 2 });
      expect(mask.share).toBe(0);
      const { output, lse } = run(mask)({ q, k, v });
      expect([...output.dataSync(), ...lse.dataSync()]).toEqual([
        ...new Array(30).fill(0),
        ...new Array(10).fill(-Infinity),
      ]);
      const [dq] = tf.grads((q) => run(mask)({ q, k, v } as Qkv).output)([q]);
      expect(dq!.dataSync().every((value) => value === 0)).toBe(true);
    });
  });

  it("takes one call of the kernel for rows that keep alike many blocks, not one for each block", async () => {
    const { q, k, v } = inputs([1, 2, 2, 64, 64, 3, 5]);
    const calls = async (mask: BlockMask) => kernelsOf(() => blockSparseAttention(q, k, v, mask).output);
    expect(await calls(blockMask(64, 64, near, { block: 4 }))).toHaveLength(1);
    // BigBird: rows of global blocks keep everything, the others a few.
    expect(await calls(bigBirdMask(64, { block: 2, global: [0], random: 1 }))).toHaveLength(2);
    expect(await calls(blockMask(64, 64, () => true, { block: 4 }))).toHaveLength(1);
  });

  it("leaves no tensor behind", () => {
    tf.tidy(() => {
      const { q, k, v } = inputs([1, 2, 2, 11, 11, 3, 5]);
      const mask = blockMask(11, 11, near, { block: 2 });
      const before = tf.memory().numTensors;
      blockSparseAttention(q, k, v, mask);
      bigBirdAttention(q, k, v, { block: 2, lse: true });
      expect(tf.memory().numTensors).toBe(before + 3);
    });
  });
}

onEveryBackend("block-sparse attention", blockTests);
onPlainKernels("block-sparse attention", blockTests);

describe("block masks", () => {
  it("know which blocks are empty, partial and full, tails included", () => {
    const mask = blockMask(5, 6, (i, j) => j <= i, { block: 2 });
    expect(drawBlocks(mask).arraySync()).toEqual([
      [0.5, 0, 0],
      [1, 0.5, 0],
      [1, 1, 0.5],
    ]);
    expect(mask.share).toBeCloseTo(6 / 9, 12);
    expect(denseMask(mask).dataSync()).toEqual(patternMask(5, 6, (i, j) => j <= i).dataSync());
  });

  it("are the same from a rule, from a bool tensor, and from named rows", () => {
    const pattern: Pattern = (i, j) => j <= i && (i - j < 3 || j < 2);
    const rule = blockMask(9, 7, pattern, { block: 2 });
    const dense = blockMask(9, 7, patternMask(9, 7, pattern), { block: 2 });
    const named = blockMaskOfRows(9, 7, { block: 2, keys: () => [3, 2, 1, 0], pattern });
    expect(dense.rows).toEqual(rule.rows);
    expect(named.rows).toEqual(rule.rows);
    expect(denseMask(dense).dataSync()).toEqual(denseMask(rule).dataSync());
  });

  it("of BigBird have window, global and as many random blocks as asked, chosen by the seed", () => {
    const options = { block: 4, window: 3, global: [0, -1], random: 2, seed: 7 };
    const cells = drawBlocks(bigBirdMask(64, options)).arraySync();
    for (let a = 0; a < 16; a++) {
      for (let b = 0; b < 16; b++) {
        if (Math.abs(a - b) <= 1 || a % 15 === 0 || b % 15 === 0) expect(cells[a]![b]).toBe(1);
      }
      const kept = cells[a]!.filter((cell) => cell > 0).length;
      const near = new Set([0, 15, a - 1, a, a + 1].filter((b) => b >= 0 && b < 16)).size;
      expect(kept).toBe(a % 15 === 0 ? 16 : near + 2);
    }
    expect(drawBlocks(bigBirdMask(64, options)).arraySync()).toEqual(cells);
    expect(drawBlocks(bigBirdMask(64, { ...options, seed: 8 })).arraySync()).not.toEqual(cells);
    const causal = denseMask(bigBirdMask(64, { ...options, causal: true })).arraySync();
    causal.forEach((row, i) => {
      expect(row[i]).toBe(1);
      expect(row.slice(i + 1).every((cell) => cell === 0)).toBe(true);
    });
  });

  const x = () => inputs([1, 2, 2, 5, 5, 3, 3]);
  it.each([
    [
      () => blockMask(5, 5, near, { block: 0 }),
      "blockMask: block must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
    [
      () => blockMask(5, 5, tf.ones([5, 4], "bool")),
      "blockMask: the mask must have shape [T, S] = [5, 5], got [5, 4]; give one mask for all examples and heads",
    ],
    [
      () => blockMask(5, 5, tf.ones([5, 5])),
      "blockMask: allow must be bool, true where a query may attend, got float32; cast it to bool, or pass numbers to add to the scores as bias",
    ],
    [
      () => blockMaskOfRows(5, 5, { block: 2, keys: () => [3] }),
      "blockMaskOfRows: keys(0) must be blocks of keys from 0 to 2, got 3; choose one in that range or leave it out",
    ],
    [
      () => bigBirdMask(5, { window: 2 }),
      "bigBirdMask: window must be an odd integer ≥ 1, got 2; choose one in that range or leave it out",
    ],
    [
      () => bigBirdMask(5, { window: 0 }),
      "bigBirdMask: window must be an odd integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
    [
      () => bigBirdMask(5, { block: 2, global: [3] }),
      "bigBirdMask: global must be blocks from -3 to 2, got 3; choose one in that range or leave it out",
    ],
    [
      () => blockSparseAttention(x().q, x().k, x().v, blockMask(5, 4, near)),
      "blockSparseAttention: the mask must be of T × S = 5 × 5, got 5 × 4; make a block mask for these lengths",
    ],
    [
      () => blockSparseAttention(x().q, x().k, make(1, 1, 2, 4, 3), blockMask(5, 5, near)),
      "blockSparseAttention: k [B, Hkv, S, D] and v [B, Hkv, S, Dv] must have the same S, got shapes [1, 2, 5, 3] and [1, 2, 4, 3]; make their S equal",
    ],
  ])("say what is wrong: %#", (call, message) => {
    expect(call).toThrow(expect.objectContaining({ message }));
  });
});
