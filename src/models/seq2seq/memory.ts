import * as tf from "@tensorflow/tfjs-core";
import {
  additiveScore,
  concatScore,
  dotScore,
  generalScore,
  locationScore,
  type Score,
  scaledDotScore,
} from "../../attention/score/index.ts";
import { attend } from "../../attention/sequence/attend.ts";
import type { Parameters } from "../parameters.ts";
import type { Seq2SeqConfig } from "./config.ts";

/** The source as the decoder sees it: computed once, read at every step. */
export type Memory = {
  /** [B, S, ·]: what the score precomputes of the keys. */
  prepared: tf.Tensor3D;
  /** [B, S, Dk] */
  keys: tf.Tensor3D;
  /** [B, S, 2H] */
  values: tf.Tensor3D;
  /** [B, 1, S] bool: which positions are no padding; absent where none is. */
  allow?: tf.Tensor3D;
  /** [B, 1, 2H]: the mean state, all that the baseline without attention sees. */
  mean?: tf.Tensor3D;
};

/** The context of each query, and where it looked. */
export interface Attended {
  /** [N, 2H] */
  context: tf.Tensor2D;
  /** [N, S], where asked for; uniform over the source for the baseline without attention. */
  weights?: tf.Tensor2D;
}

function scoreOf(config: Seq2SeqConfig, parameters: Parameters): Score | undefined {
  const w = () => parameters.matrix("attention/w");
  const v = () => parameters.vector("attention/v");
  switch (config.score) {
    case "dot":
      return dotScore();
    case "scaledDot":
      return scaledDotScore();
    case "general":
      return generalScore({ w: w() });
    case "additive":
      return additiveScore({
        w1: parameters.matrix("attention/w1"),
        w2: parameters.matrix("attention/w2"),
        v: v(),
      });
    case "concat":
      return concatScore({ w: w(), v: v() });
    case "location":
      return locationScore({ w: w() });
    case "none":
      return undefined;
  }
}

/** Attention of the decoder over the encoder's states, with any score. */
export class SourceAttention {
  readonly #score: Score | undefined;
  readonly #parameters: Parameters;

  constructor(config: Seq2SeqConfig, parameters: Parameters) {
    this.#score = scoreOf(config, parameters);
    this.#parameters = parameters;
  }

  /** Encoder states [B, S, 2H] of sources with these lengths. */
  prepare(states: tf.Tensor3D, lengths: Int32Array): Memory {
    const [B, S] = states.shape;
    const own = Uint8Array.from({ length: B * S }, (_, i) => (i % S < lengths[Math.floor(i / S)] ? 1 : 0));
    if (!this.#score) {
      const shares = Float32Array.from(own, (one, i) => one / lengths[Math.floor(i / S)]);
      const weights = tf.tensor3d(shares, [B, 1, S]);
      return { prepared: weights, keys: states, values: states, mean: tf.matMul(weights, states) };
    }
    const projection = this.#parameters.has("attention/keys") && this.#parameters.matrix("attention/keys");
    const keys = projection ? project(states, projection) : states;
    const allow = own.includes(0) ? { allow: tf.tensor3d(own, [B, 1, S], "bool") } : {};
    return { prepared: this.#score.prepare(keys), keys, values: states, ...allow };
  }

  /** Queries [N, Dq], N a multiple of B: row n asks about source ⌊n·B/N⌋ (the hypotheses of a beam are neighbours). */
  attend(query: tf.Tensor2D, memory: Memory, wantsWeights: boolean): Attended {
    const [B, S, Dv] = memory.values.shape;
    const N = query.shape[0];
    const T = N / B;
    if (!this.#score) {
      return {
        context: tf.reshape(tf.tile(memory.mean!, [1, T, 1]), [N, Dv]),
        weights: tf.reshape(tf.tile(memory.prepared, [1, T, 1]), [N, S]),
      };
    }
    const { output, weights } = attend({
      queries: tf.reshape(query, [B, T, query.shape[1]]),
      keys: memory.keys,
      values: memory.values,
      score: this.#score,
      prepared: memory.prepared,
      ...(memory.allow ? { mask: memory.allow } : {}),
      finite: true,
      weights: wantsWeights,
    });
    const context = tf.reshape(output, [N, Dv]) as tf.Tensor2D;
    return weights ? { context, weights: tf.reshape(weights, [N, S]) } : { context };
  }
}

function project(x: tf.Tensor3D, w: tf.Tensor2D): tf.Tensor3D {
  const [B, S, C] = x.shape;
  return tf.reshape(tf.matMul(tf.reshape(x, [B * S, C]), w), [B, S, w.shape[1]]);
}
