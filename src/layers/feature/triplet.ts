import type * as tf from "@tensorflow/tfjs-core";
import { tripletAttention } from "../../attention/feature/index.ts";
import {
  byDefault,
  type LayerCall,
  type LayerOptions,
  odd,
  type Shape,
  type WeightTable,
} from "../base/index.ts";
import { kernelAndBias } from "../base/weights.ts";
import { type Attended, IMAGE, returnAttention } from "./attending.ts";
import { NormalizingLayer, normFields } from "./batch-norm.ts";
import { layerFields, useBias } from "./fields.ts";

const fields = {
  /** Height and width of the three filters; odd. @default 7 */
  kernelSize: byDefault(odd(), 7),
  useBias,
  ...normFields,
  ...layerFields,
  ...returnAttention,
};
const MAPS = ["hw", "hc", "wc"] as const;

export type TripletAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Triplet attention: three maps, one for each pair of rows, columns and channels, each seeing the third pooled.
 *
 *     output = x ⊙ (m_hw + m_hc + m_wc)/3,    m = σ(norm(f([mean ; max])))
 *
 * Symbols: f `hw/kernel`, `hc/kernel`, `wc/kernel`, with `norm`, or without `normalize` a `bias`.
 * Shapes: x [B, H, W, C] → as x; kernels [k, k, 2, 1].
 * Conventions: as `tripletAttention`; normalised by batch in training, by moving averages otherwise.
 * Cost: as `tripletAttention`'s. Paper: Misra et al. 2021, §3.2, arxiv.org/abs/2010.03045.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const block = new TripletAttention({ kernelSize: 3 });
 * block.apply(tf.ones([2, 5, 3, 8])).shape; // [2, 5, 3, 8]
 */
export class TripletAttention extends NormalizingLayer<typeof fields> {
  static readonly className = "TripletAttention";
  static readonly inputs = IMAGE;
  static readonly fields: typeof fields = fields;

  protected override parameters(): WeightTable<typeof fields> {
    const { kernelSize: k, useBias: biased, normalize } = this.config;
    const table: Record<string, WeightTable<typeof fields>[string]> = {};
    for (const map of MAPS) {
      Object.assign(table, kernelAndBias(map, [k, k, 2, 1], biased && !normalize));
      Object.assign(table, this.normWeights(`${map}/norm`, 1));
    }
    return table;
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    const [B, H, W, C] = x as [number, number, number, number];
    return [
      [B, H, W, 1],
      [B, H, 1, C],
      [B, 1, W, C],
    ];
  }

  protected override attend([x]: tf.Tensor[], call: LayerCall): Attended {
    const [hw, hc, wc] = MAPS.map((map) => ({
      w: this.weight<tf.Tensor4D>(`${map}/kernel`),
      b: this.weightIf<tf.Tensor1D>(`${map}/bias`),
      norm: this.norm(`${map}/norm`, call),
    }));
    return tripletAttention(x as tf.Tensor4D, { hw: hw!, hc: hc!, wc: wc! });
  }
}
