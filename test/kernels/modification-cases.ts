/** The classics as problems: each function with the tensors that it reads, for any sizes. */
import * as presets from "../../src/core/expression/presets/index.ts";
import type { ModifiedOptions } from "../../src/core/modified-program.ts";
import type { AttentionShapes, HostArray } from "../../src/core/notation.ts";
import { floats, holes } from "./cases.ts";

type Options = ModifiedOptions<HostArray>;
export type Classic = (shapes: AttentionShapes) => Options;

const integers = (shape: number[], of: (index: number) => number): HostArray => ({
  shape,
  dtype: "int32",
  values: Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, n) => of(n)),
});

/** Documents of 3 to 11 rows, other ones in each example. */
const documents = ({ B, T, S }: AttentionShapes): HostArray => {
  const n = Math.max(T, S, 1);
  return integers([B, n], (e) => Math.floor((e % n) / (3 + 8 * Math.floor(e / n))));
};

const positive = (array: HostArray & { values: Float32Array }, least = 0.5) => ({
  ...array,
  values: array.values.map((x) => Math.abs(x) + least),
});

export const CLASSICS: Record<string, Classic> = {
  alibi: ({ H }) => ({ scoreMod: presets.alibiScoreMod(H) }),
  learnedAlibi: ({ H }) => ({ scoreMod: presets.learnedAlibiScoreMod, tensors: { slopes: floats(1, [H]) } }),
  relative: ({ H }) => ({ scoreMod: presets.relativeScoreMod(5), tensors: { table: floats(2, [H, 11]) } }),
  t5: ({ H, T, S }) => ({
    scoreMod: presets.t5ScoreMod(T),
    tensors: {
      buckets: integers([Math.max(1, T + S - 1)], (n) => Math.min(6, Math.abs(n + 1 - T))),
      table: floats(3, [7, H]),
    },
  }),
  softCap: () => ({ scoreMod: presets.softCapScoreMod(1.5) }),
  temperature: ({ H }) => ({
    scoreMod: presets.temperatureScoreMod,
    tensors: { temperature: positive(floats(4, [H])) },
  }),
  gain: () => ({ scoreMod: presets.gainScoreMod, tensors: { gain: floats(5, []) } }),
  sigmoidGate: ({ H }) => ({ scoreMod: presets.sigmoidGateScoreMod, tensors: { gate: floats(6, [H]) } }),
  position: ({ H, S }) => ({
    scoreMod: presets.positionScoreMod,
    tensors: { bias: floats(7, [H, 1, Math.max(S, 1)]) },
  }),
  positionOfBoth: ({ T, S }) => ({
    scoreMod: presets.positionScoreMod,
    tensors: { bias: floats(8, [1, Math.max(T, 1), Math.max(S, 1)]) },
  }),
  forgetting: ({ B, T, S }) => ({
    scoreMod: presets.forgettingScoreMod,
    maskMod: presets.causalMaskMod(),
    tensors: { decay: floats(9, [B, Math.max(T, S, 1)]) },
  }),
  kerple: ({ H }) => ({
    scoreMod: presets.kerpleScoreMod,
    tensors: { r1: positive(floats(10, [H])), r2: positive(floats(11, [H])) },
  }),
  gaussian: ({ B, T }) => ({
    scoreMod: presets.gaussianScoreMod(3),
    tensors: { centre: floats(12, [B, Math.max(T, 1)]) },
  }),
  logLength: () => ({ scoreMod: presets.logLengthScoreMod(11) }),
  causal: ({ T, S }) => ({ maskMod: presets.causalMaskMod(S - T) }),
  window: () => ({ maskMod: presets.windowMaskMod(4, 2) }),
  dilated: () => ({ maskMod: presets.dilatedMaskMod(3, 4) }),
  strided: () => ({ maskMod: presets.stridedMaskMod(4) }),
  documents: (s) => ({ maskMod: presets.documentMaskMod, tensors: { document: documents(s) } }),
  causalDocuments: (s) => ({ maskMod: presets.causalDocumentMaskMod, tensors: { document: documents(s) } }),
  prefix: ({ B }) => ({
    maskMod: presets.prefixMaskMod,
    tensors: { prefix: integers([B], (b) => 3 + 2 * b) },
  }),
  padding: ({ B, S }) => ({
    maskMod: presets.paddingMaskMod,
    tensors: { lengths: integers([B], (b) => Math.max(0, S - 2 * b)) },
  }),
  neighbourhood: () => ({ maskMod: presets.neighbourhoodMaskMod(5, 1) }),
  blocks: () => ({ maskMod: presets.blockMaskMod(7) }),
  streaming: () => ({ maskMod: presets.streamingMaskMod(2, 5) }),
  global: () => ({ maskMod: presets.globalMaskMod(2, 3) }),
  tree: ({ T, S }) => ({
    maskMod: presets.treeMaskMod,
    tensors: { ancestor: holes(13, [Math.max(T, 1), Math.max(S, 1)]) },
  }),
  /** Everything at once: hiding by −∞, a choice by the score, gathers of several kinds. */
  mixed: ({ B, H, T, S }) => ({
    scoreMod: (score, { b, h, q, k }, { bias, far, slopes }) =>
      q
        .sub(k)
        .abs()
        .greater(29)
        .select(
          -Infinity,
          score
            .greater(0)
            .select(score.mul(far!.at(b, k)), score.abs().add(1e-3).log().max(-2))
            .add(slopes!.at(h).mul(q.sub(k).square().add(1).sqrt()))
            .add(bias!.at(q, k).exp().min(3)),
        ),
    maskMod: ({ q, k }, { open }) => open!.at(k).or(q.equal(k)).and(q.add(k).mod(7).notEqual(3)),
    tensors: {
      far: floats(14, [B, Math.max(S, 1)]),
      slopes: floats(15, [H]),
      bias: floats(16, [Math.max(T, 1), 3]),
      open: holes(17, [Math.max(S, 1)]),
    },
  }),
};
