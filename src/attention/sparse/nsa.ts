import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange, unequal } from "../../core/faults.ts";
import { attentionShapes, checkRank } from "../../core/shapes.ts";
import { attention } from "../../ops/attention.ts";
import { patternMask } from "../mask/pattern.ts";
import { padPositions } from "./cut-positions.ts";
import { type NsaSizes, selectedKeys } from "./nsa-selection.ts";

/** The keys and values of one branch. */
export interface KeyValues {
  /** [B, Hkv, T, D] */
  k: tf.Tensor4D;
  /** [B, Hkv, T, Dv] */
  v: tf.Tensor4D;
}

/** Keys and values of the three branches: the paper gives each projections of its own; the same may serve all. */
export interface NsaBranches {
  compression: KeyValues;
  selection: KeyValues;
  window: KeyValues;
}

/** Blocks [B, Hkv, N, l, D] to one vector each [B, Hkv, N, D]. */
export type Compress = (blocks: tf.Tensor5D) => tf.Tensor4D;

export interface NsaOptions {
  /** l and d: length of the compressed blocks, a multiple of the distance from one to the next. @default 32 and 16 */
  compression?: { length: number; stride: number };
  /**
   * l′, a multiple of d, and n: size and number of the blocks that a query selects, the first ones and those nearest
   * to it, its own included, always among them. @default 64, 16, 1 and 2
   */
  selection?: { block: number; count: number; first: number; near: number };
  /** w: last keys that the window shows, the query's own included. @default 512 */
  window?: number;
  /** φ of keys and of values; the paper has a small network that knows places within the block. @default the mean */
  compressKeys?: Compress;
  /** @default the mean */
  compressValues?: Compress;
  /** Factor of q·k. @default 1/√D */
  scale?: number;
}

/**
 * Native sparse attention (NSA): a coarse view of everything, the blocks that it points to, and the neighbourhood.
 *
 *     out_t = Σ_c g_tc · attention(q_t, K^c_t, V^c_t),    c ∈ {compression, selection, window}
 *     K^compression_t = φ(k_{id} … k_{id+l−1}) of all blocks that end by t
 *     K^selection_t   = the n blocks of l′ keys with the largest Σ_h Σ_i p_thi · |block i ∩ block|
 *     K^window_t      = the last w keys
 *
 * Symbols: g gates, σ of a map of x in the paper; φ compresses; i a compressed block, p_thi its weight, overlaps
 * counted in steps of d; h the query heads that share a key head, which select together.
 * Shapes: q [B, H, T, D], k [B, Hkv, T, D], v [B, Hkv, T, Dv] for each branch, gates [B, H, T, 3] → output [B, H, T,
 * Dv].
 * Conventions: causal; keys after t are hidden in its own block too. A branch that shows nothing yet, as compression
 * before the first block ends, gives 0. The choice has no gradient: compressed attention learns where to look.
 * Differentiable in all else.
 * Cost: what is seen is O(T·(T/d + n·l′ + w)); selected keys are masked in the op `attention`, a byte for each pair,
 * because every query selects for itself: the semantics of the paper, not its speed.
 * Paper: Yuan et al. 2025, §3, arxiv.org/abs/2502.11089.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION
 * @draws
 * // What the three branches show each of 24 queries.
 * const q = tf.randomNormal([1, 1, 24, 8], 0, 1, "float32", 4);
 * const selection = { block: 4, count: 3, first: 1, near: 1 };
 * const selected = selectionMask(q, q, { compression: { length: 4, stride: 2 }, selection });
 * const compressed = patternMask(24, 24, (i, j) => j < 11 && 2 * j + 3 <= i);
 * const near = patternMask(24, 24, (i, j) => j <= i && j > i - 6);
 * return tf.stack([compressed, tf.reshape(selected, [24, 24]), near]);
 * @example
 * const gates = tf.fill([2, 3, 5, 3], 1 / 3);
 * const branches = { compression: { k, v }, selection: { k, v }, window: { k, v } };
 * const { output } = nativeSparseAttention(q, branches, gates, {
 *   compression: { length: 2, stride: 1 },
 *   selection: { block: 2, count: 2, first: 0, near: 1 },
 *   window: 2,
 * });
 */
export function nativeSparseAttention(
  q: tf.Tensor4D,
  branches: NsaBranches,
  gates: tf.Tensor4D,
  options: NsaOptions = {},
): { output: tf.Tensor4D } {
  const op = "nativeSparseAttention";
  const { compression, selection, window } = branches;
  const { window: last = 512, scale, compressKeys = mean, compressValues = mean } = options;
  const { B, H, T } = checkBranches(op, q, branches);
  checkRank(op, "gates [B, H, T, 3]", gates, 4);
  if ([B, H, T, 3].some((n, axis) => gates.shape[axis] !== n)) {
    const letters = { letter: "shape", a: "gates [B, H, T, 3]", b: "[B, H, T, 3] of q" };
    throw new ShapeError("DIMENSION", unequal({ op, ...letters, aShape: gates.shape, bShape: [B, H, T, 3] }));
  }
  const sizes = checkSizes(op, options);
  checkCount(op, "window", last);
  return tf.tidy(() => {
    const coarse = compressed(op, q, compression, { ...sizes, scale, compressKeys, compressValues });
    const allow = selectedKeys(coarse?.weights, [B, selection.k.shape[1], T], sizes);
    const chosen = attention(q, selection.k, selection.v, { scale, allow: perHead(allow, H) }, op);
    const near = attention(
      q,
      window.k,
      window.v,
      {
        scale,
        causal: true,
        window: { left: last - 1 },
      },
      op,
    );
    const gated = [coarse?.output, chosen.output, near.output].flatMap((output, c) =>
      output ? [tf.mul(output, tf.slice(gates, [0, 0, 0, c], [B, H, T, 1]))] : [],
    );
    return { output: tf.addN(gated) as tf.Tensor4D };
  });
}

/**
 * The keys that NSA's selection shows each query, bool [B, Hkv, T, T], of the compressed keys' weights.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION
 * @example
 * const options = { compression: { length: 2, stride: 1 }, selection: { block: 2, count: 1, first: 0, near: 1 } };
 * selectionMask(q, k, options).shape; // [2, 3, 5, 5]
 */
export function selectionMask(q: tf.Tensor4D, k: tf.Tensor4D, options: NsaOptions = {}): tf.Tensor4D {
  const op = "selectionMask";
  const { B, Hkv, T } = attentionShapes(op, q, k, k);
  const sizes = checkSizes(op, options);
  const { scale, compressKeys = mean } = options;
  return tf.tidy(() => {
    const coarse = compressed(op, q, { k, v: k }, { ...sizes, scale, compressKeys, compressValues: mean });
    return selectedKeys(coarse?.weights, [B, Hkv, T], sizes);
  });
}

const mean: Compress = (blocks) => tf.mean(blocks, 3);

/** Attention to the compressed blocks that lie before each query; undefined where none ends in the sequence. */
function compressed(
  op: string,
  q: tf.Tensor4D,
  { k, v }: KeyValues,
  {
    length,
    stride,
    scale,
    compressKeys,
    compressValues,
  }: NsaSizes & Required<Pick<NsaOptions, "compressKeys" | "compressValues">> & Pick<NsaOptions, "scale">,
) {
  const T = q.shape[2];
  if (T < length) return undefined;
  const keys = compressKeys(blocksOfKeys(k, length, stride));
  const values = compressValues(blocksOfKeys(v, length, stride));
  const allow = patternMask(T, keys.shape[2], (t, i) => i * stride + length - 1 <= t);
  return attention(q, keys, values, { scale, allow, weights: true }, op);
}

/** Blocks of `length`, one every `stride` positions: [B, H, T, D] → [B, H, N, length, D]. */
function blocksOfKeys(x: tf.Tensor4D, length: number, stride: number): tf.Tensor5D {
  const [B, H, T, D] = x.shape;
  const N = Math.floor((T - length) / stride) + 1;
  const steps = Math.ceil(T / stride);
  const pieces = tf.reshape(padPositions(x, steps * stride), [B, H, steps, stride, D]);
  const shifted = Array.from({ length: length / stride }, (_, n) =>
    tf.slice(pieces, [0, 0, n, 0, 0], [B, H, N, stride, D]),
  );
  return (shifted.length === 1 ? shifted[0]! : tf.concat(shifted, 3)) as tf.Tensor5D;
}

/** What a key head shows, for each query head that shares it: [B, Hkv, T, T] → [B, H, T, T]. */
function perHead(allow: tf.Tensor4D, H: number): tf.Tensor4D {
  const Hkv = allow.shape[1];
  if (Hkv === H) return allow;
  const ids = Int32Array.from({ length: H }, (_, h) => Math.floor((h * Hkv) / H));
  return tf.gather(allow, tf.tensor1d(ids, "int32"), 1);
}

function checkBranches(op: string, q: tf.Tensor4D, branches: NsaBranches) {
  const all = (["compression", "selection", "window"] as const).map((name) => {
    const { k, v } = branches[name];
    const shapes = attentionShapes(`${op}, ${name}`, q, k, v);
    if (shapes.T === shapes.S && shapes.T > 0) return shapes;
    throw new ShapeError("SHAPE", {
      op,
      rule: `queries and keys of ${name} must be one sequence, T = S ≥ 1`,
      got: `T=${shapes.T} and S=${shapes.S}`,
      remedy: "give keys and values of the queries' positions",
    });
  });
  const [first] = all;
  const other = all.find(({ Dv }) => Dv !== first!.Dv);
  if (other) {
    const rule = "values of all branches must have one width Dv";
    const got = all.map(({ Dv }) => Dv).join(", ");
    throw new ShapeError("SHAPE", { op, rule, got, remedy: "the branches are added up" });
  }
  return first!;
}

function checkSizes(op: string, options: NsaOptions): NsaSizes {
  const { length, stride } = options.compression ?? { length: 32, stride: 16 };
  const { block, count, first, near } = options.selection ?? { block: 64, count: 16, first: 1, near: 2 };
  checkCount(op, "compression.stride", stride);
  for (const [name, n] of [
    ["compression.length", length],
    ["selection.block", block],
  ] as const) {
    if (Number.isSafeInteger(n) && n > 0 && n % stride === 0) continue;
    const rule = `a multiple of compression.stride = ${stride}`;
    throw new OptionError("OPTION", outOfRange({ op, name, rule, got: n }));
  }
  checkCount(op, "selection.count", count);
  checkCount(op, "selection.first", first, 0);
  checkCount(op, "selection.near", near, 0);
  if (first + near > count) {
    const rule = `at most selection.count = ${count}`;
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "selection.first + near", rule, got: first + near }),
    );
  }
  return { length, stride, block, count, first, near };
}
