import * as tf from "@tensorflow/tfjs-core";
import { alibiBias } from "../../attention/position/alibi.ts";
import {
  byDefault,
  integer,
  type LayerOptions,
  MechanismLayer,
  optional,
  ours,
  positive,
} from "../base/index.ts";

const fields = {
  /** The last head's slope is 2^(−alibiBiasMax). @default 8 */
  alibiBiasMax: byDefault(positive(), 8),
  /** The key position of query 0; needed where T ≠ S. @default 0 where T = S */
  queryOffset: ours(optional(integer(Number.MIN_SAFE_INTEGER))),
};

export type AlibiBiasLayerOptions = LayerOptions<typeof fields>;

/**
 * KerasHub's `AlibiBias`: scores lowered by the distance of query and key, by a slope of each head's own.
 *
 *     out(b, h, i, j) = scores(b, h, i, j) − m_h · |i + queryOffset − j|
 *
 * Symbols: m_h a head's slope (`alibiSlopes`).
 * Shapes: scores [B, H, T, S] → as scores.
 * Conventions: for scores before the softmax. KerasHub adds m_h·(j − S + 1) to all queries alike, which under a
 * causal mask gives the same weights. No weights.
 * Cost: O(B·H·T·S).
 * Paper: Press, Smith & Lewis 2021, §3, arxiv.org/abs/2108.12409.
 *
 * @throws OptionError UNKNOWN, OPTION, CONFLICT · ShapeError SHAPE
 * @example
 * new AlibiBias().apply(tf.zeros([2, 3, 5, 5])).shape; // [2, 3, 5, 5]
 */
export class AlibiBias extends MechanismLayer<typeof fields> {
  static readonly className = "AlibiBias";
  static readonly inputs = [{ name: "scores", letters: "[B, H, T, S]" }];
  static readonly fields: typeof fields = fields;

  protected override compute([scores]: tf.Tensor[]): tf.Tensor {
    const { alibiBiasMax: most, queryOffset } = this.config;
    const [, H, T, S] = scores!.shape as [number, number, number, number];
    return tf.add(scores!, alibiBias(H, T, S, { most, queryOffset }));
  }
}
