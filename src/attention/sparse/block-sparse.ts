import * as tf from "@tensorflow/tfjs-core";
import { checkOptionNames, type OptionNames } from "../../core/check-options.ts";
import { ShapeError } from "../../core/errors.ts";
import type { AttentionShapes } from "../../core/notation.ts";
import { compileProgram } from "../../core/program.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { type AttentionOptions, type AttentionResult, attention } from "../../ops/attention.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { type BlockMask, denseMask } from "./block-mask.ts";
import { type Lengths, planOf, type RowGroup } from "./block-plan.ts";
import { padPositions } from "./cut-positions.ts";

export interface BlockSparseOptions
  extends Pick<
    AttentionOptions,
    "scale" | "softCap" | "keyLengths" | "queryLengths" | "dropout" | "training" | "weights" | "lse"
  > {}

const NAMES: OptionNames<BlockSparseOptions> = {
  ...{ scale: true, softCap: true, keyLengths: true, queryLengths: true },
  ...{ dropout: true, training: true, weights: true, lse: true },
};

/**
 * From this share of blocks on gathered keys and values take more memory than scores would, and a third of the time
 * is all that is left to save (measured at T = 4096, D = 64; `npm run prove -- speed/sparse`).
 */
const DENSE_SHARE = 0.5;

/**
 * Attention under a block mask, in time and memory proportional to the blocks it keeps; exact.
 *
 *     out_i = Σ_{j: mask(i, j)} softmax_j(scale · q_i·k_j) v_j
 *
 * Symbols: mask a block mask; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv].
 * Conventions: softmax attention with `allow: denseMask(mask)`, which is what runs where half of the blocks or more
 * are kept, where weights are asked for and where dropout falls. Else the keys and values of the blocks that a block
 * of queries keeps are gathered beside it, and the op `attention` has the blocks of queries as examples; rows that
 * keep alike many blocks go together. Tails and lengths need no care. A row without a visible key gives 0.
 * Differentiable.
 * Cost: O(kept·block²·(D + Dv)) a head, memory O(kept·block·(D + Dv)).
 * Papers: Child et al. 2019, §5.4, arxiv.org/abs/1904.10509; Dong et al. 2024, arxiv.org/abs/2412.05496.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · and what `compileProgram` throws
 * @draws
 * const mask = blockMask(24, 24, (i, j) => j <= i && (i - j < 6 || j % 8 === 7), { block: 4 });
 * const q = tf.ones([1, 1, 24, 4]);
 * return blockSparseAttention(q, q, q, mask, { weights: true }).weights;
 * @example
 * const mask = blockMask(5, 5, (i, j) => Math.abs(i - j) <= 1, { block: 2 });
 * const { output } = blockSparseAttention(q, k, v, mask);
 */
export function blockSparseAttention<const O extends BlockSparseOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  mask: BlockMask,
  options: O = {} as O,
): AttentionResult<O> {
  const op = "blockSparseAttention";
  const shapes = attentionShapes(op, q, k, v);
  const { T, S, B } = shapes;
  if (mask.T !== T || mask.S !== S) {
    throw new ShapeError("SHAPE", {
      op,
      rule: `the mask must be of T × S = ${T} × ${S}`,
      got: `${mask.T} × ${mask.S}`,
      remedy: "make a block mask for these lengths",
    });
  }
  const { training, dropout, weights, lse } = options;
  checkOptionNames(op, options, NAMES);
  compileProgram(op, shapes, options, NAMES);
  return tidyAsked((): AttentionResult<BlockSparseOptions> => {
    if (weights || (training && dropout) || mask.share >= DENSE_SHARE) {
      return attention(q, k, v, { ...(options as BlockSparseOptions), allow: denseMask(mask) }, op);
    }
    const lengths: Lengths = {
      keys: options.keyLengths ?? new Array<number>(B).fill(S),
      queries: options.queryLengths ?? new Array<number>(B).fill(T),
    };
    const { output, ...sums } = gathered(op, { q, k, v }, mask, { shapes, lengths, options });
    return { output, ...(lse && sums) };
  });
}

/** Queries, keys and values as rows of blocks, one row for each block, example and key head. */
function gathered(
  op: string,
  { q, k, v }: { q: tf.Tensor4D; k: tf.Tensor4D; v: tf.Tensor4D },
  mask: BlockMask,
  {
    shapes,
    lengths,
    options: { scale, softCap },
  }: { shapes: AttentionShapes; lengths: Lengths; options: BlockSparseOptions },
): { output: tf.Tensor4D; lse: tf.Tensor3D } {
  const { B, H, Hkv, T, D, Dv } = shapes;
  const { block } = mask;
  const [N, G, nq, nk] = [B * Hkv, H / Hkv, mask.rows.length, Math.ceil(mask.S / block)];
  const keyRows = (x: tf.Tensor4D) => tf.reshape(padPositions(x, nk * block), [N * nk, block * x.shape[3]]);
  const [keys, values, queries] = [keyRows(k), keyRows(v), queryRows(q, { N, G, nq, block })];
  const groups = planOf(mask, lengths, Hkv);
  const outputs = groups.map((group) => {
    const rows = group.rows.length;
    const take = (x: tf.Tensor, width: number) =>
      tf.reshape(tf.gather(x, tf.tensor1d(group.keyIds, "int32")), [rows, 1, group.width * block, width]);
    const own = groups.length === 1 ? queries : tf.gather(queries, tf.tensor1d(group.rows, "int32"));
    return attention(
      tf.reshape(own, [rows, G, block, D]),
      take(keys, D) as tf.Tensor4D,
      take(values, Dv) as tf.Tensor4D,
      { scale: scale ?? 1 / Math.sqrt(D), softCap, lse: true, ...masksOf(group, block) },
      op,
    );
  });
  const back = (parts: tf.Tensor[], width: number[]) => {
    const all =
      parts.length === 1 ? parts[0]! : tf.gather(tf.concat(parts), tf.tensor1d(orderOf(groups), "int32"));
    const heads =
      G === 1
        ? all
        : tf.transpose(tf.reshape(all, [N, nq, G, block, ...width]), [
            0,
            2,
            1,
            3,
            ...(width.length ? [4] : []),
          ]);
    const padded = tf.reshape(heads, [B, H, nq * block, ...width]);
    return nq * block === T ? padded : tf.slice(padded, [0, 0, 0], [B, H, T]);
  };
  return {
    output: back(
      outputs.map(({ output }) => output),
      [Dv],
    ) as tf.Tensor4D,
    lse: back(
      outputs.map(({ lse }) => lse!),
      [],
    ) as tf.Tensor3D,
  };
}

/** q [B, H, T, D] → [B·Hkv·blocks, G·block·D], the G heads that share a key head beside each other. */
function queryRows(
  q: tf.Tensor4D,
  { N, G, nq, block }: { N: number; G: number; nq: number; block: number },
): tf.Tensor2D {
  const D = q.shape[3];
  const padded = padPositions(q, nq * block);
  if (G === 1) return tf.reshape(padded, [N * nq, block * D]);
  const heads = tf.transpose(tf.reshape(padded, [N, G, nq, block * D]), [0, 2, 1, 3]);
  return tf.reshape(heads, [N * nq, G * block * D]);
}

/** What the gathered rows of a group may see. */
function masksOf({ rows, width, keyCounts, queryCounts, allow }: RowGroup, block: number) {
  const shape: [number, number, number, number] = [rows.length, 1, block, width * block];
  return {
    keyLengths: keyCounts,
    queryLengths: queryCounts,
    ...(allow && { allow: tf.tensor4d(allow, shape, "bool") }),
  };
}

/** Where each row of blocks stands when the groups follow each other. */
function orderOf(groups: readonly RowGroup[]): Int32Array {
  const rows = groups.flatMap((group) => Array.from(group.rows));
  const order = new Int32Array(rows.length);
  rows.forEach((row, at) => {
    order[row] = at;
  });
  return order;
}
