/** Layers of attention, Transformers, norms and positions. */
import * as heed from "../../../src/layers/index.ts";
import { type Forms, form, ONE, seed, TWO } from "../layer-harness.ts";

const attending = { returnAttentionScores: true, seed };
export const encoder = { numHeads: 2, intermediateDim: 7, seed };
export const ATTENTIONS: Forms = {
  Attention: [
    form(() => new heed.Attention({ useScale: true, ...attending }), ...TWO),
    form(() => new heed.Attention({ scoreMode: "concat", useScale: true, seed }), ["x", "memory"]),
    form(() => new heed.Attention({ useCausalMask: true, seed }), ...TWO),
  ],
  AdditiveAttention: [
    form(() => new heed.AdditiveAttention(attending), ...TWO),
    form(() => new heed.AdditiveAttention({ useScale: false, seed }), ["x", "memory"]),
  ],
  BahdanauAttention: [form(() => new heed.BahdanauAttention({ units: 5, seed }), ...TWO)],
  MultiHeadAttention: [
    form(() => new heed.MultiHeadAttention({ numHeads: 3, keyDim: 5, valueDim: 7, seed }), ...ONE, ...TWO),
    form(() => new heed.MultiHeadAttention({ numHeads: 3, keyDim: 5, ...attending }), ...ONE, ...TWO),
    form(() => new heed.MultiHeadAttention({ numHeads: 2, keyDim: 5, useCausalMask: true, seed }), ...ONE, [
      "x",
      "memory",
    ]),
    form(
      () =>
        new heed.MultiHeadAttention({ numHeads: 2, keyDim: 5, useCausalMask: true, slidingWindow: 2, seed }),
      ["x", "memory"],
    ),
    form(
      () =>
        new heed.MultiHeadAttention({
          ...{ numHeads: 2, keyDim: 5, outputShape: [2, 5], slidingWindow: 2, useGate: true, seed },
        }),
      ["x"],
      ["a", "b"],
    ),
  ],
  GroupQueryAttention: [
    form(
      () => new heed.GroupQueryAttention({ headDim: 5, numQueryHeads: 4, numKeyValueHeads: 2, seed }),
      ...ONE,
      ...TWO,
    ),
  ],
  QkNormAttention: (["l2", "layer", "rms"] as const).map((norm) =>
    form(
      () => new heed.QkNormAttention({ numHeads: 4, numKeyValueHeads: 2, keyDim: 5, norm, seed }),
      ...(norm === "l2" ? ONE : TWO),
    ),
  ),
  TalkingHeadsAttention: [
    form(() => new heed.TalkingHeadsAttention({ numHeads: 2, keyDim: 5, softmaxHeads: 3, seed }), ...TWO),
    form(() => new heed.TalkingHeadsAttention({ numHeads: 2, keyDim: 5, useCausalMask: true, seed }), ...ONE),
  ],
  DifferentialAttention: [
    form(
      () => new heed.DifferentialAttention({ numHeads: 4, numKeyValueHeads: 2, keyDim: 3, seed }),
      ...ONE,
      ["x", "memory"],
    ),
    form(() => new heed.DifferentialAttention({ numHeads: 2, keyDim: 3, useCausalMask: true, seed }), ["x"]),
  ],
  TransformerEncoderLayer: [
    form(() => new heed.TransformerEncoderLayer({ ...encoder, returnAttentionScores: true }), ...ONE),
    form(
      () =>
        new heed.TransformerEncoderLayer({
          ...{ ...encoder, normalizeFirst: true, activation: "gelu", useBias: false, useCausalMask: true },
        }),
      ...ONE,
    ),
  ],
  TransformerDecoderLayer: [
    form(() => new heed.TransformerDecoderLayer(encoder), ...TWO),
    form(
      () =>
        new heed.TransformerDecoderLayer({ ...encoder, normalizeFirst: true, returnAttentionScores: true }),
      ["x", "memory"],
    ),
  ],
  GatedCrossAttention: [
    form(() => new heed.GatedCrossAttention(encoder), ...TWO, ["a", "memory"]),
    form(() => new heed.GatedCrossAttention({ ...encoder, activation: "gelu", useBias: false }), ...TWO),
  ],
  InducedSetAttention: [
    form(() => new heed.InducedSetAttention({ ...encoder, inducingPoints: 3 }), ...ONE),
    form(
      () =>
        new heed.InducedSetAttention({
          ...{ ...encoder, inducingPoints: 5, normalizeFirst: true, useBias: false, layerNormEpsilon: 0.01 },
        }),
      ...ONE,
    ),
  ],
  SlotAttention: [
    form(() => new heed.SlotAttention({ slots: 3, slotDim: 5, intermediateDim: 7, seed }), ...ONE),
    form(
      () =>
        new heed.SlotAttention({
          ...{
            slots: 2,
            slotDim: 3,
            intermediateDim: 4,
            iterations: 1,
            returnAttention: true,
            seed: 2 ** 40,
          },
        }),
      ...ONE,
    ),
    // A seed of its own, which the file has nevertheless.
    form(() => new heed.SlotAttention({ slots: 3, slotDim: 2, intermediateDim: 3 }), ["x"]),
  ],
  LayerNormalization: [form(() => new heed.LayerNormalization(), ...ONE)],
  RMSNormalization: [form(() => new heed.RMSNormalization(), ["x"])],
  PositionEmbedding: [true, false].map((add) =>
    form(() => new heed.PositionEmbedding({ sequenceLength: 8, add }), ["x"]),
  ),
  SinusoidalPositionEncoding: [
    form(() => new heed.SinusoidalPositionEncoding({ maxWavelength: 50, add: true }), ["x"]),
  ],
  RotaryEmbedding: [
    form(() => new heed.RotaryEmbedding({ maxWavelength: 50, scaling: "ntk", scalingFactor: 2 }), ["x"]),
    form(() => new heed.RotaryEmbedding({ pairs: "interleaved", width: 4 }), ["x"]),
  ],
};
