import * as tf from "@tensorflow/tfjs-core";
import { t5Bias } from "../../attention/position/t5-bias.ts";
import {
  byDefault,
  flag,
  integer,
  type LayerOptions,
  MechanismLayer,
  optional,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
} from "../base/index.ts";

const fields = {
  /** Buckets of distances; even where they have two directions. @default 32 */
  numBuckets: byDefault(integer(2), 32),
  /** Distances from here on share the last bucket. @default 128 */
  maxDistance: byDefault(integer(2), 128),
  /** Whether keys after the query have buckets of their own, as in an encoder. @default true */
  bidirectional: byDefault(flag(), true),
  /** The key position of query 0; needed where T ≠ S. @default 0 where T = S */
  queryOffset: optional(integer(Number.MIN_SAFE_INTEGER)),
  ...weightFields("embeddings", "glorotUniform"),
  seed: seed(),
};

export type RelativePositionBiasLayerOptions = LayerOptions<typeof fields>;

/**
 * T5's relative position bias, added to scores: a learned number for each head and bucket of distances.
 *
 *     out(b, h, i, j) = scores(b, h, i, j) + table(bucket(j − i − queryOffset), h)
 *
 * Symbols: table the weight `embeddings`.
 * Shapes: scores [B, H, T, S] → as scores; weight [numBuckets, H].
 * Conventions: for scores before the softmax; T5 does not scale them. `bias(T, S)` gives the bias alone, which the op
 * `attention` adds inside its kernel.
 * Cost: O(B·H·T·S).
 * Paper: Raffel et al. 2020, §2.1, arxiv.org/abs/1910.10683.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE, CONFLICT · ShapeError SHAPE
 * @example
 * const relative = new RelativePositionBias({ numBuckets: 8 });
 * relative.apply(tf.zeros([2, 3, 5, 5])).shape; // [2, 3, 5, 5]
 * const { output } = softAttention(q, k, v, { bias: relative.bias(5, 5), scale: 1 });
 */
export class RelativePositionBias extends MechanismLayer<typeof fields> {
  static readonly className = "RelativePositionBias";
  static readonly inputs = [{ name: "scores", letters: "[B, H, T, S]" }];
  static readonly fields: typeof fields = fields;

  /**
   * The bias [1, H, T, S], as the op `attention` takes it; it belongs to the caller.
   *
   * @throws OptionError NOT_READY before the layer was applied to scores
   */
  bias(T: number, S: number): tf.Tensor4D {
    const { bidirectional, maxDistance, queryOffset } = this.config;
    const table = this.weight<tf.Tensor2D>("embeddings");
    return t5Bias({ table }, T, S, { bidirectional, maxDistance, queryOffset });
  }

  protected override parameters({ H }: Sizes): WeightTable<typeof fields> {
    return { embeddings: { shape: [this.config.numBuckets, H!], kind: "embeddings" } };
  }

  protected override compute([scores]: tf.Tensor[]): tf.Tensor {
    const [, , T, S] = scores!.shape as [number, number, number, number];
    return tf.add(scores!, this.bias(T, S));
  }
}
