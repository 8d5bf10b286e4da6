import type * as tf from "@tensorflow/tfjs-core";
import { attentionPooling } from "../../attention/sequence/attention-pooling.ts";
import {
  boolMask,
  dropout,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  type Shape,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
} from "../base/index.ts";

const fields = {
  ...dropout,
  ...weightFields("query", "zeros"),
  seed: seed(),
};

export type AttentionPoolingLayerOptions = LayerOptions<typeof fields>;

/**
 * Attention pooling: a sequence becomes one vector, the mean of its positions weighted by a learned query.
 *
 *     output = Σ_s softmax_s(x_s·query/√C) x_s
 *
 * Symbols: query the weight `query`, which starts at 0: the mean. Shapes: x [B, S, C] → [B, C].
 * Conventions: the mask of x hides positions, and the output has none; an example that sees none gives 0. Where stock
 * layers would take `globalAveragePooling1d`, this learns what to look for.
 * Cost: O(B·S·C), one kernel on the `heed` backend. Papers: Lin et al. 2017, §2.1, arxiv.org/abs/1703.03130; Yang et
 * al. 2016, §2.2, aclanthology.org/N16-1174.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * new AttentionPooling().apply(tf.tensor3d([[[1, 2], [3, 6]]])); // [[2, 4]]
 */
export class AttentionPooling extends MechanismLayer<typeof fields> {
  static readonly className = "AttentionPooling";
  static readonly inputs = [{ name: "x", letters: "[B, S, C]" }];
  static readonly fields: typeof fields = fields;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    return { query: { shape: [C!], kind: "query" } };
  }

  protected override shapeOf([x]: readonly Shape[]): Shape {
    return [x![0]!, x![2]!];
  }

  protected override outputMask(): undefined {
    return undefined;
  }

  protected override compute([given]: tf.Tensor[], { masks, training, seed: own }: LayerCall): tf.Tensor {
    const x = given as tf.Tensor3D;
    const allow = boolMask(this.op, "the mask of x [B, S, C]", masks[0], x.shape.slice(0, 2));
    const dropout = { rate: this.config.dropout, seed: own };
    return attentionPooling(
      x,
      { query: this.weight("query") },
      { ...(allow && { allow }), dropout, training },
    ).output;
  }
}
