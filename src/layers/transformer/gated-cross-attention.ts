import type * as tf from "@tensorflow/tfjs-core";
import {
  type GatedCrossAttentionParameters,
  gatedCrossAttention,
} from "../../attention/transformer/index.ts";
import {
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import { blockWeights, plainBlockFields, readParameters } from "./parameters.ts";
import { blockMask, present } from "./transformer-layer.ts";

const { normalizeFirst: _, zeroResiduals: __, ...fields } = plainBlockFields;
const parts = ["crossAttention", "crossNorm", "feedForward", "feedForwardNorm"] as const;
const GATES = ["attention_gate", "feedforward_gate"] as const;

export type GatedCrossAttentionLayerOptions = LayerOptions<typeof fields>;

/**
 * Gated cross-attention: a trained model reads a second kind of input, as far as two gates let it.
 *
 *     y = x + tanh(α)·crossAttention(norm(x), memory),    output = y + tanh(β)·feedForward(norm(y))
 *
 * Symbols: α `attention_gate` and β `feedforward_gate`, numbers that begin at 0. Shapes: x [B, T, C], memory [B, S, Cm] → as x.
 * Conventions: as `gatedCrossAttention`: it begins as the identity, bit for bit, so that it can be put between the layers of a
 * trained model. The mask of the memory hides its positions; that of x goes on, and nothing that stands where it hides x
 * reaches a gradient. Cost: that of `gatedCrossAttention`. Paper: Alayrac et al. 2022 (Flamingo), arxiv.org/abs/2204.14198.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new GatedCrossAttention({ numHeads: 2, intermediateDim: 8 });
 * tf.max(tf.abs(tf.sub(layer.apply([queries, values]), queries))); // 0
 */
export class GatedCrossAttention extends MechanismLayer<typeof fields> {
  static readonly className = "GatedCrossAttention";
  static readonly inputs = [
    { name: "x", letters: "[B, T, C]" },
    { name: "memory", letters: "[B, S, Cm]" },
  ];
  static readonly fields: typeof fields = fields;

  protected override parameters({ C, Cm }: Sizes): WeightTable<typeof fields> {
    const gates = GATES.map((name) => [name, { shape: [], initializer: "zeros" }] as const);
    const block = blockWeights(this.op, parts, { ...this.config, zeroResiduals: false }, { C: C!, Cm: Cm! });
    return { ...block, ...Object.fromEntries(gates) } as WeightTable<typeof fields>;
  }

  protected override compute([x, memory]: tf.Tensor[], { masks }: LayerCall): tf.Tensor {
    const [given, read] = [x, memory] as [tf.Tensor3D, tf.Tensor3D];
    const size = read.shape.slice(0, 2) as [number, number];
    const mask = blockMask(this.op, { title: "the mask of memory [B, S, Cm]", mask: masks[1], size });
    const { crossAttention, crossNorm, ...feed } = readParameters(parts, (name) => this.weightIf(name));
    const [attentionGate, feedForwardGate] = GATES.map((name) => this.weight<tf.Scalar>(name));
    const parameters: GatedCrossAttentionParameters = {
      ...{ crossAttention, crossNorm, ...feed },
      ...{ attentionGate: attentionGate!, feedForwardGate: feedForwardGate! },
    };
    const { activation, layerNormEpsilon: epsilon } = this.config;
    const inputs = { x: present(this.op, "the mask of x [B, T, C]", given, masks[0]), memory: read };
    return gatedCrossAttention(inputs, parameters, { activation, epsilon, mask }).output;
  }
}
