import * as tf from "@tensorflow/tfjs-core";
import { additiveScore, dotScore, generalScore, type Score } from "../../attention/score/index.ts";
import { attend } from "../../attention/sequence/attend.ts";
import { checkChoice, checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { tidy } from "../../ops/tidy.ts";
import { type ParameterSpec, type ParameterSpecs, Parameters } from "../parameters.ts";
import type { PublishedNames } from "../transformer/published.ts";

const SCORES = ["dot", "general", "additive"] as const;
const NORMALIZERS = ["softmax", "sparsemax"] as const;

export interface GlobalAttentionConfig {
  /** C, the width of queries and of what they read. */
  width: number;
  /** OpenNMT-py's `attn_type`: dot, general, or mlp, which is the additive one. @default "dot" */
  score?: (typeof SCORES)[number];
  /** How scores become weights, OpenNMT-py's `attn_func`. @default "softmax" */
  normalize?: (typeof NORMALIZERS)[number];
  /** Whether the memory may be told how much of it was read. @default false */
  coverage?: boolean;
}

export interface GlobalAttentionOptions {
  /** Valid positions of the memory. @default all */
  memoryLengths?: ArrayLike<number>;
  /** How much of each position was read before, [B, S]. @default the memory is read as it is */
  coverage?: tf.Tensor2D;
}

export interface GlobalAttentionResult {
  /** h̃, [B, T, C] */
  attentional: tf.Tensor3D;
  /** Where each step looked, [B, T, S]. */
  weights: tf.Tensor3D;
}

/** Names, shapes and first values of the parameters, as `Seq2Seq` calls its own. */
export function globalAttentionParameters(config: GlobalAttentionConfig): ParameterSpecs {
  const { width: C, score = "dot", coverage = false } = config;
  const op = "GlobalAttention";
  checkCount(op, "width", C);
  checkChoice(op, "score", score, SCORES);
  checkChoice(op, "normalize", config.normalize ?? "softmax", NORMALIZERS);
  const matrix: ParameterSpec = { shape: [C, C], start: "glorot" };
  const zeros: ParameterSpec = { shape: [C], start: "zeros" };
  const additive = score === "additive";
  return {
    ...(score === "general" && { "attention/w": matrix }),
    ...(additive && {
      "attention/w1": matrix,
      "attention/w2": matrix,
      "attention/b": zeros,
      "attention/v": { shape: [C], start: "glorot" } as const,
    }),
    ...(coverage && { "attention/coverage": { shape: [C], start: "glorot" } as const }),
    "combine/kernel": { shape: [2 * C, C], start: "glorot" },
    ...(additive && { "combine/bias": zeros }),
  };
}

/** Names of OpenNMT-py's `GlobalAttention`; a decoder's checkpoint has `decoder.attn.` before them. */
export const openNmtNames: PublishedNames = {
  "attention/w": { name: "linear_in.weight", whole: true, transposed: true },
  "attention/w1": { name: "linear_context.weight", whole: true, transposed: true },
  "attention/w2": { name: "linear_query.weight", whole: true, transposed: true },
  "attention/b": "linear_query.bias",
  "attention/v": "v.weight",
  "attention/coverage": "linear_cover.weight",
  "combine/kernel": { name: "linear_out.weight", whole: true, transposed: true },
  "combine/bias": "linear_out.bias",
};

/**
 * Luong's global attention with its weights: what a step of a decoder reads of a whole source, and what it makes of it.
 *
 *     c_t = Σ_s α_ts m_s,    α_t = normalize_s(score(h_t, m_s))
 *     h̃_t = tanh(W_c [c_t; h_t])           dot, general
 *     h̃_t = W_c [c_t; h_t] + b_c           additive, whose score has a bias too
 *     m ← tanh(m + w coverage_s)           before it, where a coverage is given
 *
 * Symbols: h_t the decoder's current states, m_s the memory, W_c `combine/kernel` [2·C, C], c first.
 * Shapes: queries [B, T, C], memory [B, S, C] → attentional [B, T, C], weights [B, T, S]; T = 1 for one step.
 * Conventions: the very function of OpenNMT-py's `GlobalAttention`, under whose names `openNmtNames` finds the weights
 * with `fromPublished`; its sparsemax is ours. Luong's concat score is the additive one with one matrix for both. A
 * source of length 0 reads c = 0, where OpenNMT-py gives NaN. Results are left to the caller's `tf.tidy`.
 * Cost: the score's, and O(B·T·C·(S + C)). Paper: Luong, Pham & Manning 2015, §3.1, arxiv.org/abs/1508.04025.
 *
 * @throws OptionError OPTION, CONFLICT · ShapeError RANK, SHAPE, DIMENSION
 * @example
 * const attention = new GlobalAttention({ width: 4, score: "general" }, 1);
 * const { attentional } = attention.attend(tf.ones([2, 3, 4]), tf.ones([2, 5, 4]), { memoryLengths: [5, 2] });
 * attentional.shape; // [2, 3, 4]
 * attention.dispose();
 */
export class GlobalAttention {
  readonly config: Required<GlobalAttentionConfig>;
  readonly parameters: Parameters;

  /** @param start a seed of the first values, or the values by name */
  constructor(config: GlobalAttentionConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    this.parameters = Parameters.start("GlobalAttention", globalAttentionParameters(config), start);
    this.config = { score: "dot", normalize: "softmax", coverage: false, ...config };
  }

  /** What each query makes of the memory, and where it looked. */
  attend(
    queries: tf.Tensor3D,
    memory: tf.Tensor3D,
    { memoryLengths, coverage }: GlobalAttentionOptions = {},
  ): GlobalAttentionResult {
    const { score, normalize } = this.config;
    this.#check(queries, memory, coverage);
    return tidy(() => {
      const read = coverage ? this.#covered(memory, coverage) : memory;
      const { output, weights } = attend({
        queries,
        keys: read,
        values: read,
        score: this.#score(),
        normalize,
        weights: true,
        ...(memoryLengths && { mask: { keyLengths: memoryLengths } }),
      });
      const bias = this.parameters.has("combine/bias") ? this.parameters.vector("combine/bias") : undefined;
      const both = linear(tf.concat([output, queries], 2), this.parameters.matrix("combine/kernel"), bias);
      return { attentional: score === "additive" ? both : tf.tanh(both), weights };
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }

  #score(): Score {
    const { parameters } = this;
    if (this.config.score === "dot") return dotScore();
    if (this.config.score === "general") return generalScore({ w: parameters.matrix("attention/w") });
    return additiveScore({
      w1: parameters.matrix("attention/w1"),
      w2: parameters.matrix("attention/w2"),
      b: parameters.vector("attention/b"),
      v: parameters.vector("attention/v"),
    });
  }

  #covered(memory: tf.Tensor3D, coverage: tf.Tensor2D): tf.Tensor3D {
    const read = tf.mul(tf.expandDims(coverage, 2), this.parameters.vector("attention/coverage"));
    return tf.tanh(tf.add(memory, read));
  }

  #check(queries: tf.Tensor3D, memory: tf.Tensor3D, coverage: tf.Tensor2D | undefined): void {
    const op = "GlobalAttention";
    const { width: C } = this.config;
    const [B, T] = queries.shape;
    const S = memory.shape[1];
    if (coverage && !this.config.coverage) {
      throw new OptionError("CONFLICT", {
        op,
        rule: "a coverage must have a weight",
        got: "a coverage, and a configuration without",
        remedy: "make it with coverage: true, or leave the coverage out",
      });
    }
    checkTensors(op, [
      { name: "queries", tensor: queries, letters: "[B, T, C]", shape: [B, T, C] },
      { name: "memory", tensor: memory, letters: "[B, S, C]", shape: [B, S, C] },
      ...(coverage ? [{ name: "coverage", tensor: coverage, letters: "[B, S]", shape: [B, S] }] : []),
    ]);
  }
}
