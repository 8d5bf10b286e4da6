import * as tf from "@tensorflow/tfjs-core";
import { paddingMask } from "../../attention/mask/padding.ts";
import { fourierEncoding } from "../../attention/position/fourier.ts";
import { multiHeadAttentionBlock } from "../../attention/set/multi-head-attention-block.ts";
import { transformerEncoderLayer } from "../../attention/transformer/encoder-layer.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { size } from "../../core/notation.ts";
import { checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";
import { dense, denseSpecs, normalized, normSpecs } from "../maps.ts";
import { type ParameterSpecs, Parameters } from "../parameters.ts";
import { checkModelConfig, refuseConfig } from "./check-config.ts";
import { blockSpecs, readBlock } from "./maps.ts";

/** One kind of input: text, a series, an image, a video. */
export type PerceiverInput = {
  /** The most positions along each axis: [length] of text or a series, [rows, columns] of an image. */
  readonly shape: readonly number[];
  /** Bands of the Fourier encoding of its positions, an integer ≥ 1. */
  readonly bands: number;
} & (
  | { /** Numbers at each position: channels of an image, features of a frame. */ readonly width: number }
  | {
      /** Tokens that may stand at each position. */
      readonly vocabulary: number;
    }
);

export interface PerceiverIOConfig {
  /** The kinds of input, by name; at least one. */
  inputs: Readonly<Record<string, PerceiverInput>>;
  /** Ci, to which positions of every kind are mapped. */
  inputWidth: number;
  /** N, latents. */
  latents: number;
  /** C */
  width: number;
  /** H of every attention; it divides the width. */
  heads: number;
  /** F, between the two maps of a block. */
  inner: number;
  /** Blocks of self-attention between the latents. */
  layers: number;
  /** Learned output queries, read where a call brings none. */
  queries: number;
  /** Cq, the width of output queries that a call brings; 0 where it never does. */
  queryWidth: number;
  /** Numbers that come out for each output query. */
  outputs: number;
}

/** Positions of each kind of input: int32 [B, …] of tokens, float32 [B, …, width] of numbers; one axis or more. */
export type PerceiverInputs = Readonly<Record<string, tf.Tensor>>;

const RULES = {
  sizes: ["inputWidth", "latents", "width", "heads", "inner", "outputs"],
  counts: ["layers", "queries", "queryWidth"],
  others: ["inputs"],
};
const TOKENS = "vocabulary";

function checkConfig(op: string, config: PerceiverIOConfig): void {
  checkModelConfig(op, config, RULES);
  const kinds = Object.entries(config.inputs ?? {});
  if (kinds.length === 0) refuseConfig(op, "inputs must name one kind of input or more", "none");
  for (const [name, kind] of kinds) {
    const rules = { sizes: ["bands", TOKENS in kind ? TOKENS : "width"], others: ["shape"] };
    checkModelConfig(`${op}, inputs.${name}`, kind, rules);
    const isShape = Array.isArray(kind.shape) && kind.shape.length > 0 && kind.shape.every(isSize);
    if (!isShape)
      refuseConfig(`${op}, inputs.${name}`, "shape must be one integer ≥ 1 for each axis", kind.shape);
  }
  if (config.queries === 0 && config.queryWidth === 0) {
    refuseConfig(op, "there must be output queries", "queries=0 and queryWidth=0", "CONFLICT");
  }
}

const isSize = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 1;

function specs(config: PerceiverIOConfig): ParameterSpecs {
  const {
    inputs,
    inputWidth: Ci,
    latents: N,
    width: C,
    inner: F,
    layers,
    queries,
    queryWidth,
    outputs,
  } = config;
  const all: Record<string, ParameterSpecs[string]> = {};
  for (const [name, kind] of Object.entries(inputs)) {
    const isText = TOKENS in kind;
    if (isText) all[`input/${name}/token`] = { shape: [kind.vocabulary, Ci], start: { normal: 1 } };
    const features = kind.shape.length * (2 * kind.bands + 1) + (isText ? 0 : kind.width);
    Object.assign(all, denseSpecs(`input/${name}`, features, Ci));
  }
  all.latents = { shape: [N, C], start: { normal: 0.02 } };
  Object.assign(all, normSpecs("read/memory", Ci), blockSpecs("read", { C, Cy: Ci, F }));
  for (let n = 0; n < layers; n++) Object.assign(all, blockSpecs(`latent/${n}`, { C, F }));
  Object.assign(all, normSpecs("write/memory", C), blockSpecs("write", { C, F }), normSpecs("norm", C));
  if (queries > 0) all.queries = { shape: [queries, C], start: { normal: 0.02 } };
  if (queryWidth > 0) Object.assign(all, denseSpecs("query", queryWidth, C));
  return { ...all, ...denseSpecs("output", C, outputs) };
}

/**
 * Perceiver IO: inputs of any kinds in one call, read by a fixed number of latents; outputs of any number, asked for by queries.
 *
 *     position   each position of each kind → its numbers or token, its Fourier encoding → a map of its kind → Ci
 *     encode     latents + attention over all positions of all kinds, then self-attention between the latents
 *     decode     queries + attention over the latents → a map → outputs
 *
 * Shapes: inputs int32 [B, …] or float32 [B, …, width] → encode [B, N, C]; queries [B, T, Cq] → decode [B, T, outputs].
 * Conventions: a kind may be left out of a call, and may be shorter than its `shape` along each axis. `lengths` says how many
 * positions of a kind of one axis each example has; the rest reaches nothing. The map of each kind has a bias of its own,
 * which tells the kinds apart. Norms stand before sublayers, of latents and of what they read. Methods leave tensors to the
 * caller's `tf.tidy`; `parameters.variables` are what is saved.
 * Cost: O(B·S·N·C) for S positions in all, and O(B·layers·N²·C): the depth does not meet the size of the inputs.
 * Papers: Jaegle et al. 2021, §3, arxiv.org/abs/2107.14795; Perceiver, arxiv.org/abs/2103.03206.
 *
 * @example
 * const inputs = {
 *   text: { shape: [9], bands: 3, vocabulary: 11 },
 *   image: { shape: [4, 6], bands: 2, width: 3 },
 *   sound: { shape: [20], bands: 5, width: 2 },
 * };
 * const sizes = { inputWidth: 12, latents: 5, width: 8, heads: 2, inner: 16, layers: 1, queries: 2, queryWidth: 0, outputs: 3 };
 * const model = new PerceiverIO({ inputs, ...sizes }, 1);
 * const given = { text: tf.zeros([2, 7], "int32"), image: tf.ones([2, 4, 6, 3]), sound: tf.ones([2, 20, 2]) };
 * model.decode(model.encode(given, { lengths: { text: [7, 4] } })).shape; // [2, 2, 3]
 * model.dispose();
 */
export class PerceiverIO {
  readonly config: PerceiverIOConfig;
  readonly parameters: Parameters;

  /**
   * @param start a seed of the first values, or the values by name
   * @throws OptionError OPTION, UNKNOWN, CONFLICT where the configuration is none · ShapeError SHAPE, UNKNOWN
   */
  constructor(config: PerceiverIOConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    checkConfig("PerceiverIO", config);
    this.config = { ...config };
    this.parameters = Parameters.start("PerceiverIO", specs(config), start);
  }

  /**
   * What the latents made of all inputs: [B, N, C].
   *
   * @throws OptionError UNKNOWN, OPTION · ShapeError SHAPE, DTYPE, DIMENSION
   */
  encode(
    inputs: PerceiverInputs,
    { lengths = {} }: { lengths?: Readonly<Record<string, ArrayLike<number>>> } = {},
  ): tf.Tensor3D {
    const { latents: N, width: C, heads, layers } = this.config;
    const B = this.#checkInputs(inputs, lengths);
    return tidy(() => {
      const p = this.parameters;
      const parts = Object.entries(inputs).map(([name, x]) => this.#positions(name, x, lengths[name]));
      const memory = normalized(
        p,
        "read/memory",
        tf.concat(
          parts.map(({ features }) => features),
          1,
        ),
      );
      const hasPadding = parts.some(({ there }) => there);
      const allow = hasPadding && {
        allow: tf.expandDims(
          tf.concat(
            parts.map(({ there, S }) => there ?? tf.ones([B, 1, S], "bool")),
            2,
          ),
          1,
        ),
      };
      const first = tf.broadcastTo(tf.expandDims(p.matrix("latents"), 0), [B, N, C]) as tf.Tensor3D;
      const options = { preNorm: true, activation: "gelu" } as const;
      const reading = { ...options, ...(allow && { mask: allow }) };
      let latents = multiHeadAttentionBlock(first, memory, readBlock(p, "read", heads), reading).output;
      for (let n = 0; n < layers; n++) {
        const { attention, attentionNorm, ...feed } = readBlock(p, `latent/${n}`, heads);
        const block = { selfAttention: attention, selfNorm: attentionNorm, ...feed };
        latents = transformerEncoderLayer(latents, block, options).output;
      }
      return latents;
    });
  }

  /**
   * An answer to each query: [B, T, outputs].
   *
   * @param queries [B, T, Cq]; left out, the learned ones
   * @throws OptionError UNSUPPORTED where this model has no such queries · ShapeError SHAPE
   */
  decode(latents: tf.Tensor3D, queries?: tf.Tensor3D): tf.Tensor3D {
    const { heads, width: C, queryWidth, queries: learned } = this.config;
    const op = "PerceiverIO.decode";
    if (queries ? queryWidth === 0 : learned === 0) {
      throw new OptionError("UNSUPPORTED", {
        op,
        rule: queries
          ? "the model must have a queryWidth to be asked"
          : "the model must have queries of its own",
        got: queries ? "queries in the call" : "no queries in the call",
        remedy: queries ? "leave them out, or make a model with queryWidth" : "pass queries [B, T, Cq]",
      });
    }
    const [B, N] = latents.shape;
    checkTensors(op, [
      { name: "latents", tensor: latents, letters: "[B, N, C]", shape: [B, N, C] },
      ...(queries
        ? [
            {
              name: "queries",
              tensor: queries,
              letters: "[B, T, Cq]",
              shape: [B, queries.shape[1], queryWidth],
            },
          ]
        : []),
    ]);
    return tidy(() => {
      const p = this.parameters;
      const asked = queries
        ? dense(p, "query", queries)
        : (tf.broadcastTo(tf.expandDims(p.matrix("queries"), 0), [B, learned, C]) as tf.Tensor3D);
      const memory = normalized(p, "write/memory", latents);
      const options = { preNorm: true, activation: "gelu" } as const;
      const { output } = multiHeadAttentionBlock(asked, memory, readBlock(p, "write", heads), options);
      return dense(p, "output", normalized(p, "norm", output));
    });
  }

  /** The positions of one kind in the width of all, and which of them are there. */
  #positions(name: string, x: tf.Tensor, lengths: ArrayLike<number> | undefined) {
    const kind = this.config.inputs[name]!;
    const p = this.parameters;
    const axes = kind.shape.length;
    const [B, ...extent] = x.shape.slice(0, axes + 1) as [number, ...number[]];
    const S = size(extent);
    const there = lengths && paddingMask(lengths, S);
    const encoded = tf.slice(fourierEncoding(kind.shape, kind.bands), new Array(axes + 1).fill(0), [
      ...extent,
      -1,
    ]);
    const places = tf.broadcastTo(tf.reshape(encoded, [1, S, -1]), [
      B,
      S,
      encoded.shape[axes]!,
    ]) as tf.Tensor3D;
    if (TOKENS in kind) {
      const ids = tf.reshape(x, [B * S]) as tf.Tensor1D;
      const tokens = tf.reshape(p.rows(`input/${name}/token`, ids), [B, S, -1]);
      return { features: tf.add(dense(p, `input/${name}`, places), tokens) as tf.Tensor3D, there, S };
    }
    const numbers = tf.reshape(x, [B, S, kind.width]) as tf.Tensor3D;
    const clean = there ? (tf.where(tf.reshape(there, [B, S, 1]), numbers, 0) as tf.Tensor3D) : numbers;
    return { features: dense(p, `input/${name}`, tf.concat([clean, places], 2)), there, S };
  }

  /** Throws unless every input is of a kind of this model; B. */
  #checkInputs(inputs: PerceiverInputs, lengths: Readonly<Record<string, ArrayLike<number>>>): number {
    const op = "PerceiverIO.encode";
    const kinds = this.config.inputs;
    const known = Object.keys(kinds).join(", ");
    for (const name of [...Object.keys(inputs), ...Object.keys(lengths)]) {
      if (name in kinds && name in inputs) continue;
      const rule =
        name in kinds ? "lengths must be of an input of the call" : `every input must be one of ${known}`;
      throw new OptionError("UNKNOWN", { op, rule, got: name, remedy: "correct its name or leave it out" });
    }
    const [first] = Object.values(inputs);
    if (!first) {
      const remedy = `pass one or more of ${known}`;
      throw new ShapeError("SHAPE", { op, rule: "there must be an input", got: "none", remedy });
    }
    const B = first.shape[0]!;
    for (const [name, x] of Object.entries(inputs)) {
      const kind = kinds[name]!;
      const [axes, width] = [kind.shape.length, TOKENS in kind ? [] : [kind.width]];
      const extent = x.shape.slice(1, axes + 1);
      const fits = extent.every((n, axis) => n >= 1 && n <= kind.shape[axis]!);
      if (!fits || (lengths[name] && axes > 1)) {
        const most = `[${kind.shape.join(", ")}]`;
        throw new ShapeError("SHAPE", {
          op,
          rule: fits
            ? `lengths.${name} must be of an input of one axis`
            : `${name} must have 1 to ${most} positions along its axes`,
          got: `[${extent.join(", ")}]`,
          remedy: fits ? "leave them out" : "cut it, or make a model with a larger shape",
        });
      }
      const dtype = TOKENS in kind ? "int32" : "float32";
      const letters = TOKENS in kind ? "[B, …]" : "[B, …, width]";
      const wanted = [B, ...kind.shape.map((n, axis) => extent[axis] ?? n), ...width];
      checkTensors(op, [{ name, tensor: x, letters, shape: wanted, dtype }]);
    }
    return B;
  }

  dispose(): void {
    this.parameters.dispose();
  }
}
