import type * as tf from "@tensorflow/tfjs-core";
import { transformerEncoderLayer } from "../../attention/transformer/index.ts";
import {
  byDefault,
  flag,
  type LayerCall,
  type LayerOptions,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { blockWeights, transformerFields } from "./parameters.ts";
import { blockMask, present, TransformerLayer } from "./transformer-layer.ts";

const fields = {
  ...transformerFields,
  /** Position t sees positions up to t. @default false */
  useCausalMask: byDefault(flag(), false),
};
const inputs = [
  { name: "x", letters: "[B, T, C]" },
  { name: "attentionMask", letters: "[B, T, T]", optional: true },
];
const parts = ["selfAttention", "selfNorm", "feedForward", "feedForwardNorm"] as const;

export type TransformerEncoderLayerOptions = LayerOptions<typeof fields>;

/**
 * One layer of a Transformer's encoder, with its weights.
 *
 *     y = norm(x + selfAttention(x)),    output = norm(y + feedForward(y))
 *
 * or with each norm before its sublayer (`normalizeFirst`).
 *
 * Symbols: as `transformerEncoderLayer`.
 * Shapes: x [B, T, C], attentionMask [B, T, T]? → [B, T, C], weights [B, H, T, T].
 * Conventions: PyTorch's `nn.TransformerEncoderLayer` under the names of Keras: nhead is `numHeads`, dim_feedforward
 * `intermediateDim`, norm_first `normalizeFirst`, layer_norm_eps `layerNormEpsilon`; d_model is the width of x, and
 * PyTorch's default of dropout, 0.1, is 0 here. `layer.setParameters(fromTorchEncoderLayer(state, numHeads))` takes over
 * a trained one. The mask of x hides its keys, and so does `attentionMask`, 1 = attend. What stands where a mask says
 * nothing is reaches no output but its own, and no gradient.
 * Cost: that of `transformerEncoderLayer`. Paper: Vaswani et al. 2017, §3.1, arxiv.org/abs/1706.03762.
 *
 * @throws OptionError UNKNOWN, OPTION, UNSUPPORTED, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new TransformerEncoderLayer({ numHeads: 2, intermediateDim: 8, dropout: 0.1 });
 * layer.apply(queries).shape; // [2, 3, 4]
 */
export class TransformerEncoderLayer extends TransformerLayer<typeof fields> {
  static readonly className = "TransformerEncoderLayer";
  static readonly inputs = inputs;
  static readonly fields: typeof fields = fields;
  static readonly callOptions = ["useCausalMask", "returnAttentionScores", "attentionMask"];
  protected override readonly parts = parts;

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    return blockWeights(this.op, parts, this.config, { C: C!, Cm: C! });
  }

  protected override shapeOf([x]: readonly Shape[]): Shape | Shape[] {
    const [B, T] = x!;
    return this.config.returnAttentionScores ? [x!, [B!, this.config.numHeads, T!, T!]] : x!;
  }

  protected override compute([x, pairs]: tf.Tensor[], call: LayerCall): tf.Tensor | tf.Tensor[] {
    const { useCausalMask, returnAttentionScores } = { ...this.config, ...call.kwargs };
    const [B, T] = x!.shape as [number, number];
    const title = "the mask of x [B, T, C]";
    const attentionMask = (call.kwargs.attentionMask as tf.Tensor | undefined) ?? pairs;
    const mask = {
      ...blockMask(
        this.op,
        { title, mask: call.masks[0], size: [B, T] },
        { title: "attentionMask [B, T, T]", mask: attentionMask, size: [B, T, T] },
      ),
      ...(useCausalMask && { causal: true }),
    };
    const given = present(this.op, title, x as tf.Tensor3D, call.masks[0]);
    const options = { ...this.blockOptions(call), mask, weights: returnAttentionScores };
    const { output, weights } = transformerEncoderLayer(given, this.readParameters(), options);
    return returnAttentionScores ? [output, weights!] : output;
  }
}
