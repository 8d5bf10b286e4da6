/** Layers that read a sequence by latents, in a window, with one query or a few, and gates of its numbers. */
import * as heed from "../../../src/layers/index.ts";
import { type Forms, form, ONE, seed, TWO } from "../layer-harness.ts";

const latents = { numHeads: 2, keyDim: 5, latentDim: 3, seed };
const returned = { returnAttention: true, seed };

export const SEQUENCES: Forms = {
  AttentionPooling: [form(() => new heed.AttentionPooling(), ...ONE)],
  MultiHeadPooling: [
    form(
      () =>
        new heed.MultiHeadPooling({
          numHeads: 4,
          numKeyValueHeads: 2,
          keyDim: 3,
          valueDim: 5,
          seeds: 3,
          seed,
        }),
      ...ONE,
    ),
    form(
      () => new heed.MultiHeadPooling({ numHeads: 2, keyDim: 3, outputDim: 7, useBias: false, seed }),
      ...ONE,
    ),
  ],
  PatchAttention: [
    form(() => new heed.PatchAttention({ units: 5, valueDim: 7, seed }), ["state", "x"], ["state", "a"]),
  ],
  MultiHeadLatentAttention: [
    form(() => new heed.MultiHeadLatentAttention({ ...latents, valueDim: 7, useNorm: false }), ...ONE),
    form(
      () =>
        new heed.MultiHeadLatentAttention({
          ...{ ...latents, queryLatentDim: 3, ropeDim: 4, useCausalMask: true, absorbed: true },
        }),
      ...ONE,
    ),
  ],
  LuongLocalAttention: [
    form(() => new heed.LuongLocalAttention({ radius: 2, seed }), ...TWO),
    form(
      () => new heed.LuongLocalAttention({ radius: 1, score: "concat", renormalize: true, units: 5, seed }),
      ...TWO,
    ),
    form(
      () => new heed.LuongLocalAttention({ radius: 2, score: "dot", alignment: "monotonic", seed }),
      ...TWO,
      ["x", "memory", "memory"],
    ),
  ],
  VisualSentinel: [
    form(
      () => new heed.VisualSentinel({ units: 5, returnBeta: true, seed }),
      ["x", "memory", "x"],
      ["a", "b", "a"],
    ),
  ],
  SentinelGate: [form(() => new heed.SentinelGate({ seed }), ["x", "x", "x"], ["state", "state", "state"])],
  LearnableGate: [form(() => new heed.LearnableGate(), ...ONE, ["image"])],
  ProjectedGate: [
    form(() => new heed.ProjectedGate(returned), ...ONE),
    form(() => new heed.ProjectedGate({ useBias: false, seed }), ["state"]),
  ],
  ContextualGate: [
    form(() => new heed.ContextualGate(returned), ["x", "state"], ["image", "state"], ["a", "a"]),
    form(() => new heed.ContextualGate({ ...returned, useFeatures: false, useBias: false }), ["x", "state"]),
  ],
  ElementMlpGate: [
    form(() => new heed.ElementMlpGate({ ...returned, units: 5 }), ...ONE, ["state"], ["image"]),
  ],
};
