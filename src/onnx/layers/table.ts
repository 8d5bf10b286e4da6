import { adaptivelySparseRule, adaptiveSpanRule, hardAttentionRule } from "./adaptive.ts";
import {
  additiveAttentionRule,
  attentionRule,
  bahdanauRule,
  groupQueryRule,
  multiHeadRule,
} from "./attentions.ts";
import { alibiRule, relativeBiasRule } from "./biases.ts";
import { decoderLayerRule, encoderLayerRule, gatedCrossAttentionRule, inducedSetRule } from "./blocks.ts";
import type { LayerRule } from "./call.ts";
import {
  contextualGateRule,
  elementMlpGateRule,
  learnableGateRule,
  projectedGateRule,
  sentinelGateRule,
} from "./gates.ts";
import {
  drawReadRule,
  drawWriteRule,
  gaussianGlimpseRule,
  softMaskRule,
  spatialTransformerRule,
} from "./glimpses.ts";
import { differentialRule, qkNormRule, talkingHeadsRule } from "./heads.ts";
import { axialRule, crissCrossRule, externalRule, nonLocalRule } from "./image-attention.ts";
import {
  bamRule,
  cbamRule,
  coordinateRule,
  efficientChannelRule,
  globalContextRule,
  selectiveKernelRule,
  squeezeExcitationRule,
  tripletRule,
} from "./images.ts";
import {
  activationRule,
  addRule,
  averageRule,
  concatenateRule,
  denseRule,
  embeddingRule,
  flattenRule,
  identityRule,
  leakyReluRule,
  maskingRule,
  maximumRule,
  minimumRule,
  multiplyRule,
  permuteRule,
  reluRule,
  repeatVectorRule,
  reshapeRule,
  softmaxRule,
} from "./keras.ts";
import {
  averageWholeRule,
  batchNormRule,
  convolutionRule,
  depthwiseRule,
  maximumWholeRule,
  maxPoolingRule,
  meanPoolingRule,
  zeroPaddingRule,
} from "./keras-images.ts";
import { multiHeadLatentRule } from "./latent.ts";
import {
  gatedDeltaRule,
  linearAttentionRule,
  linformerRule,
  performerRule,
  retentionRule,
} from "./linear-attention.ts";
import { lshRule } from "./lsh.ts";
import { nystromRule } from "./nystrom.ts";
import { attentionPoolingRule, multiHeadPoolingRule, patchAttentionRule } from "./pooling.ts";
import { layerNormRule, positionEmbeddingRule, rmsNormRule, rotaryRule, sinusoidsRule } from "./positions.ts";
import { bidirectionalRule, gruRule, lstmRule, resetAfterGruRule, simpleRnnRule } from "./recurrent.ts";
import { luongLocalRule, visualSentinelRule } from "./single-head.ts";
import { slotAttentionRule } from "./slots.ts";
import { blockSparseRule, longformerRule } from "./sparse.ts";

/** How each layer that ONNX can say is said, by the name of its class; of heed's first, then of TensorFlow.js. */
const RULES: Readonly<Record<string, LayerRule>> = {
  Attention: attentionRule,
  AdditiveAttention: additiveAttentionRule,
  BahdanauAttention: bahdanauRule,
  MultiHeadAttention: multiHeadRule,
  GroupQueryAttention: groupQueryRule,
  QkNormAttention: qkNormRule,
  TalkingHeadsAttention: talkingHeadsRule,
  DifferentialAttention: differentialRule,
  MultiHeadLatentAttention: multiHeadLatentRule,
  LuongLocalAttention: luongLocalRule,
  HardAttention: hardAttentionRule,
  AdaptiveSpanAttention: adaptiveSpanRule,
  AdaptivelySparseAttention: adaptivelySparseRule,
  VisualSentinel: visualSentinelRule,
  SentinelGate: sentinelGateRule,
  BlockSparseAttention: blockSparseRule,
  LongformerAttention: longformerRule,
  LSHSelfAttention: lshRule,
  LinearAttention: linearAttentionRule,
  PerformerAttention: performerRule,
  LinformerAttention: linformerRule,
  NystromAttention: nystromRule,
  MultiScaleRetention: retentionRule,
  GatedDeltaNet: gatedDeltaRule,
  AttentionPooling: attentionPoolingRule,
  MultiHeadPooling: multiHeadPoolingRule,
  PatchAttention: patchAttentionRule,
  LearnableGate: learnableGateRule,
  ProjectedGate: projectedGateRule,
  ContextualGate: contextualGateRule,
  ElementMlpGate: elementMlpGateRule,
  SqueezeExcitation: squeezeExcitationRule,
  EfficientChannelAttention: efficientChannelRule,
  ConvolutionalBlockAttention: cbamRule,
  BottleneckAttention: bamRule,
  CoordinateAttention: coordinateRule,
  TripletAttention: tripletRule,
  SelectiveKernel: selectiveKernelRule,
  GlobalContext: globalContextRule,
  AxialAttention: axialRule,
  CrissCrossAttention: crissCrossRule,
  NonLocal: nonLocalRule,
  ExternalAttention: externalRule,
  DrawRead: drawReadRule,
  DrawWrite: drawWriteRule,
  GaussianGlimpse: gaussianGlimpseRule,
  SoftMaskAttention: softMaskRule,
  SpatialTransformer: spatialTransformerRule,
  ResetAfterGRU: resetAfterGruRule,
  TransformerEncoderLayer: encoderLayerRule,
  TransformerDecoderLayer: decoderLayerRule,
  GatedCrossAttention: gatedCrossAttentionRule,
  InducedSetAttention: inducedSetRule,
  SlotAttention: slotAttentionRule,
  LayerNormalization: layerNormRule,
  RMSNormalization: rmsNormRule,
  PositionEmbedding: positionEmbeddingRule,
  SinusoidalPositionEncoding: sinusoidsRule,
  RotaryEmbedding: rotaryRule,
  AlibiBias: alibiRule,
  RelativePositionBias: relativeBiasRule,
  Activation: activationRule,
  Add: addRule,
  Average: averageRule,
  AveragePooling1D: meanPoolingRule,
  AveragePooling2D: meanPoolingRule,
  BatchNormalization: batchNormRule,
  Bidirectional: bidirectionalRule,
  Concatenate: concatenateRule,
  Conv1D: convolutionRule,
  Conv2D: convolutionRule,
  Dense: denseRule,
  DepthwiseConv2D: depthwiseRule,
  Dropout: identityRule,
  Embedding: embeddingRule,
  Flatten: flattenRule,
  GRU: gruRule,
  GaussianDropout: identityRule,
  GaussianNoise: identityRule,
  GlobalAveragePooling1D: averageWholeRule,
  GlobalAveragePooling2D: averageWholeRule,
  GlobalMaxPooling1D: maximumWholeRule,
  GlobalMaxPooling2D: maximumWholeRule,
  LSTM: lstmRule,
  LeakyReLU: leakyReluRule,
  Masking: maskingRule,
  MaxPooling1D: maxPoolingRule,
  MaxPooling2D: maxPoolingRule,
  Maximum: maximumRule,
  Minimum: minimumRule,
  Multiply: multiplyRule,
  Permute: permuteRule,
  ReLU: reluRule,
  RepeatVector: repeatVectorRule,
  Reshape: reshapeRule,
  SimpleRNN: simpleRnnRule,
  Softmax: softmaxRule,
  SpatialDropout1D: identityRule,
  ZeroPadding2D: zeroPaddingRule,
};

/** The classes of layers that `exportOnnx` knows. */
export const ONNX_LAYERS: readonly string[] = Object.keys(RULES);

export function ruleOf(className: string): LayerRule | undefined {
  return Object.hasOwn(RULES, className) ? RULES[className] : undefined;
}
