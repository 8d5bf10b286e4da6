import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { checkParameter } from "./check.ts";
import { linear } from "./linear.ts";
import type { Score } from "./score.ts";

export interface LocationParameters {
  /** [Dq, Smax]: one column per key position. */
  w: tf.Tensor2D;
}

/**
 * Location score: the query alone says which positions to look at; what stands there does not matter.
 *
 *     score(q_t, k_s) = (q_tᵀ W)_s
 *
 * Symbols: q_t a query, s a position, W learned. Shapes: q [B, T, Dq], W [Dq, Smax] → [B, T, S], S ≤ Smax.
 * Conventions: the keys give only their number S; no gradient reaches them. The paper writes a_t = softmax(W_a h_t).
 * Cost: O(B·T·Dq·S) time. Paper: Luong, Pham & Manning 2015, §3.1 (8), arxiv.org/abs/1508.04025.
 *
 * @throws ShapeError SHAPE when W is too small
 * @draws
 * const queries = tf.tensor3d([Array.from({ length: 12 }, (_, t) => [Math.sin(t / 2), Math.cos(t / 2)])]);
 * const w = tf.tensor2d([0, 1].map((c) => Array.from({ length: 16 }, (_, s) => (c ? Math.cos(s / 3) : Math.sin(s / 3)))));
 * return locationScore({ w }).score(queries, tf.zeros([1, 16, 1]));
 * @example
 * const score = locationScore({ w: tf.variable(tf.randomNormal([4, 50])) });
 * score.score(queries, score.prepare(keys)); // [B, T, S], S up to 50
 */
export function locationScore({ w }: LocationParameters): Score {
  const op = "locationScore";
  const [Dq, longest] = w.shape;
  return {
    name: "location",
    prepare: (keys) => keys,
    score(queries, keys) {
      const S = keys.shape[1];
      checkParameter(op, "w [Dq, Smax]", [Dq, longest], [queries.shape[2], longest]);
      if (S > longest) {
        throw new ShapeError("SHAPE", {
          op,
          rule: `S=${S} keys must not exceed the Smax=${longest} columns of w [Dq, Smax]`,
          got: `${S - longest} more`,
          remedy: "build w for the longest source, or cut the source",
        });
      }
      return linear(queries, S === longest ? w : tf.slice(w, [0, 0], [Dq, S]));
    },
  };
}
