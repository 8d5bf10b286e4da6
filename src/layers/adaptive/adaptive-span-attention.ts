import * as tf from "@tensorflow/tfjs-core";
import { initializers } from "@tensorflow/tfjs-layers";
import { adaptiveSpan, spanPenalty } from "../../attention/adaptive/index.ts";
import {
  byDefault,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  number,
  rate,
  required,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { headFields, headWeights, splitHeads } from "./heads.ts";

const fields = {
  ...headFields,
  /** The largest span of a head, in keys. */
  maxSpan: required(number("a positive number", (given) => given > 0 && given < Infinity)),
  /** The span that every head begins with, in keys, up to maxSpan. @default 0 */
  initialSpan: byDefault(
    number("a number ≥ 0", (given) => given >= 0 && given < Infinity),
    0,
  ),
  /** R, the keys over which the mask falls from 1 to 0. @default 32 */
  ramp: byDefault(
    number("a positive number", (given) => given > 0 && given < Infinity),
    32,
  ),
  /** λ of the penalty λ/H Σ z_h, which joins the model's loss. @default 0 */
  spanPenalty: byDefault(
    number("a number ≥ 0", (given) => given >= 0 && given < Infinity),
    0,
  ),
  /** Share of weights dropped in training. @default 0 */
  dropout: byDefault(rate(), 0),
};
const inputs = [{ name: "query", letters: "[B, T, C]" }];

export type AdaptiveSpanAttentionOptions = LayerOptions<typeof fields>;

/**
 * Self-attention whose heads learn how far they look.
 *
 *     head_h = adaptiveSpan(x·Wq_h, x·Wk_h, x·Wv_h; z_h),    output = [head_1; …; head_H]·Wo,    z = maxSpan · span
 *
 * Symbols: z_h the span of a head, and `span` its share of maxSpan, a weight from 0 to 1; the projections as in
 * `MultiHeadAttention`. Shapes: x [B, T, C] → [B, T, C]; `span` [H].
 * Conventions: as `adaptiveSpan`. In training the spans are clipped to 0 … maxSpan at every step, as in the paper. The
 * penalty joins the losses of the model that holds the layer. The mask hides positions; what is hidden gives 0.
 * Cost: that of `adaptiveSpan` with `maxSpan`. Paper: Sukhbaatar, Grave, Bojanowski & Joulin 2019, §2.2,
 * arxiv.org/abs/1905.07799.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT · ShapeError SIZE
 * @example
 * const layer = new AdaptiveSpanAttention({ numHeads: 2, keyDim: 3, maxSpan: 8, ramp: 4, useCausalMask: true });
 * layer.apply(queries).shape; // [2, 3, 4]
 * layer.spans(); // [0, 0]
 */
export class AdaptiveSpanAttention extends MechanismLayer<typeof fields> {
  static readonly className = "AdaptiveSpanAttention";
  static readonly inputs = inputs;
  static readonly fields: typeof fields = fields;

  protected override parameters(sizes: Sizes): WeightTable<typeof fields> {
    const { numHeads: H, initialSpan, maxSpan } = this.config;
    const initializer = initializers.constant({ value: Math.min(1, initialSpan / maxSpan) });
    return { ...headWeights(this.config, sizes), span: { shape: [H], initializer } };
  }

  override build(inputShape: Shape | Shape[]): void {
    super.build(inputShape);
    const { spanPenalty: weight } = this.config;
    if (weight > 0) this.addLoss(() => spanPenalty(this.#spans(), weight));
  }

  /** The span of each head, in keys, read from the device. */
  spans(): number[] {
    return [...tf.tidy(() => this.#spans().dataSync())];
  }

  #spans(): tf.Tensor1D {
    return tf.mul(tf.clipByValue(this.weight<tf.Tensor1D>("span"), 0, 1), this.config.maxSpan);
  }

  protected override compute(given: tf.Tensor[], { masks, training, seed }: LayerCall): tf.Tensor {
    const { maxSpan, ramp, dropout, useCausalMask } = this.config;
    if (training) {
      const span = this.weight<tf.Variable<tf.Rank.R1>>("span");
      span.assign(tf.clipByValue(span, 0, 1));
    }
    const { q, k, v, allow, join } = splitHeads(this.op, (name) => this.weightIf(name), given, masks);
    const { output } = adaptiveSpan(
      q,
      k,
      v,
      { z: this.#spans() },
      {
        ...{ ramp, maxSpan, training, dropout: { rate: dropout, seed } },
        ...(allow && { allow }),
        ...(useCausalMask && { causal: true }),
      },
    );
    return join(output);
  }
}
