import { getKernel } from "@tensorflow/tfjs-core";
import { BACKEND } from "../backend.ts";
import { type GpuKernel, registerGpuKernel } from "../register.ts";
import { gatedSilu, gatedSiluGrad, gelu, geluGrad, silu, siluGrad } from "./activations.ts";
import { adam, sumOfSquares } from "./adam.ts";
import { attention, attentionGrad, attentionWeights } from "./attention.ts";
import { addN, cast, pad, sum, transpose } from "./corrected.ts";
import { dropout, dropoutGrad } from "./dropout.ts";
import { layerNorm, layerNormGrad, rmsNorm, rmsNormGrad } from "./normalize.ts";
import { rotatePairs } from "./rotate-pairs.ts";
import { segmentSum } from "./segment-sum.ts";
import { softmaxCrossEntropy, softmaxCrossEntropyGrad } from "./softmax-cross-entropy.ts";

/** Kernels of heed's own operations, by the names that src/ops looks for, and stock ones that train badly. */
const kernels: Record<string, GpuKernel> = {
  HeedAdam: adam,
  HeedAttention: attention,
  HeedAttentionGrad: attentionGrad,
  HeedAttentionWeights: attentionWeights,
  HeedDropout: dropout,
  HeedDropoutGrad: dropoutGrad,
  HeedGatedSilu: gatedSilu,
  HeedGatedSiluGrad: gatedSiluGrad,
  HeedGelu: gelu,
  HeedGeluGrad: geluGrad,
  HeedLayerNorm: layerNorm,
  HeedLayerNormGrad: layerNormGrad,
  HeedRmsNorm: rmsNorm,
  HeedRmsNormGrad: rmsNormGrad,
  HeedRotatePairs: rotatePairs,
  HeedSilu: silu,
  HeedSiluGrad: siluGrad,
  HeedSoftmaxCrossEntropy: softmaxCrossEntropy,
  HeedSoftmaxCrossEntropyGrad: softmaxCrossEntropyGrad,
  HeedSumOfSquares: sumOfSquares,
  UnsortedSegmentSum: segmentSum,
};

/** Registers them for the `webgpu` backend, once, after TensorFlow.js' own. */
export function registerGpuKernels(): void {
  if (getKernel("HeedLayerNorm", BACKEND)) return;
  const corrected = { AddN: addN(), Cast: cast(), PadV2: pad(), Sum: sum(), Transpose: transpose() };
  for (const [name, kernel] of Object.entries(corrected)) registerGpuKernel(name, kernel);
  for (const [name, kernel] of Object.entries(kernels)) registerGpuKernel(name, kernel);
}
