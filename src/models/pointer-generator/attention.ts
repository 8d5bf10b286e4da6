import * as tf from "@tensorflow/tfjs-core";
import { additiveAttention } from "../../ops/additive-attention.ts";
import { linear } from "../../ops/linear.ts";
import type { Parameters } from "../parameters.ts";

/** The source as the decoder sees it: computed once, read at every step. */
export type PointerMemory = {
  /** h [B, S, H] */
  states: tf.Tensor3D;
  /** W_h h + b [B, S, A] */
  keys: tf.Tensor3D;
  /** [B, 1, S] bool: which positions are no padding; absent where none is. */
  allow?: tf.Tensor3D;
  /** The words of the source, those outside of the vocabulary by numbers from V on: int32 [B, S]. */
  words: tf.Tensor2D;
};

/** What the attention itself reads of a memory. */
export type AttendedMemory = Omit<PointerMemory, "words">;

/** What a step reads, and where. */
export interface Covered {
  /** h* [N, H] */
  context: tf.Tensor2D;
  /** a [N, S] */
  weights: tf.Tensor2D;
}

/**
 * Additive attention that is told where it looked before.
 *
 *     e_ti = vᵀ tanh(W_h h_i + W_s s_t + w_c c_ti + b),    a_t = softmax(e_t),    h*_t = Σ_i a_ti h_i,    c_t = Σ_{t′<t} a_t′
 *
 * Symbols: h_i encoder states, s_t decoder states, c_t the coverage, zero at the first step; A hidden units.
 * Shapes: s [N, D], h [B, S, H], c [N, S] → context [N, H], weights [N, S]; N a multiple of B, neighbours share a source.
 * Conventions: padding is hidden before the softmax and never read, whatever stands there, NaN included. Without a
 * coverage the term w_c c is left out. Cost: O(N·S·(A + H)), in one kernel on the `heed` backend.
 * Paper: See, Liu & Manning 2017, §2.1 and §2.3, (1) to (3), (10) and (11), arxiv.org/abs/1704.04368.
 */
export class CoverageAttention {
  readonly #parameters: Parameters;

  constructor(parameters: Parameters) {
    this.#parameters = parameters;
  }

  /** W_h h + b of encoder states [B, S, H], once a source. */
  keys(states: tf.Tensor3D): tf.Tensor3D {
    return linear(
      states,
      this.#parameters.matrix("attention/states"),
      this.#parameters.vector("attention/bias"),
    );
  }

  attend(query: tf.Tensor2D, memory: AttendedMemory, coverage?: tf.Tensor2D): Covered {
    const [N, S, H] = [query.shape[0], ...memory.states.shape.slice(1)] as [number, number, number];
    const { keys, states, allow } = rowsOf(memory, N);
    const asked = linear(query, this.#parameters.matrix("attention/query"));
    const { output, weights } = additiveAttention(
      tf.expandDims<tf.Tensor3D>(asked, 1),
      coverage ? this.#covered(keys, coverage) : keys,
      this.#parameters.vector("attention/v"),
      states,
      { weights: true, ...(allow && { allow }) },
    );
    return { context: tf.reshape(output, [N, H]), weights: tf.reshape(weights, [N, S]) };
  }

  #covered(keys: tf.Tensor3D, coverage: tf.Tensor2D): tf.Tensor3D {
    return tf.add(keys, tf.mul(tf.expandDims(coverage, 2), this.#parameters.vector("attention/coverage")));
  }
}

/** A memory of N rows: each source as often as it has hypotheses. */
function rowsOf({ keys, states, allow }: AttendedMemory, N: number) {
  const B = states.shape[0];
  if (N === B) return { keys, states, allow };
  const index = tf.tensor1d(
    Array.from({ length: N }, (_, n) => Math.floor((n * B) / N)),
    "int32",
  );
  const take = (x: tf.Tensor3D): tf.Tensor3D => tf.gather(x, index);
  return { keys: take(keys), states: take(states), allow: allow && take(allow) };
}
