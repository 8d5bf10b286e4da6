import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { gumbelSoftmax } from "../../src/attention/discrete/gumbel-softmax.ts";
import { sampledAttention } from "../../src/attention/discrete/sampled-attention.ts";
import { cbam, spatialAttention } from "../../src/attention/feature/cbam.ts";
import { hardMaskAttention, maskAttention } from "../../src/attention/feature/mask-attention.ts";
import { nonLocal } from "../../src/attention/feature/non-local.ts";
import { sigmoidGate } from "../../src/attention/feature/sigmoid-gate.ts";
import { squeezeExcitation } from "../../src/attention/feature/squeeze-excitation.ts";
import { gaussianGlimpse } from "../../src/attention/glimpse/gaussian-glimpse.ts";
import { gaussianMask2d } from "../../src/attention/glimpse/gaussian-mask.ts";
import { hardCrop } from "../../src/attention/glimpse/hard-crop.ts";
import { spatialTransformer } from "../../src/attention/glimpse/spatial-transformer.ts";
import { linearAttention } from "../../src/attention/linear/linear-attention.ts";
import { entmax } from "../../src/attention/normalize/entmax.ts";
import { NORMALIZERS } from "../../src/attention/normalize/normalizers.ts";
import { alibiBias } from "../../src/attention/position/alibi.ts";
import { rope } from "../../src/attention/position/rope.ts";
import { additiveScore } from "../../src/attention/score/additive.ts";
import { concatScore } from "../../src/attention/score/concat.ts";
import { cosineScore } from "../../src/attention/score/cosine.ts";
import { dotScore } from "../../src/attention/score/dot.ts";
import { generalScore } from "../../src/attention/score/general.ts";
import { locationScore } from "../../src/attention/score/location.ts";
import { scaledDotScore } from "../../src/attention/score/scaled-dot.ts";
import { attend } from "../../src/attention/sequence/attend.ts";
import { hardAttention } from "../../src/attention/sequence/hard-attention.ts";
import { localWindowAttention } from "../../src/attention/sequence/local-window.ts";
import { multiHeadAttention } from "../../src/attention/sequence/multi-head.ts";
import { sinkAttention } from "../../src/attention/sequence/sink.ts";
import { softAttention } from "../../src/attention/sequence/soft-attention.ts";
import { topKAttention } from "../../src/attention/sparse/top-k.ts";
import type { Functions } from "./call.ts";

/**
 * What the playground calls, by the names that the copied code imports from `heed`. The pages own no mathematics: these are
 * heed's own functions, on TensorFlow.js' plain loops.
 */
export const FUNCTIONS: Functions = {
  additiveScore,
  alibiBias,
  attend,
  cbam,
  concatScore,
  cosineScore,
  dotScore,
  entmax,
  gaussianGlimpse,
  gaussianMask2d,
  generalScore,
  gumbelSoftmax,
  hardAttention,
  hardCrop,
  hardMaskAttention,
  linearAttention,
  localWindowAttention,
  locationScore,
  maskAttention,
  multiHeadAttention,
  nonLocal,
  rope,
  sampledAttention,
  scaledDotScore,
  sigmoidGate,
  sinkAttention,
  softAttention,
  spatialAttention,
  spatialTransformer,
  squeezeExcitation,
  topKAttention,
  ...Object.fromEntries(
    Object.entries(NORMALIZERS).map(([name, normalize]) => [`NORMALIZERS.${name}`, normalize]),
  ),
  "tf.div": tf.div,
  "tf.fill": tf.fill,
  "tf.reshape": tf.reshape,
  "tf.tensor1d": tf.tensor1d,
  "tf.tensor2d": tf.tensor2d,
  "tf.tensor3d": tf.tensor3d,
  "tf.tensor4d": tf.tensor4d,
};

/** Numbers of any depth. */
export type Nested = number | Nested[];

/** A tensor's numbers, by rows; what is not finite stays as it is. */
export const numbersOf = (value: unknown): Nested => (value as tf.Tensor).arraySync() as Nested;

/** Runs what makes tensors and gives numbers, and frees the tensors. */
export function withoutTensors<T>(work: () => T): T {
  tf.engine().startScope();
  try {
    return work();
  } finally {
    tf.engine().endScope();
  }
}
