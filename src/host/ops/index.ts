import { type HeedKernel, registerHeedKernel } from "../register.ts";
import { adam, sumOfSquares } from "./adam.ts";
import { additiveAttention, additiveAttentionGrad } from "./additive-attention.ts";
import { affineGrid, affineGridGrad } from "./affine-grid.ts";
import { appendRows } from "./append-rows.ts";
import { attention, attentionGrad, attentionWeights } from "./attention.ts";
import { crop, cropGrad } from "./crop.ts";
import { decoderStep } from "./decoder-step.ts";
import { dropout, dropoutGrad } from "./dropout.ts";
import { gelu, geluGrad } from "./gelu.ts";
import { gridSample, gridSampleGradGrid, gridSampleGradImage } from "./grid-sample.ts";
import { gruCell, gruCellGrad } from "./gru-cell.ts";
import { gruSequence, gruSequenceGrad } from "./gru-sequence.ts";
import { gumbel } from "./gumbel.ts";
import { packHalf, roundHalf, unpackHalf } from "./half.ts";
import { layerNorm, layerNormGrad } from "./layer-norm.ts";
import { linear, linearGradInput, linearGradWeights } from "./linear.ts";
import { lstmCell, lstmCellGrad } from "./lstm-cell.ts";
import { lstmSequence, lstmSequenceGrad } from "./lstm-sequence.ts";
import { packedHeads, packedLinear, packedRows } from "./packed.ts";
import { reserveRows } from "./reserve-rows.ts";
import { rmsNorm, rmsNormGrad } from "./rms-norm.ts";
import { rotatePairs } from "./rotate-pairs.ts";
import { gatedSilu, gatedSiluGrad, silu, siluGrad } from "./silu.ts";
import { softmaxCrossEntropy, softmaxCrossEntropyGrad } from "./softmax-cross-entropy.ts";
import { topLogits } from "./top-logits.ts";

/** Kernels of heed's own operations, by the names that src/ops looks for; on other backends these are composed. */
const ownKernels: Record<string, HeedKernel> = {
  HeedAdam: adam,
  HeedAdditiveAttention: additiveAttention,
  HeedAdditiveAttentionGrad: additiveAttentionGrad,
  HeedAffineGrid: affineGrid,
  HeedAffineGridGrad: affineGridGrad,
  HeedAppendRows: appendRows,
  HeedAttention: attention,
  HeedAttentionGrad: attentionGrad,
  HeedAttentionWeights: attentionWeights,
  HeedCrop: crop,
  HeedCropGrad: cropGrad,
  HeedDecoderStep: decoderStep,
  HeedDropout: dropout,
  HeedDropoutGrad: dropoutGrad,
  HeedGatedSilu: gatedSilu,
  HeedGatedSiluGrad: gatedSiluGrad,
  HeedGelu: gelu,
  HeedGeluGrad: geluGrad,
  HeedGridSample: gridSample,
  HeedGridSampleGradGrid: gridSampleGradGrid,
  HeedGridSampleGradImage: gridSampleGradImage,
  HeedGruCell: gruCell,
  HeedGruCellGrad: gruCellGrad,
  HeedGruSequence: gruSequence,
  HeedGruSequenceGrad: gruSequenceGrad,
  HeedGumbel: gumbel,
  HeedLayerNorm: layerNorm,
  HeedLayerNormGrad: layerNormGrad,
  HeedLinear: linear,
  HeedLinearGradInput: linearGradInput,
  HeedLinearGradWeights: linearGradWeights,
  HeedLstmCell: lstmCell,
  HeedLstmCellGrad: lstmCellGrad,
  HeedLstmSequence: lstmSequence,
  HeedLstmSequenceGrad: lstmSequenceGrad,
  HeedRmsNorm: rmsNorm,
  HeedRmsNormGrad: rmsNormGrad,
  HeedRotatePairs: rotatePairs,
  HeedSilu: silu,
  HeedSiluGrad: siluGrad,
  HeedPackedHeads: packedHeads,
  HeedPackedLinear: packedLinear,
  HeedPackedRows: packedRows,
  HeedPackHalf: packHalf,
  HeedRoundHalf: roundHalf,
  HeedReserveRows: reserveRows,
  HeedSoftmaxCrossEntropy: softmaxCrossEntropy,
  HeedSoftmaxCrossEntropyGrad: softmaxCrossEntropyGrad,
  HeedSumOfSquares: sumOfSquares,
  HeedTopLogits: topLogits,
  HeedUnpackHalf: unpackHalf,
};

/** Registers them for the `heed` backend. */
export function registerOwnKernels(): void {
  for (const [name, kernel] of Object.entries(ownKernels)) registerHeedKernel(name, kernel);
}
