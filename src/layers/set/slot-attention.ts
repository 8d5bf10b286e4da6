import * as tf from "@tensorflow/tfjs-core";
import { slotAttention } from "../../attention/set/index.ts";
import { RandomStream } from "../../core/random.ts";
import {
  boolMask,
  byDefault,
  integer,
  type LayerCall,
  type LayerOptions,
  required,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { kernelAndBias } from "../base/weights.ts";
import { type Attended, AttendingLayer, returnAttention } from "../feature/attending.ts";
import { layerFields } from "../feature/fields.ts";

const fields = {
  /** T */
  slots: required(integer(1)),
  /** C, the width of a slot. */
  slotDim: required(integer(1)),
  /** F, between the maps of a slot. */
  intermediateDim: required(integer(1)),
  /** How often the slots read. @default 3 */
  iterations: byDefault(integer(1), 3),
  ...returnAttention,
  ...layerFields,
};

export type SlotAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Slot attention: slots compete for the elements of a set, until each holds a part of it.
 *
 *     slots = mean + exp(logDeviation) ⊙ noise, and `iterations` times: slots read the set, GRU, feed-forward
 *
 * Symbols: mean and logDeviation learned, the weights `slot_mean` and `slot_log_deviation`; noise drawn.
 * Shapes: x [B, S, Cx] → [B, slots, slotDim], weights [B, slots, S]. Conventions: as `slotAttention`. The noise is another one
 * at each step of training and the same for every call outside it; give a `seed`, so that it is the same again once saved and
 * loaded. The mask of x hides elements, and the output has none. Cost: that of `slotAttention`.
 * Paper: Locatello et al. 2020, arxiv.org/abs/2006.15055.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new SlotAttention({ slots: 3, slotDim: 4, intermediateDim: 8, seed: 1 });
 * layer.apply(values).shape; // [2, 3, 4]
 */
export class SlotAttention extends AttendingLayer<typeof fields> {
  static readonly className = "SlotAttention";
  static readonly inputs = [{ name: "x", letters: "[B, S, Cx]" }];
  static readonly fields: typeof fields = fields;

  protected override parameters({ Cx }: Sizes): WeightTable<typeof fields> {
    const { slotDim: C, intermediateDim: F } = this.config;
    const norm = (name: string, width: number) => ({
      [`${name}/gamma`]: { shape: [width], initializer: "ones" },
      [`${name}/beta`]: { shape: [width], initializer: "zeros" },
    });
    return {
      slot_mean: { shape: [C], kind: "kernel", matrix: [1, C] },
      slot_log_deviation: { shape: [C], initializer: "zeros" },
      ...norm("input_norm", Cx!),
      ...norm("slot_norm", C),
      "query/kernel": { shape: [C, C], kind: "kernel" },
      "key/kernel": { shape: [Cx!, C], kind: "kernel" },
      "value/kernel": { shape: [Cx!, C], kind: "kernel" },
      ...kernelAndBias("gru/input", [C, 3 * C], true),
      ...kernelAndBias("gru/hidden", [C, 3 * C], true),
      ...norm("feedforward_norm", C),
      ...kernelAndBias("intermediate", [C, F], true),
      ...kernelAndBias("output", [F, C], true),
    };
  }

  protected override outputShapeOf([x]: readonly Shape[]): Shape {
    return [x![0]!, this.config.slots, this.config.slotDim];
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    return [[x![0]!, this.config.slots, x![1]!]];
  }

  protected override outputMask(): undefined {
    return undefined;
  }

  protected override attend([given]: tf.Tensor[], { masks, seed }: LayerCall, weights: boolean): Attended {
    const x = given as tf.Tensor3D;
    const { slots: T, slotDim: C, iterations } = this.config;
    const allow = boolMask(this.op, "the mask of x [B, S, Cx]", masks[0], x.shape.slice(0, 2));
    const B = x.shape[0];
    const noise = tf.tensor3d(new RandomStream(seed).fillNormal(new Float32Array(B * T * C)), [B, T, C]);
    const first = tf.add(this.weight("slot_mean"), tf.mul(noise, tf.exp(this.weight("slot_log_deviation"))));
    const norm = (name: string) => ({
      gamma: this.weight<tf.Tensor1D>(`${name}/gamma`),
      beta: this.weight<tf.Tensor1D>(`${name}/beta`),
    });
    const [kernel, bias] = [
      (name: string) => this.weight<tf.Tensor2D>(`${name}/kernel`),
      (name: string) => this.weight<tf.Tensor1D>(`${name}/bias`),
    ];
    const parameters = {
      ...{ inputNorm: norm("input_norm"), slotNorm: norm("slot_norm") },
      ...{ wq: kernel("query"), wk: kernel("key"), wv: kernel("value") },
      gru: {
        ...{ input: kernel("gru/input"), inputBias: bias("gru/input") },
        ...{ hidden: kernel("gru/hidden"), hiddenBias: bias("gru/hidden") },
      },
      feedForwardNorm: norm("feedforward_norm"),
      feedForward: {
        ...{ w1: kernel("intermediate"), b1: bias("intermediate") },
        ...{ w2: kernel("output"), b2: bias("output") },
      },
    };
    return slotAttention(x, first as tf.Tensor3D, parameters, {
      iterations,
      weights,
      ...(allow && { allow }),
    });
  }
}
