import * as tf from "@tensorflow/tfjs-core";
import { type DecoderCache, transformerDecoderLayer } from "../../attention/transformer/index.ts";
import { tidy } from "../../ops/tidy.ts";
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
  /** Position t sees positions up to t. @default true */
  useCausalMask: byDefault(flag(), true),
};
const inputs = [
  { name: "x", letters: "[B, T, C]" },
  { name: "memory", letters: "[B, S, Cm]" },
];
const parts = [
  ...(["selfAttention", "selfNorm", "crossAttention", "crossNorm"] as const),
  ...(["feedForward", "feedForwardNorm"] as const),
];
const TITLES = { x: "the mask of x [B, T, C]", memory: "the mask of memory [B, S, Cm]" };

export type TransformerDecoderLayerOptions = LayerOptions<typeof fields>;

/** What one step of decoding starts from. */
export interface DecodeInputs {
  /** [B, T, C], the positions that follow those in the cache. */
  x: tf.Tensor3D;
  /** [B, S, Cm]; for the first step. */
  memory?: tf.Tensor3D;
  /** [B, S], 1 where the memory has something; for every step. @default everything */
  memoryMask?: tf.Tensor;
  /** What the step before returned. @default none: x begins the sequence */
  cache?: DecoderCache;
}

/**
 * One layer of a Transformer's decoder, with its weights.
 *
 *     y = norm(x + selfAttention(x)),  z = norm(y + crossAttention(y, memory)),  output = norm(z + feedForward(z))
 *
 * or with each norm before its sublayer (`normalizeFirst`).
 *
 * Symbols: as `transformerDecoderLayer`.
 * Shapes: [x [B, T, C], memory [B, S, Cm]] → [B, T, C]; with `returnAttentionScores` also the weights of
 * self-attention [B, H, T, T] and of cross-attention [B, H, T, S].
 * Conventions: PyTorch's `nn.TransformerDecoderLayer` under the names that `TransformerEncoderLayer` gives, causal unless
 * `useCausalMask` is false. `layer.setParameters(fromTorchDecoderLayer(state, numHeads))` takes over a trained one. The
 * masks of x and memory hide keys. `decode` goes on step by step, with the keys and values of earlier steps kept.
 * Cost: that of `transformerDecoderLayer`. Paper: Vaswani et al. 2017, §3.1, arxiv.org/abs/1706.03762.
 *
 * @throws OptionError UNKNOWN, OPTION, UNSUPPORTED, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new TransformerDecoderLayer({ numHeads: 2, intermediateDim: 8 });
 * const whole = layer.apply([queries, values]); // [B, T, C] at once, and then the first position alone:
 * const { output, cache } = layer.decode({ x: tf.slice(queries, [0, 0, 0], [2, 1, 4]), memory: values });
 * output.shape; // [2, 1, 4]
 */
export class TransformerDecoderLayer extends TransformerLayer<typeof fields> {
  static readonly className = "TransformerDecoderLayer";
  static readonly inputs = inputs;
  static readonly fields: typeof fields = fields;
  static readonly callOptions = ["useCausalMask", "returnAttentionScores"];
  protected override readonly parts = parts;

  protected override parameters({ C, Cm }: Sizes): WeightTable<typeof fields> {
    return blockWeights(this.op, parts, this.config, { C: C!, Cm: Cm! });
  }

  protected override shapeOf([x, memory]: readonly Shape[]): Shape | Shape[] {
    const { numHeads: H, returnAttentionScores } = this.config;
    const [B, T] = x!;
    return returnAttentionScores ? [x!, [B!, H, T!, T!], [B!, H, T!, memory![1]!]] : x!;
  }

  protected override compute([x, memory]: tf.Tensor[], call: LayerCall): tf.Tensor | tf.Tensor[] {
    const { useCausalMask, returnAttentionScores } = { ...this.config, ...call.kwargs };
    const [own, theirs] = call.masks;
    const sizes = [x!, memory!].map(({ shape }) => [shape[0]!, shape[1]!] as const);
    const given = {
      x: present(this.op, TITLES.x, x as tf.Tensor3D, own),
      memory: present(this.op, TITLES.memory, memory as tf.Tensor3D, theirs),
    };
    const { output, weights } = transformerDecoderLayer(given, this.readParameters(), {
      ...this.blockOptions(call),
      causal: useCausalMask,
      mask: blockMask(this.op, { title: TITLES.x, mask: own, size: sizes[0]! }),
      memoryMask: blockMask(this.op, { title: TITLES.memory, mask: theirs, size: sizes[1]! }),
      weights: returnAttentionScores,
    });
    return returnAttentionScores ? [output, weights!.self, weights!.cross] : output;
  }

  /**
   * The next positions, after those in the cache: what the whole sequence at once would give there. Without dropout.
   *
   * @returns output [B, T, C], and the cache for the next step; dispose the old one and the new one when done
   * @throws ShapeError SHAPE without memory and cache · OptionError NOT_READY for a cache of another layer's
   */
  decode({ x, memory, memoryMask, cache }: DecodeInputs): { output: tf.Tensor3D; cache: DecoderCache } {
    if (!this.built && memory) tf.dispose(this.apply([x, memory]) as tf.Tensor);
    if (!this.built && cache) throw this.unbuilt();
    return tidy(() => {
      const S = memory?.shape[1] ?? cache?.cross.keys.shape[1] ?? 0;
      const size = [x.shape[0], S] as const;
      return transformerDecoderLayer({ x, memory, cache }, this.readParameters(), {
        ...this.blockOptions({ training: false, seed: 0 }),
        memoryMask: blockMask(this.op, { title: TITLES.memory, mask: memoryMask, size }),
        causal: this.config.useCausalMask,
        cache: true,
      }) as { output: tf.Tensor3D; cache: DecoderCache };
    });
  }
}
