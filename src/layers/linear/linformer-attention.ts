import type * as tf from "@tensorflow/tfjs-core";
import { linformerAttention } from "../../attention/linear/linformer.ts";
import {
  byDefault,
  CROSS,
  dropout,
  flag,
  HeadLayer,
  type Heads,
  headFields,
  integer,
  type LayerOptions,
  optional,
  required,
  type Sizes,
  sharedHeads,
  type WeightTable,
} from "../base/index.ts";

const fields = {
  ...headFields,
  ...sharedHeads,
  ...dropout,
  /** r, to how many the positions are mixed. */
  mixtures: required(integer(1)),
  /** The longest sequence of values there will be. @default that which the layer is built for */
  maxLength: optional(integer(1)),
  /** Mixes keys and values alike. @default false */
  shareMixtures: byDefault(flag(), false),
};

export type LinformerAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Linformer with projections: attention to r mixtures of the positions.
 *
 *     head_h = linformerAttention(query·Wq_h, value·Wk_h, value·Wv_h, E, F),    output = [head_1; …; head_H]·Wo
 *
 * Symbols: E `key_mixtures`, F `value_mixtures`, shared by the heads; the others as `LinearAttention`'s.
 * Shapes: [query [B, T, C], value [B, S, Cv]?] → [B, T, C]; mixtures [maxLength, r].
 * Conventions: one input attends to itself. Masks hide keys; queries that are not there get 0 from every head. Shorter
 * sequences take the first rows of E and F. No causal form: every mixture has all positions in it.
 * Cost: that of `linformerAttention`. Paper: Wang et al. 2020, §4, arxiv.org/abs/2006.04768.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new LinformerAttention({ numHeads: 2, keyDim: 3, mixtures: 2 });
 * layer.apply([queries, values]).shape; // [2, 3, 4]
 */
export class LinformerAttention extends HeadLayer<typeof fields> {
  static readonly className = "LinformerAttention";
  static readonly inputs = CROSS;
  static readonly fields: typeof fields = fields;

  protected override extras({ T, S = T }: Sizes): WeightTable<typeof fields> {
    const { mixtures: r, maxLength = S!, shareMixtures } = this.config;
    return {
      key_mixtures: { shape: [maxLength, r], kind: "kernel" },
      value_mixtures: !shareMixtures && { shape: [maxLength, r], kind: "kernel" },
    };
  }

  protected override attend({ q, k, v, keyAllow, dropping }: Heads): tf.Tensor4D {
    const mixtures = {
      e: this.weight<tf.Tensor2D>("key_mixtures"),
      f: this.weightIf<tf.Tensor2D>("value_mixtures"),
    };
    return linformerAttention(q, k, v, mixtures, { ...dropping, keyAllow }).output;
  }
}
