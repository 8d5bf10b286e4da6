import {
  additiveAttentionRule,
  attentionRule,
  bahdanauRule,
  groupQueryRule,
  multiHeadRule,
} from "./attentions.ts";
import { decoderLayerRule, encoderLayerRule } from "./blocks.ts";
import type { LayerRule } from "./call.ts";
import { differentialRule, linearAttentionRule, qkNormRule, talkingHeadsRule } from "./heads.ts";
import {
  activationRule,
  addRule,
  averagePoolingRule,
  averageRule,
  concatenateRule,
  denseRule,
  embeddingRule,
  flattenRule,
  identityRule,
  maximumPoolingRule,
  multiplyRule,
  permuteRule,
  reshapeRule,
} from "./keras.ts";
import { layerNormRule, positionEmbeddingRule, rmsNormRule, rotaryRule, sinusoidsRule } from "./positions.ts";

import { alibiRule, attentionPoolingRule, relativeBiasRule, squeezeExcitationRule } from "./weighing.ts";

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
  LinearAttention: linearAttentionRule,
  AttentionPooling: attentionPoolingRule,
  SqueezeExcitation: squeezeExcitationRule,
  TransformerEncoderLayer: encoderLayerRule,
  TransformerDecoderLayer: decoderLayerRule,
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
  Concatenate: concatenateRule,
  Dense: denseRule,
  Dropout: identityRule,
  Embedding: embeddingRule,
  Flatten: flattenRule,
  GaussianDropout: identityRule,
  GaussianNoise: identityRule,
  GlobalAveragePooling1D: averagePoolingRule,
  GlobalMaxPooling1D: maximumPoolingRule,
  Multiply: multiplyRule,
  Permute: permuteRule,
  Reshape: reshapeRule,
  SpatialDropout1D: identityRule,
};

/** The classes of layers that `exportOnnx` knows. */
export const ONNX_LAYERS: readonly string[] = Object.keys(RULES);

export function ruleOf(className: string): LayerRule | undefined {
  return Object.hasOwn(RULES, className) ? RULES[className] : undefined;
}
