import * as tf from "@tensorflow/tfjs-core";
import { rope } from "../../attention/position/rope.ts";
import {
  type MultiHeadLatentParameters,
  multiHeadLatentAttention,
} from "../../attention/sequence/multi-head-latent.ts";
import { headWeights, outputWeights } from "../base/heads.ts";
import {
  boolMask,
  byDefault,
  causalMask,
  dropout,
  even,
  flag,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  optional,
  required,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
  zeroHidden,
} from "../base/index.ts";

const fields = {
  /** H */
  numHeads: required(integer(1)),
  /** D, the width of one head's queries and keys, without positions. */
  keyDim: required(integer(1)),
  /** Dv, the width of one head's values. @default keyDim */
  valueDim: optional(integer(1)),
  /** R, the width of the latents that keys and values are made of. */
  latentDim: required(integer(1)),
  /** Rq, the width of the latents of queries. @default none: queries are made of the inputs */
  queryLatentDim: optional(integer(1)),
  /** Dr, the width of the keys and queries that carry positions; even. @default none */
  ropeDim: optional(even()),
  /** RMS norms of the latents. @default true */
  useNorm: byDefault(flag(), true),
  /** Attends on the latents, without making keys and values of them: best for few queries. @default false */
  absorbed: byDefault(flag(), false),
  ...causalMask,
  ...dropout,
  ...weightFields("kernel", "glorotUniform"),
  seed: seed(),
};

export type MultiHeadLatentAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Multi-head latent attention: keys and values of all heads are made of one short vector a position.
 *
 *     c = norm(x·Wdkv),    k_h = [c·Wuk_h; R(x·Wkr)],    v_h = c·Wuv_h,    q_h = [c′·Wuq_h; R(c′·Wqr_h)]
 *     output = [softmax(q_h·k_hᵀ/√(D + Dr))·v_h]_h·Wo
 *
 * Symbols: Wdkv `latent/kernel`, Wuk `key/kernel`, Wuv `value/kernel`, Wuq `query/kernel`, c′ =
 * norm(x·`query_latent/kernel`) or x, Wkr `key_position/kernel`, Wqr `query_position/kernel`, Wo
 * `attention_output/kernel`; R the rotation of `rope`.
 * Shapes: x [B, T, C] → [B, T, C]. Conventions: there are no biases, as in the paper. The mask of x hides positions,
 * which get 0 from every head, hence 0. One latent serves all heads: there is nothing to share (`numKeyValueHeads`). The
 * cache of a decoder is the operation's: `multiHeadLatentAttention`.
 * Cost: that of `multiHeadLatentAttention`. Paper: DeepSeek-AI 2024, §2.1, arxiv.org/abs/2405.04434.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const options = { numHeads: 2, keyDim: 3, latentDim: 2, ropeDim: 4, useCausalMask: true };
 * new MultiHeadLatentAttention(options).apply(queries).shape; // [2, 3, 4]
 */
export class MultiHeadLatentAttention extends MechanismLayer<typeof fields> {
  static readonly className = "MultiHeadLatentAttention";
  static readonly inputs = [{ name: "x", letters: "[B, T, C]" }];
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const {
      numHeads: H,
      keyDim: D,
      valueDim: Dv = D,
      latentDim: R,
      queryLatentDim,
      ropeDim,
      useNorm,
    } = this.config;
    const Rq = queryLatentDim ?? C!;
    const gamma = (n: number | undefined) =>
      useNorm && n !== undefined && { shape: [n], initializer: "ones" };
    return {
      "latent/kernel": { shape: [C!, R], kind: "kernel" },
      "latent_norm/gamma": gamma(R),
      ...headWeights("key", [R, H, D], false),
      ...headWeights("value", [R, H, Dv], false),
      "query_latent/kernel": queryLatentDim !== undefined && { shape: [C!, Rq], kind: "kernel" },
      "query_latent_norm/gamma": gamma(queryLatentDim),
      ...headWeights("query", [Rq, H, D], false),
      ...(ropeDim !== undefined && {
        "key_position/kernel": { shape: [C!, ropeDim], kind: "kernel" },
        ...headWeights("query_position", [Rq, H, ropeDim], false),
      }),
      ...outputWeights([H, Dv, C!], false),
    };
  }

  protected override compute([given]: tf.Tensor[], { masks, training, seed: own }: LayerCall): tf.Tensor {
    const x = given as tf.Tensor3D;
    const mask = boolMask(this.op, "the mask of x [B, T, C]", masks[0], x.shape.slice(0, 2));
    const { useCausalMask, dropout, absorbed, ropeDim } = this.config;
    const parameters: MultiHeadLatentParameters = {
      wdkv: this.weight("latent/kernel"),
      gammaKv: this.weightIf("latent_norm/gamma"),
      wuk: this.weight("key/kernel"),
      wuv: this.weight("value/kernel"),
      wdq: this.weightIf("query_latent/kernel"),
      gammaQ: this.weightIf("query_latent_norm/gamma"),
      wuq: this.weight("query/kernel"),
      wkr: this.weightIf("key_position/kernel"),
      wqr: this.weightIf("query_position/kernel"),
      wo: this.weight("attention_output/kernel"),
    };
    const { output } = multiHeadLatentAttention(zeroHidden(x, mask), parameters, {
      ...(ropeDim && { rotate: (heads, start) => rope(heads, { layout: "bthd", offset: start }) }),
      ...(mask && { allow: tf.reshape(mask, [mask.shape[0]!, 1, 1, mask.shape[1]!]) }),
      ...(useCausalMask && { causal: true }),
      dropout: { rate: dropout, seed: own },
      training,
      absorbed,
    });
    return zeroHidden(output, mask);
  }
}
