import * as tf from "@tensorflow/tfjs-core";
import { initializers } from "@tensorflow/tfjs-layers";
import { adaptiveSpan, spanPenalty } from "../../attention/adaptive/index.ts";
import { tidyData } from "../../ops/tidy.ts";
import {
  byDefault,
  causalMask,
  dropout,
  HeadLayer,
  type Heads,
  headFields,
  type LayerCall,
  type LayerOptions,
  nonNegative,
  positive,
  required,
  SELF,
  type Shape,
  sharedHeads,
  type WeightTable,
} from "../base/index.ts";

const fields = {
  ...headFields,
  ...sharedHeads,
  ...causalMask,
  ...dropout,
  /** The largest span of a head, in keys. */
  maxSpan: required(positive()),
  /** The span that every head begins with, in keys, up to maxSpan. @default 0 */
  initialSpan: byDefault(nonNegative(), 0),
  /** R, the keys over which the mask falls from 1 to 0. @default 32 */
  ramp: byDefault(positive(), 32),
  /** λ of the penalty λ/H Σ z_h, which joins the model's loss. @default 0 */
  spanPenalty: byDefault(nonNegative(), 0),
};

export type AdaptiveSpanAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Self-attention whose heads learn how far they look.
 *
 *     head_h = adaptiveSpan(x·Wq_h, x·Wk_h, x·Wv_h; z_h),    output = [head_1; …; head_H]·Wo,    z = maxSpan · span
 *
 * Symbols: z_h the span of a head, and `span` its share of maxSpan, a weight from 0 to 1; the projections as in
 * `MultiHeadAttention`. Shapes: x [B, T, C] → [B, T, C]; `span` [H].
 * Conventions: as `adaptiveSpan`. In training the spans are clipped to 0 … maxSpan at every step, as in the paper. The
 * penalty joins the losses of the model that holds the layer. The mask hides positions; what is hidden gets 0
 * from every head.
 * Cost: that of `adaptiveSpan` with `maxSpan`. Paper: Sukhbaatar, Grave, Bojanowski & Joulin 2019, §2.2,
 * arxiv.org/abs/1905.07799.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new AdaptiveSpanAttention({ numHeads: 2, keyDim: 3, maxSpan: 8, ramp: 4, useCausalMask: true });
 * layer.apply(queries).shape; // [2, 3, 4]
 * layer.spans(); // [0, 0]
 */
export class AdaptiveSpanAttention extends HeadLayer<typeof fields> {
  static readonly className = "AdaptiveSpanAttention";
  static readonly inputs = SELF;
  static readonly fields: typeof fields = fields;

  protected override extras(): WeightTable<typeof fields> {
    const { numHeads: H, initialSpan, maxSpan } = this.config;
    const initializer = initializers.constant({ value: Math.min(1, initialSpan / maxSpan) });
    return { span: { shape: [H], initializer } };
  }

  override build(inputShape: Shape | Shape[]): void {
    super.build(inputShape);
    const { spanPenalty: weight } = this.config;
    if (weight > 0) this.addLoss(() => spanPenalty(this.#spans(), weight));
  }

  /** The span of each head, in keys, read from the device. */
  spans(): number[] {
    return tidyData(() => [...this.#spans().dataSync()]);
  }

  #spans(): tf.Tensor1D {
    return tf.mul(tf.clipByValue(this.weight<tf.Tensor1D>("span"), 0, 1), this.config.maxSpan);
  }

  protected override attend(heads: Heads, { training }: LayerCall): tf.Tensor4D {
    const { maxSpan, ramp } = this.config;
    if (training) {
      const span = this.weight<tf.Variable<tf.Rank.R1>>("span");
      span.assign(tf.clipByValue(span, 0, 1));
    }
    const options = { ...heads.options, ramp, maxSpan };
    return adaptiveSpan(heads.q, heads.k, heads.v, { z: this.#spans() }, options).output;
  }
}
