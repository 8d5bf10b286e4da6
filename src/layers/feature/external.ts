import type * as tf from "@tensorflow/tfjs-core";
import { externalAttention } from "../../attention/feature/index.ts";
import {
  byDefault,
  integer,
  type LayerOptions,
  optional,
  type Shape,
  type Sizes,
  type WeightTable,
  weightFields,
} from "../base/index.ts";
import { kernelAndBias } from "../base/weights.ts";
import { type Attended, AttendingLayer, FEATURES, positions, returnAttention } from "./attending.ts";
import { layerFields, useBias } from "./fields.ts";

const fields = {
  /** Rows of each memory, S. @default 64 */
  slots: byDefault(integer(1), 64),
  /** Width of queries and memories. @default the channels */
  units: optional(integer(1)),
  /** Channels of the output. @default the channels */
  filters: optional(integer(1)),
  useBias,
  ...layerFields,
  ...returnAttention,
  ...weightFields("memory", "glorotUniform"),
};

export type ExternalAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * External attention: positions read two small memories that all examples share, in place of one another.
 *
 *     a = softmax_j(s_ij − lse_i s_ij),    s = x W_q M_kᵀ,    output = a M_v W_o + b_o
 *
 * Symbols: W_q `query/kernel`, M_k `memory/keys`, M_v `memory/values`, W_o, b_o `output/kernel`, `output/bias`.
 * Shapes: x [B, …, C] → [B, …, filters]; memories [S, D], D = `units`.
 * Conventions: as `externalAttention`. Masks of sequences are passed on and hide nothing here.
 * Cost: as `externalAttention`'s. Paper: Guo et al. 2021, §3.2, arxiv.org/abs/2105.02358.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const block = new ExternalAttention({ slots: 16 });
 * block.apply(tf.ones([2, 5, 5, 8])).shape; // [2, 5, 5, 8]
 */
export class ExternalAttention extends AttendingLayer<typeof fields> {
  static readonly className = "ExternalAttention";
  static readonly inputs = FEATURES;
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { slots: S, units: D = C!, filters: O = C!, useBias: biased } = this.config;
    return {
      "query/kernel": { shape: [C!, D], kind: "kernel" },
      "memory/keys": { shape: [S, D], kind: "memory" },
      "memory/values": { shape: [S, D], kind: "memory" },
      ...kernelAndBias("output", [D, O], biased),
    };
  }

  protected override outputShapeOf([x]: readonly Shape[]): Shape {
    return [...x!.slice(0, -1), this.config.filters ?? x!.at(-1)!];
  }

  protected override attentionShapes([x]: readonly Shape[]): Shape[] {
    return [[x![0]!, positions(x!), this.config.slots]];
  }

  protected override attend([x]: tf.Tensor[]): Attended {
    return externalAttention(x!, {
      wq: this.weight("query/kernel"),
      mk: this.weight("memory/keys"),
      mv: this.weight("memory/values"),
      wo: this.weight("output/kernel"),
      bo: this.weightIf("output/bias"),
    });
  }
}
