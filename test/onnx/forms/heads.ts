/** Layers of heads that are linear, sparse, adaptive or choose. */
import * as heed from "../../../src/layers/index.ts";
import { type Forms, form, ONE, seed, TWO } from "../layer-harness.ts";

const heads = { numHeads: 2, keyDim: 3, seed };
const shared = { numHeads: 4, numKeyValueHeads: 2, keyDim: 4, valueDim: 5, seed };
const causal = { useCausalMask: true };

export const HEADS: Forms = {
  LinearAttention: [
    form(() => new heed.LinearAttention(shared), ...TWO),
    form(() => new heed.LinearAttention({ ...heads, ...causal }), ...ONE),
  ],
  PerformerAttention: [
    form(() => new heed.PerformerAttention({ ...shared, features: 7 }), ...TWO),
    form(() => new heed.PerformerAttention({ ...heads, ...causal, features: 5 }), ...ONE),
  ],
  LinformerAttention: [
    form(() => new heed.LinformerAttention({ ...shared, mixtures: 3, maxLength: 11 }), ...ONE, ...TWO),
    form(
      () => new heed.LinformerAttention({ ...heads, mixtures: 2, maxLength: 7, shareMixtures: true }),
      ...TWO,
    ),
  ],
  NystromAttention: [
    form(() => new heed.NystromAttention({ ...heads, landmarks: 3, valueDim: 5 }), ...ONE),
    form(() => new heed.NystromAttention({ ...heads, landmarks: 2, convSize: 3, iterations: 4 }), ...ONE),
  ],
  MultiScaleRetention: [
    form(() => new heed.MultiScaleRetention(shared), ...ONE),
    form(() => new heed.MultiScaleRetention({ ...heads, xpos: false }), ...ONE),
  ],
  GatedDeltaNet: [
    form(() => new heed.GatedDeltaNet(shared), ...ONE),
    form(() => new heed.GatedDeltaNet({ ...heads, useDecay: false, useBias: false }), ...ONE),
  ],
  BlockSparseAttention: [
    form(
      () => new heed.BlockSparseAttention({ ...heads, pattern: "window", blockSize: 2, windowBlocks: 1 }),
      ...ONE,
    ),
    form(
      () => new heed.BlockSparseAttention({ ...shared, ...causal, blockSize: 1, numRandomBlocks: 0 }),
      ...ONE,
    ),
    form(
      () =>
        new heed.BlockSparseAttention({
          ...{
            ...heads,
            blockSize: 1,
            windowBlocks: 1,
            numRandomBlocks: 1,
            globalBlocks: [-1],
            patternSeed: 5,
          },
        }),
      ["fixed"],
    ),
    form(() => new heed.BlockSparseAttention({ ...heads, pattern: "strided", stride: 2 }), ...ONE),
    form(() => new heed.BlockSparseAttention({ ...heads, pattern: "fixed", stride: 3, summary: 2 }), ...ONE),
  ],
  LSHSelfAttention: [
    form(() => new heed.LSHSelfAttention({ ...heads, valueDim: 5 }), ...ONE),
    form(() => new heed.LSHSelfAttention({ ...heads, buckets: 4, rounds: 3, chunkSize: 2 }), ...ONE),
    form(
      () =>
        new heed.LSHSelfAttention({
          ...{ ...heads, ...causal, buckets: [2, 4, 1], rounds: 2, chunkSize: 1, hashSeed: 5 },
        }),
      ...ONE,
    ),
    form(() => new heed.LSHSelfAttention({ ...heads, ...causal, buckets: 1, useBias: false }), ...ONE),
  ],
  LongformerAttention: [
    form(() => new heed.LongformerAttention({ ...heads, attentionWindow: 2 }), ...ONE),
    form(
      () => new heed.LongformerAttention({ ...shared, attentionWindow: 2, globalPositions: [1, 0] }),
      ...ONE,
    ),
    form(
      () =>
        new heed.LongformerAttention({
          ...{ ...heads, ...causal, attentionWindow: 2, dilation: 2, globalPositions: [1] },
        }),
      ...ONE,
    ),
  ],
  AdaptiveSpanAttention: [
    form(() => new heed.AdaptiveSpanAttention({ ...shared, maxSpan: 3, ramp: 2 }), ...ONE),
    form(() => new heed.AdaptiveSpanAttention({ ...heads, ...causal, maxSpan: 2, ramp: 1.5 }), ...ONE),
  ],
  AdaptivelySparseAttention: [
    form(() => new heed.AdaptivelySparseAttention(shared), ...TWO),
    form(() => new heed.AdaptivelySparseAttention({ ...heads, ...causal }), ...ONE),
  ],
  HardAttention: [
    form(() => new heed.HardAttention(shared), ...TWO),
    form(() => new heed.HardAttention({ ...heads, ...causal }), ...ONE),
  ],
};
