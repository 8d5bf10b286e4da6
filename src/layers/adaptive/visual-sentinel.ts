import * as tf from "@tensorflow/tfjs-core";
import { visualSentinel } from "../../attention/adaptive/index.ts";
import {
  boolMask,
  byDefault,
  dropout,
  flag,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  required,
  type Shape,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
  zeroHidden,
} from "../base/index.ts";

const fields = {
  /** Units of the hidden layer, A. */
  units: required(integer(1)),
  ...dropout,
  /** Returns [output, beta [B, T, 1]]. @default false */
  returnBeta: byDefault(flag(), false),
  ...weightFields("kernel", "glorotUniform"),
  seed: seed(),
};
const inputs = [
  { name: "state", letters: "[B, T, Cq]" },
  { name: "features", letters: "[B, S, C]" },
  { name: "sentinel", letters: "[B, T, C]" },
];

export type VisualSentinelLayerOptions = LayerOptions<typeof fields>;

/**
 * Attention that may look at the image or fall back on a sentinel, with its own weights.
 *
 *     ĉ_t = β_t s_t + (1 − β_t) Σ_s α_ts v_s,    α and β as in `visualSentinel`
 *
 * Symbols: W_v `features/kernel`, W_g `state/kernel`, W_s `sentinel/kernel`, w_h `scale`.
 * Shapes: [state [B, T, Cq], features [B, S, C], sentinel [B, T, C]] → [B, T, C] and, if you like, β [B, T, 1]; weights
 * [C, A], [Cq, A], [C, A], [A].
 * Conventions: the mask of the features hides them; where none is seen β is 1. That of the state makes rows of the
 * output and of β 0. Sentinels come from `SentinelGate`.
 * Cost: that of `visualSentinel`, in one kernel on the `heed` backend. Paper: Lu, Xiong, Parikh & Socher 2016, §2.3,
 * arxiv.org/abs/1612.01887.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new VisualSentinel({ units: 8, returnBeta: true });
 * const [context, beta] = layer.apply([queries, values, tf.zeros([2, 3, 7])]);
 * context.shape; // [2, 3, 7]
 * beta.shape; // [2, 3, 1]
 */
export class VisualSentinel extends MechanismLayer<typeof fields> {
  static readonly className = "VisualSentinel";
  static readonly inputs = inputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ Cq, C }: Sizes): WeightTable<typeof fields> {
    const A = this.config.units;
    return {
      "features/kernel": { shape: [C!, A], kind: "kernel" },
      "state/kernel": { shape: [Cq!, A], kind: "kernel" },
      "sentinel/kernel": { shape: [C!, A], kind: "kernel" },
      scale: { shape: [A], kind: "kernel", matrix: [A, 1] },
    };
  }

  protected override shapeOf([, , sentinel]: readonly Shape[]): Shape | Shape[] {
    return this.config.returnBeta ? [sentinel!, [...sentinel!.slice(0, 2), 1]] : sentinel!;
  }

  protected override compute(
    given: tf.Tensor[],
    { masks, training, seed }: LayerCall,
  ): tf.Tensor | tf.Tensor[] {
    const [h, v, s] = given as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const present = boolMask(this.op, "the mask of state [B, T, Cq]", masks[0], h.shape.slice(0, 2));
    const visible = boolMask(this.op, "the mask of features [B, S, C]", masks[1], v.shape.slice(0, 2));
    const parameters = {
      wv: this.weight<tf.Tensor2D>("features/kernel"),
      wg: this.weight<tf.Tensor2D>("state/kernel"),
      ws: this.weight<tf.Tensor2D>("sentinel/kernel"),
      wh: this.weight<tf.Tensor1D>("scale"),
    };
    const { output, beta } = visualSentinel(zeroHidden(h, present), v, zeroHidden(s, present), parameters, {
      ...(visible && { allow: tf.expandDims(visible, 1) }),
      training,
      dropout: { rate: this.config.dropout, seed },
    });
    const shown = zeroHidden(output, present);
    return this.config.returnBeta ? [shown, zeroHidden(beta, present)] : shown;
  }
}
