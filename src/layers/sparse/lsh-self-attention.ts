import type * as tf from "@tensorflow/tfjs-core";
import { lshAttention } from "../../attention/sparse/lsh.ts";
import {
  byDefault,
  flag,
  integer,
  integers,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  optional,
  type Sizes,
} from "../base/index.ts";
import {
  type HeadWeights,
  headFields,
  join,
  lengthsOf,
  outputProjection,
  present,
  projection,
  selfInputs,
  split,
} from "../linear/heads.ts";

const fields = {
  ...headFields,
  /** Buckets of a round, 1 or even, or even factors of them. @default about T/32 */
  buckets: optional(integers(1)),
  /** Rounds of hashing. @default 4 */
  rounds: byDefault(integer(1), 4),
  /** Positions of a chunk. @default 2·⌈T/buckets⌉ */
  chunkSize: optional(integer(1)),
  /** Position t sees those before it. @default false */
  useCausalMask: byDefault(flag(), false),
  /** Chooses the directions of the hashes, the same in training and after it. @default 0 */
  hashSeed: byDefault(integer(0), 0),
};

export type LSHSelfAttentionOptions = LayerOptions<typeof fields>;

/**
 * Reformer's self-attention with projections: each position reads those of its buckets.
 *
 *     head_h = lshAttention(x·Wqk_h, x·Wv_h),    output = [head_1; …; head_H]·Wo
 *
 * Symbols: Wqk `query_key/kernel`, which serves queries and keys; Wv and Wo as `LinearAttention`'s.
 * Shapes: x [B, T, C] → [B, T, C]; kernels [C, H, D], [C, H, Dv], [H, Dv, C].
 * Conventions: the mask may hide the last positions of an example, which get 0 from every head.
 * Cost: that of `lshAttention`. Paper: Kitaev, Kaiser & Levskaya 2020, §2, arxiv.org/abs/2001.04451.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT, LAST_HIDDEN, BUCKETS · ShapeError SIZE
 * @example
 * const layer = new LSHSelfAttention({ numHeads: 2, keyDim: 3, buckets: 2 });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class LSHSelfAttention extends MechanismLayer<typeof fields> {
  static readonly className = "LSHSelfAttention";
  static readonly inputs = selfInputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): HeadWeights {
    const { keyDim: D, valueDim: Dv = D } = this.config;
    return {
      ...projection("query_key", C!, D, this.config),
      ...projection("value", C!, Dv, this.config),
      ...outputProjection(C!, this.config),
    };
  }

  protected override compute(inputs: tf.Tensor[], call: LayerCall): tf.Tensor {
    const weight = (name: string) => this.weightIf(name);
    const { query: x, valueMask } = present(this.op, inputs, call);
    const { buckets, rounds, chunkSize, useCausalMask: causal, hashSeed: seed } = this.config;
    const { output } = lshAttention(split(x, "query_key", weight), split(x, "value", weight), {
      ...{ buckets, rounds, chunkSize, causal, seed, lengths: lengthsOf(this.op, valueMask) },
    });
    return join(output, weight);
  }
}
