import type * as tf from "@tensorflow/tfjs-core";
import {
  type MultiHeadPoolingParameters,
  multiHeadPooling,
} from "../../attention/sequence/multi-head-pooling.ts";
import { checkSharing, headWeights, outputWeights } from "../base/heads.ts";
import {
  boolMask,
  byDefault,
  dropout,
  headFields,
  integer,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  optional,
  type Shape,
  type Sizes,
  sharedHeads,
  type WeightTable,
} from "../base/index.ts";
import { ATTENTION_WEIGHTS, readWeights } from "./attention-weights.ts";

const fields = {
  /** T, the number of vectors that come out. */
  seeds: byDefault(integer(1), 1),
  ...headFields,
  ...sharedHeads,
  ...dropout,
  /** The width of the seeds and of what comes out. @default that of the input */
  outputDim: optional(integer(1)),
};

export type MultiHeadPoolingLayerOptions = LayerOptions<typeof fields>;

/**
 * Pooling by multi-head attention: a set of any size becomes `seeds` vectors, read by as many learned queries.
 *
 *     output = multiHeadAttention(S, x, x)
 *
 * Symbols: S the weight `seeds`; projections `query`, `key`, `value` and `attention_output`.
 * Shapes: x [B, S, C] → [B, seeds, outputDim]. Conventions: the mask of x hides positions, and the output has none; an
 * example that sees none gives the bias. It is the attention of Set Transformer's PMA, without its residuals and norms.
 * Cost: that of `multiHeadPooling`. Paper: Lee et al. 2018, §3.2, arxiv.org/abs/1810.00825.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * new MultiHeadPooling({ seeds: 2, numHeads: 3, keyDim: 4 }).apply(values).shape; // [2, 2, 7]
 */
export class MultiHeadPooling extends MechanismLayer<typeof fields> {
  static readonly className = "MultiHeadPooling";
  static readonly inputs = [{ name: "x", letters: "[B, S, C]" }];
  static readonly fields: typeof fields = fields;

  protected override check(): void {
    checkSharing(this.op, this.config.numHeads, this.config.numKeyValueHeads);
  }

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { seeds: T, numHeads: H, numKeyValueHeads: Hkv = H, useBias } = this.config;
    const { keyDim: D, valueDim: Dv = D, outputDim = C! } = this.config;
    return {
      seeds: { shape: [T, outputDim], kind: "kernel" },
      ...headWeights("query", [outputDim, H, D], useBias),
      ...headWeights("key", [C!, Hkv, D], useBias),
      ...headWeights("value", [C!, Hkv, Dv], useBias),
      ...outputWeights([H, Dv, outputDim], useBias),
    };
  }

  protected override shapeOf([x]: readonly Shape[]): Shape {
    return [x![0]!, this.config.seeds, this.config.outputDim ?? x![2]!];
  }

  protected override outputMask(): undefined {
    return undefined;
  }

  protected override compute([given]: tf.Tensor[], { masks, training, seed: own }: LayerCall): tf.Tensor {
    const x = given as tf.Tensor3D;
    const allow = boolMask(this.op, "the mask of x [B, S, C]", masks[0], x.shape.slice(0, 2));
    const names = { seeds: "seeds", ...ATTENTION_WEIGHTS };
    const parameters = readWeights<MultiHeadPoolingParameters>((name) => this.weightIf(name), names);
    const dropout = { rate: this.config.dropout, seed: own };
    return multiHeadPooling(x, parameters, { ...(allow && { allow }), dropout, training }).output;
  }
}
