import type * as tf from "@tensorflow/tfjs-core";
import { bigBirdMask } from "../../attention/sparse/big-bird.ts";
import type { BlockMask } from "../../attention/sparse/block-mask.ts";
import { blockSparseAttention } from "../../attention/sparse/block-sparse.ts";
import { fixedAttention } from "../../attention/sparse/fixed.ts";
import { stridedAttention } from "../../attention/sparse/strided.ts";
import { OptionError } from "../../core/errors.ts";
import {
  byDefault,
  causalMask,
  choice,
  dropout,
  HeadLayer,
  type Heads,
  headFields,
  integer,
  integers,
  type LayerOptions,
  SELF,
  sharedHeads,
} from "../base/index.ts";

const fields = {
  ...headFields,
  ...sharedHeads,
  ...causalMask,
  ...dropout,
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
  /** l of "strided" and "fixed". @default 128 */
  stride: byDefault(integer(1), 128),
  /** c of "fixed": positions at each block's end that later blocks see. @default 1 */
  summary: byDefault(integer(1), 1),
};

export type BlockSparseAttentionLayerOptions = LayerOptions<typeof fields>;

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
 * of padding at the end; padded positions are seen by no one, and get 0 from every head. "strided" and "fixed" are
 * causal by definition and have no dropout: they are softmaxes of their own, joined. In training with dropout the others
 * take the time and memory of dense attention.
 * Cost: that of the mechanism, O(T·block) or O(T√T) instead of O(T²).
 * Papers: Zaheer et al. 2020, §2, arxiv.org/abs/2007.14062; Child et al. 2019, §4.3, arxiv.org/abs/1904.10509.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE, HEADS
 * @example
 * const layer = new BlockSparseAttention({ numHeads: 2, keyDim: 3, pattern: "strided", stride: 2 });
 * layer.apply(values).shape; // [2, 5, 7]
 */
export class BlockSparseAttention extends HeadLayer<typeof fields> {
  static readonly className = "BlockSparseAttention";
  static readonly inputs = SELF;
  static readonly fields: typeof fields = fields;
  /** Masks by length: a pattern is drawn once. */
  readonly #masks = new Map<number, BlockMask>();

  protected override check(): void {
    super.check();
    const { pattern, dropout: rate } = this.config;
    if (rate > 0 && (pattern === "strided" || pattern === "fixed")) {
      throw new OptionError("CONFLICT", {
        op: this.op,
        rule: `dropout must be 0 with the pattern "${pattern}", which joins several softmaxes`,
        got: rate,
        remedy: 'leave it out, or use "bigbird" or "window"',
      });
    }
  }

  /** The pattern for T positions, whose `share` is what is computed of it; for "bigbird" and "window". */
  mask(T: number): BlockMask {
    const known = this.#masks.get(T);
    if (known) return known;
    const { pattern, blockSize: block, windowBlocks: window, useCausalMask: causal } = this.config;
    const { patternSeed: seed, numRandomBlocks, globalBlocks } = this.config;
    const isWindow = pattern === "window";
    const random = isWindow ? 0 : numRandomBlocks;
    const global = isWindow ? [] : globalBlocks;
    const mask = bigBirdMask(T, { block, window, global, random, seed, causal });
    this.#masks.set(T, mask);
    return mask;
  }

  protected override attend({ q, k, v, lengths: keyLengths, dropping }: Heads): tf.Tensor4D {
    const { pattern, stride, summary } = this.config;
    if (pattern === "strided") return stridedAttention(q, k, v, { stride, keyLengths }).output;
    if (pattern === "fixed") return fixedAttention(q, k, v, { stride, summary, keyLengths }).output;
    const training = dropping.training && dropping.dropout.rate > 0;
    return blockSparseAttention(q, k, v, this.mask(q.shape[2]), { ...dropping, training, keyLengths }).output;
  }
}
