import * as tf from "@tensorflow/tfjs-core";
import { bigBirdMask } from "../../attention/sparse/big-bird.ts";
import type { BlockMask } from "../../attention/sparse/block-mask.ts";
import { blockSparseAttention } from "../../attention/sparse/block-sparse.ts";
import { fixedAttention } from "../../attention/sparse/fixed.ts";
import { stridedAttention } from "../../attention/sparse/strided.ts";
import { outputWeights } from "../base/heads.ts";
import {
  byDefault,
  choice,
  flag,
  integer,
  integers,
  type LayerCall,
  type LayerOptions,
  MechanismLayer,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";
import {
  type Heads,
  headsOf,
  headWeights,
  outputOf,
  selfFields,
  selfInputs,
  unpadded,
} from "./self-attention.ts";

const fields = {
  ...selfFields,
  /**
   * "strided" and "fixed" are the Sparse Transformer's, causal; "window" is BigBird's without global and random blocks.
   * @default "bigbird"
   */
  pattern: byDefault(choice("bigbird", "window", "strided", "fixed"), "bigbird"),
  /** Positions of a block, of "bigbird" and "window". @default 64 */
  blockSize: byDefault(integer(1), 64),
  /** Blocks that a block sees around itself, odd. @default 3 */
  windowBlocks: byDefault(integer(1), 3),
  /** Blocks that see and are seen by everything, of "bigbird"; negative ones from the end. @default [0, -1] */
  globalBlocks: byDefault(integers(), [0, -1]),
  /** Random blocks for each block, of "bigbird". @default 3 */
  numRandomBlocks: byDefault(integer(0), 3),
  /** Chooses the random blocks: part of the model, not of its initial weights. @default 0 */
  patternSeed: byDefault(integer(0), 0),
  /** Hides later keys, of "bigbird" and "window". @default false */
  causal: byDefault(flag(), false),
  /** l of "strided" and "fixed". @default 128 */
  stride: byDefault(integer(1), 128),
  /** c of "fixed": positions at each block's end that later blocks see. @default 1 */
  summary: byDefault(integer(1), 1),
};
const NAMES = { query: "H", key: "Hkv", value: "Hkv" } as const;

export type BlockSparseAttentionOptions = LayerOptions<typeof fields>;

/**
 * Self-attention under a sparse pattern, with its projections: BigBird's, a window of blocks, or the Sparse
 * Transformer's.
 *
 *     output = [head_1; …; head_H]·Wo,    head_h = attention(x·Wq_h, x·Wk_h, x·Wv_h) under the pattern
 *
 * Symbols: Wq `query/kernel`, Wk `key/kernel`, Wv `value/kernel`, Wo `attention_output/kernel`, each with a bias
 * unless `useBias` is false.
 * Shapes: x [B, T, C] → [B, T, C]; weights [C, H, D], [C, Hkv, D] and [H, D, C].
 * Conventions: exact, by `blockSparseAttention`, `stridedAttention` or `fixedAttention`; any T. The mask of x must be
 * of padding at the end; padded positions are seen by no one, and give the output's bias. No dropout.
 * Cost: that of the mechanism, O(T·block) or O(T√T) instead of O(T²).
 * Papers: Zaheer et al. 2020, §2, arxiv.org/abs/2007.14062; Child et al. 2019, §4.3, arxiv.org/abs/1904.10509.
 *
 * @throws OptionError LAYER_KEY, LAYER_OPTION, LAYER_WEIGHT, NUMBER_RANGE · ShapeError SIZE, HEADS
 * @example
 * const layer = new BlockSparseAttention({ numHeads: 2, keyDim: 3, pattern: "strided", stride: 2 });
 * layer.apply(values).shape; // [2, 5, 7]
 */
export class BlockSparseAttention extends MechanismLayer<typeof fields> {
  static readonly className = "BlockSparseAttention";
  static readonly inputs = selfInputs;
  static readonly fields: typeof fields = fields;
  /** Masks by length: a pattern is drawn once. */
  readonly #masks = new Map<number, BlockMask>();

  get #heads(): Heads {
    const { numHeads: H, numKeyValueHeads: Hkv = H, keyDim: D, useBias } = this.config;
    return { H, Hkv, D, useBias };
  }

  /** The pattern for T positions, whose `share` is what is computed of it; for "bigbird" and "window". */
  mask(T: number): BlockMask {
    const known = this.#masks.get(T);
    if (known) return known;
    const { pattern, blockSize: block, windowBlocks: window, causal, patternSeed: seed } = this.config;
    const isWindow = pattern === "window";
    const random = isWindow ? 0 : this.config.numRandomBlocks;
    const global = isWindow ? [] : this.config.globalBlocks;
    const mask = bigBirdMask(T, { block, window, global, random, seed, causal });
    this.#masks.set(T, mask);
    return mask;
  }

  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { H, D, useBias } = this.#heads;
    return { ...headWeights(NAMES, this.#heads, C!), ...outputWeights([H, D, C!], useBias) };
  }

  protected override compute([given]: tf.Tensor[], { masks }: LayerCall): tf.Tensor {
    const { x, keyLengths, present } = unpadded(this.op, given as tf.Tensor3D, masks[0]);
    const weight = (name: string) => this.weightIf(name);
    const [q, k, v] = ["query", "key", "value"].map((name) => headsOf(x, name, weight)) as [
      tf.Tensor4D,
      tf.Tensor4D,
      tf.Tensor4D,
    ];
    const { pattern, stride, summary } = this.config;
    const { output } =
      pattern === "strided"
        ? stridedAttention(q, k, v, { stride, keyLengths })
        : pattern === "fixed"
          ? fixedAttention(q, k, v, { stride, summary, keyLengths })
          : blockSparseAttention(q, k, v, this.mask(x.shape[1]), { keyLengths });
    const seen = present ? tf.where(tf.expandDims(present, 1), output, 0) : output;
    return outputOf(seen as tf.Tensor4D, weight);
  }
}
