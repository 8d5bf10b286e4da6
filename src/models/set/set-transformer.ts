import * as tf from "@tensorflow/tfjs-core";
import { paddingMask } from "../../attention/mask/padding.ts";
import {
  inducedSetAttention,
  multiHeadAttentionBlock,
  poolingByAttention,
} from "../../attention/set/index.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";
import { dense, denseSpecs } from "../maps.ts";
import { type ParameterSpecs, Parameters } from "../parameters.ts";
import { checkModelConfig } from "./check-config.ts";
import { blockSpecs, feedForwardSpecs, readBlock, readFeedForward } from "./maps.ts";

export interface SetTransformerConfig {
  /** Cin, the width of an element. */
  inputWidth: number;
  /** C */
  width: number;
  /** H; it divides the width. */
  heads: number;
  /** F, between the two maps of a block. */
  inner: number;
  /** Blocks over the elements. */
  encoderLayers: number;
  /** M, inducing points of each; 0 for set attention, in which every element reads every other. */
  inducingPoints: number;
  /** k, the vectors that the set becomes. */
  seeds: number;
  /** Blocks over those. */
  decoderLayers: number;
  /** Numbers that come out for each of them. */
  outputs: number;
}

const RULES = {
  sizes: ["inputWidth", "width", "heads", "inner", "seeds", "outputs"],
  counts: ["encoderLayers", "inducingPoints", "decoderLayers"],
};

function specs(config: SetTransformerConfig): ParameterSpecs {
  const { inputWidth, width: C, inner: F, inducingPoints: M, seeds, outputs } = config;
  const all: Record<string, ParameterSpecs[string]> = { ...denseSpecs("input", inputWidth, C) };
  for (let n = 0; n < config.encoderLayers; n++) {
    const name = `encoder/${n}`;
    if (M === 0) Object.assign(all, blockSpecs(name, { C, F }));
    else {
      all[`${name}/points`] = { shape: [M, C], start: "glorot" };
      Object.assign(all, blockSpecs(`${name}/gather`, { C, F }), blockSpecs(`${name}/scatter`, { C, F }));
    }
  }
  Object.assign(all, feedForwardSpecs("pool/in", C, F), blockSpecs("pool", { C, F }));
  all["pool/seeds"] = { shape: [seeds, C], start: "glorot" };
  for (let n = 0; n < config.decoderLayers; n++) Object.assign(all, blockSpecs(`decoder/${n}`, { C, F }));
  return { ...all, ...denseSpecs("output", C, outputs) };
}

/**
 * Set Transformer: a function of a set of any size, which learns how its elements matter to each other.
 *
 *     encode   elements → a map → blocks of (induced) set attention
 *     pool     → k seeds read the set → blocks of set attention between them → a map
 *
 * Shapes: x [B, S, Cin] → encode [B, S, C], forward [B, k, outputs].
 * Conventions: permuting a set permutes `encode` and leaves `forward` as it is, to rounding. Sets of a batch may differ in
 * size: `lengths` says how many of the S elements each has, and the rest reaches nothing. Methods leave tensors to the
 * caller's `tf.tidy`. One seed or the values of all parameters by name begin it: `parameters.variables` are what is saved.
 * Paper: Lee et al. 2018, §3.3, arxiv.org/abs/1810.00825.
 *
 * @example
 * const sizes = { inputWidth: 7, width: 8, heads: 2, inner: 16, outputs: 1 };
 * const model = new SetTransformer({ ...sizes, encoderLayers: 2, inducingPoints: 4, seeds: 1, decoderLayers: 0 }, 1);
 * model.forward(values, { lengths: [5, 3] }).shape; // [2, 1, 1]
 * model.dispose();
 */
export class SetTransformer {
  readonly config: SetTransformerConfig;
  readonly parameters: Parameters;

  /**
   * @param start a seed of the first values, or the values by name
   * @throws OptionError OPTION, UNKNOWN, CONFLICT where the configuration is none · ShapeError SHAPE, UNKNOWN
   */
  constructor(config: SetTransformerConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    checkModelConfig("SetTransformer", config, RULES);
    this.config = { ...config };
    this.parameters = Parameters.start("SetTransformer", specs(config), start);
  }

  /**
   * What the elements are among the others: [B, S, C].
   *
   * @throws ShapeError RANK, SHAPE · OptionError OPTION
   */
  encode(x: tf.Tensor3D, { lengths }: { lengths?: ArrayLike<number> | undefined } = {}): tf.Tensor3D {
    const op = "SetTransformer.encode";
    const { inputWidth, encoderLayers, inducingPoints: M, heads } = this.config;
    checkRank(op, "x [B, S, Cin]", x, 3);
    const [B, S] = x.shape;
    checkTensors(op, [{ name: "x", tensor: x, letters: "[B, S, Cin]", shape: [B, S, inputWidth] }]);
    return tidy(() => {
      const p = this.parameters;
      const there = lengths && paddingMask(lengths, S);
      const clean = there ? (tf.where(tf.reshape(there, [B, S, 1]), x, 0) as tf.Tensor3D) : x;
      let elements = dense(p, "input", clean);
      for (let n = 0; n < encoderLayers; n++) {
        const name = `encoder/${n}`;
        if (M === 0) {
          const mask = there && { mask: { allow: tf.expandDims(there, 1) } };
          elements = multiHeadAttentionBlock(elements, elements, readBlock(p, name, heads), {
            ...mask,
          }).output;
        } else {
          const [gather, scatter] = ["gather", "scatter"].map((part) =>
            readBlock(p, `${name}/${part}`, heads),
          );
          const parameters = {
            inducingPoints: p.matrix(`${name}/points`),
            gather: gather!,
            scatter: scatter!,
          };
          const allow = there && { allow: tf.squeeze(there, [1]) };
          elements = inducedSetAttention(elements, parameters, { ...allow }).output;
        }
      }
      return elements;
    });
  }

  /**
   * The function of the set: [B, k, outputs].
   *
   * @throws ShapeError RANK, SHAPE · OptionError OPTION
   */
  forward(x: tf.Tensor3D, options: { lengths?: ArrayLike<number> | undefined } = {}): tf.Tensor3D {
    const { heads, decoderLayers } = this.config;
    return tidy(() => {
      const p = this.parameters;
      const elements = this.encode(x, options);
      const pool = {
        seeds: p.matrix("pool/seeds"),
        feedForward: readFeedForward(p, "pool/in"),
        block: readBlock(p, "pool", heads),
      };
      const allow = options.lengths && { allow: tf.squeeze(paddingMask(options.lengths, x.shape[1]), [1]) };
      let found = poolingByAttention(elements, pool, { ...allow }).output;
      for (let n = 0; n < decoderLayers; n++) {
        found = multiHeadAttentionBlock(found, found, readBlock(p, `decoder/${n}`, heads)).output;
      }
      return dense(p, "output", found);
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }
}
