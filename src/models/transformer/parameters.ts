/** Names, shapes and first values of the parameters of a Transformer. Matrices are [out, in], as PyTorch keeps them. */
import type { ParameterSpec, ParameterSpecs } from "../parameters.ts";
import type { FullConfig } from "./config.ts";

const glorot = (out: number, into: number): ParameterSpec => ({ shape: [out, into], start: "glorot" });
const zeros = (n: number): ParameterSpec => ({ shape: [n], start: "zeros" });

function map(name: string, out: number, into: number, bias: boolean): ParameterSpecs {
  return { [`${name}/weight`]: glorot(out, into), ...(bias ? { [`${name}/bias`]: zeros(out) } : {}) };
}

function norm(name: string, { norm: kind }: FullConfig, width: number): ParameterSpecs {
  return {
    [`${name}/gamma`]: { shape: [width], start: "ones" },
    ...(kind === "layer" ? { [`${name}/beta`]: zeros(width) } : {}),
  };
}

function attention(name: string, config: FullConfig): ParameterSpecs {
  const { width: C, heads: H, keyValueHeads: Hkv, headWidth: D, attentionBias, outputBias } = config;
  return {
    ...map(`${name}/query`, H * D, C, attentionBias),
    ...map(`${name}/key`, Hkv * D, C, attentionBias),
    ...map(`${name}/value`, Hkv * D, C, attentionBias),
    ...map(`${name}/output`, C, H * D, outputBias),
    ...norm(`${name}/norm`, config, C),
  };
}

function layer(name: string, config: FullConfig, hasMemory: boolean): ParameterSpecs {
  const { width: C, inner: F, innerBias, gated } = config;
  return {
    ...attention(`${name}/self`, config),
    ...(hasMemory ? attention(`${name}/cross`, config) : {}),
    ...(gated ? map(`${name}/feed/gate`, F, C, innerBias) : {}),
    ...map(`${name}/feed/in`, F, C, innerBias),
    ...map(`${name}/feed/out`, C, F, innerBias),
    ...norm(`${name}/feed/norm`, config, C),
  };
}

function stack(name: string, layers: number, config: FullConfig, hasMemory: boolean): ParameterSpecs {
  if (layers === 0) return {};
  const { width: C, heads: H, positions, finalNorm } = config;
  const layerGroups = config.layerGroups ?? layers;
  const groups = Array.from({ length: layerGroups }, (_, g) => layer(`${name}/${g}`, config, hasMemory));
  return {
    ...Object.assign({}, ...groups),
    ...(positions.kind === "t5"
      ? { [`${name}/distances`]: { shape: [positions.buckets, H], start: { normal: 0.1 } } }
      : {}),
    ...(finalNorm ? norm(`${name}/norm`, config, C) : {}),
  };
}

function embeddings(config: FullConfig): ParameterSpecs {
  const {
    vocabulary: V,
    width: C,
    embeddingWidth: E,
    types,
    positions,
    embeddingNorm,
    embeddingScale,
  } = config;
  const { inputWidth, classToken } = config;
  const table = (rows: number): ParameterSpec => ({ shape: [rows, E], start: { normal: 0.02 } });
  // Scaled embeddings begin as small as the others are once they are scaled.
  const tokens: ParameterSpec = { shape: [V, E], start: { normal: embeddingScale === 1 ? 0.02 : E ** -0.5 } };
  return {
    ...(V > 0 ? { "embedding/token": tokens } : {}),
    ...(inputWidth === undefined ? {} : map("embedding/input", E, inputWidth, true)),
    ...(classToken ? { "embedding/class": { shape: [E], start: { normal: 0.02 } } } : {}),
    ...(positions.kind === "learned" ? { "embedding/position": table(positions.length) } : {}),
    ...(types > 0 ? { "embedding/type": table(types) } : {}),
    ...(embeddingNorm ? norm("embedding/norm", config, E) : {}),
    ...(E === C ? {} : map("embedding/projection", C, E, true)),
  };
}

function classifier({ pooler, classes, width: C }: FullConfig): ParameterSpecs {
  return {
    ...(pooler ? map("pooler", C, C, true) : {}),
    ...(classes === undefined ? {} : map("classifier", classes, C, true)),
  };
}

function head(config: FullConfig): ParameterSpecs {
  const { head: given, vocabulary: V, width: C, embeddingWidth: E } = config;
  if (!given) return {};
  return {
    ...(given.transform ? { ...map("head/transform", E, C, true), ...norm("head/norm", config, E) } : {}),
    ...(given.tied ? {} : { "head/weight": glorot(V, given.transform ? E : C) }),
    ...(given.bias ? { "head/bias": zeros(V) } : {}),
  };
}

/** Every parameter of a Transformer, in the order in which it reads them. */
export function transformerParameters(config: FullConfig): ParameterSpecs {
  const { encoderLayers, decoderLayers } = config;
  return {
    ...embeddings(config),
    ...stack("encoder", encoderLayers, config, false),
    ...stack("decoder", decoderLayers, config, encoderLayers > 0),
    ...head(config),
    ...classifier(config),
  };
}
