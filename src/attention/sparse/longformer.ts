import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange, unequal } from "../../core/faults.ts";
import { attentionShapes, checkSame } from "../../core/shapes.ts";
import { attention } from "../../ops/attention.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { type Pattern, patternMask } from "../mask/pattern.ts";
import { type Cut, cut, joined, phasesOf, pieceLengths } from "./cut-positions.ts";
import { type AttentionPart, mergeAttention } from "./merge-attention.ts";
import { type SparseOptions, type SparseResult, selfShapes } from "./one-sequence.ts";

export interface LongformerOptions {
  /** Keys seen before and after a query, in steps of the dilation; the paper's w is left + right. */
  window: { left: number; right: number };
  /** Distance of neighbouring keys in the window. @default 1 */
  dilation?: number;
  /** Positions that see everything and that everything sees. @default none */
  global?: readonly number[];
  /** Hides every key after its query. @default false */
  causal?: boolean;
}

/**
 * Longformer's pattern: a window, with gaps if wanted, and a few global positions.
 *
 *     allow(i, j) = (i − j = m·dilation, −right ≤ m ≤ left)  ∨  i ∈ global  ∨  j ∈ global
 *
 * 1. `true` means attend. 2. No row is empty. 3. Query i and key i stand together. 4. `left` and `right` do not count
 * the query's own position, which is always seen: left + right + 1 keys.
 *
 *     left = right = 1, global = [0]     left = right = 1, dilation = 2
 *     1 1 1 1 1                          1 0 1 0 0
 *     1 1 1 0 0                          0 1 0 1 0
 *     1 1 1 1 0                          1 0 1 0 1
 *     1 0 1 1 1                          0 1 0 1 0
 *     1 0 0 1 1                          0 0 1 0 1
 *
 * Cost: O(1) a pair.
 * Paper: Beltagy, Peters & Cohan 2020, §3.1, arxiv.org/abs/2004.05150.
 *
 * @throws OptionError OPTION
 * @draws
 * return patternMask(24, 24, longformerPattern({ window: { left: 2, right: 2 }, dilation: 2, global: [0, 12] }));
 * @example
 * patternMask(3, 3, longformerPattern({ window: { left: 1, right: 0 } })); // [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
 */
export function longformerPattern(options: LongformerOptions): Pattern {
  const { window, dilation = 1, global = [], causal = false } = options;
  checkLongformer("longformerPattern", options);
  const isGlobal = new Set(global);
  return (i, j) => {
    if (causal && j > i) return false;
    if (isGlobal.has(i) || isGlobal.has(j)) return true;
    const steps = (i - j) / dilation;
    return Number.isInteger(steps) && steps <= window.left && -steps <= window.right;
  };
}

/** Positions that see everything and that everything sees, with projections of their own. */
export interface GlobalAttention {
  /** Their positions, each once. */
  positions: readonly number[];
  /** Their queries [B, H, g, D], in the order of `positions`. */
  q: tf.Tensor4D;
  /** The keys that they see [B, Hkv, T, D]. */
  k: tf.Tensor4D;
  /** The values that they read [B, Hkv, T, Dv]. */
  v: tf.Tensor4D;
}

export interface LongformerAttentionOptions
  extends Pick<LongformerOptions, "window" | "dilation" | "causal">,
    SparseOptions {
  /** @default none */
  global?: GlobalAttention;
}

/**
 * Longformer's attention: a sliding window, with gaps if wanted, and a few global positions; exact.
 *
 *     out_i = Σ_{j ∈ W_i ∪ G} softmax_j(scale · q_i·k_j) v_j           i ∉ G
 *     out_i = Σ_j softmax_j(scale · qg_i·kg_j) vg_j                    i ∈ G
 *
 * Symbols: W_i the window of query i, j = i + m·dilation with −left ≤ m ≤ right; G the g global positions; qg, kg, vg
 * their projections.
 * Shapes: q [B, H, T, D], k [B, Hkv, T, D], v [B, Hkv, T, Dv], qg [B, H, g, D], kg and vg like k and v → output [B,
 * H, T, Dv].
 * Conventions: the paper's w is left + right, w/2 each. Others see a global position by its ordinary key and value,
 * as in the authors' code; a key that is in window and G counts once. `causal` hides later keys from all. With the
 * same projections it is softmax attention under `longformerPattern`. The window is one call of the op `attention`
 * (over the phases of the sequence where it has gaps), the global keys another, joined by `mergeAttention`. A row
 * without a visible key gives 0. Differentiable.
 * Cost: O(T·(left + right + g)·D) a head; memory O(T·(D + g)), never T × T.
 * Paper: Beltagy, Peters & Cohan 2020, §3.1, arxiv.org/abs/2004.05150.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION
 * @draws
 * return patternMask(24, 24, longformerPattern({ window: { left: 2, right: 2 }, global: [0, 1] }));
 * @example
 * const global = { positions: [0], q: tf.slice(q, [0, 0, 0, 0], [2, 3, 1, 4]), k, v };
 * const { output } = longformerAttention(q, k, v, { window: { left: 1, right: 1 }, global });
 */
export function longformerAttention<const O extends LongformerAttentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O,
): SparseResult<O> {
  const op = "longformerAttention";
  const { window, dilation = 1, global, causal = false, scale, keyLengths } = options;
  const { T, lengths } = selfShapes(op, q, k, v, keyLengths);
  checkLongformer(op, { window, dilation, global: global?.positions }, T);
  const own = global && global.positions.length > 0 ? checkGlobal(op, global, { q, k, v }) : undefined;
  return tidyAsked((): SparseResult<SparseOptions> => {
    const phases = phasesOf(T, dilation);
    const near = { ...window, ...(causal && { right: 0 }) };
    const pieces = dilation === 1 ? [q, k, v] : [q, k, v].map((x) => cut(x, phases));
    const windowed = attention(
      ...(pieces as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]),
      {
        scale,
        window: near,
        lse: true,
        keyLengths: keyLengths || dilation > 1 ? pieceLengths(phases, lengths) : undefined,
        allow: own && localKeys(own.positions, phases, q.shape[0]),
      },
      op,
    ) as AttentionPart;
    const local =
      dilation === 1
        ? windowed
        : { output: joined(windowed.output, phases, T), lse: joined(windowed.lse, phases, T) };
    if (!own) return { output: local.output, ...(options.lse && { lse: local.lse }) };
    const ordered = [...own.positions].sort((a, b) => a - b);
    const ids = tf.tensor1d(ordered, "int32");
    const toGlobal = attention(
      q,
      tf.gather(k, ids, 2),
      tf.gather(v, ids, 2),
      {
        scale,
        lse: true,
        keyLengths: keyLengths && lengths.map((length) => ordered.filter((n) => n < length).length),
        allow: causal ? patternMask(T, ordered.length, (i, n) => ordered[n]! <= i) : undefined,
      },
      op,
    ) as AttentionPart;
    const fromGlobal = attention(
      own.q,
      own.k,
      own.v,
      {
        scale,
        keyLengths,
        lse: true,
        allow: causal ? patternMask(ordered.length, T, (n, j) => j <= own.positions[n]!) : undefined,
      },
      op,
    ) as AttentionPart;
    const others = mergeAttention([local, toGlobal]);
    return {
      output: placed(others.output, fromGlobal.output, own.positions),
      ...(options.lse && { lse: placed(others.lse, fromGlobal.lse, own.positions) }),
    };
  });
}

/** Which keys are not global, in the order of the pieces: bool [B·count or 1, 1, 1, size]. */
function localKeys(positions: readonly number[], { count, size }: Cut, B: number): tf.Tensor4D {
  const one = new Uint8Array(count * size).fill(1);
  for (const n of positions) one[(n % count) * size + Math.floor(n / count)] = 0;
  if (count === 1) return tf.tensor4d(one, [1, 1, 1, size], "bool");
  const all = new Uint8Array(B * one.length);
  for (let b = 0; b < B; b++) all.set(one, b * one.length);
  return tf.tensor4d(all, [B * count, 1, 1, size], "bool");
}

/** x [B, H, T, …] with the rows of `rows` [B, H, g, …] at these positions. */
function placed<X extends tf.Tensor3D | tf.Tensor4D>(x: X, rows: X, positions: readonly number[]): X {
  const T = x.shape[2]!;
  const from = Int32Array.from({ length: T }, (_, i) => i);
  positions.forEach((position, n) => {
    from[position] = T + n;
  });
  return tf.gather(tf.concat([x as tf.Tensor, rows], 2), tf.tensor1d(from, "int32"), 2) as X;
}

/** Throws unless the global projections fit the others. */
function checkGlobal(
  op: string,
  global: GlobalAttention,
  { q, k, v }: { q: tf.Tensor4D; k: tf.Tensor4D; v: tf.Tensor4D },
): GlobalAttention {
  attentionShapes(op, global.q, global.k, global.v);
  const pair = (name: string, other: string, a: tf.Tensor, b: tf.Tensor, letters: Record<string, number>) => {
    for (const [letter, axis] of Object.entries(letters)) {
      checkSame(op, letter, { name, array: a, axis }, { name: other, array: b, axis });
    }
  };
  pair("global.q [B, H, g, D]", "q [B, H, T, D]", global.q, q, { B: 0, H: 1, D: 3 });
  pair("global.k [B, Hkv, T, D]", "k [B, Hkv, T, D]", global.k, k, { T: 2 });
  pair("global.v [B, Hkv, T, Dv]", "v [B, Hkv, T, Dv]", global.v, v, { Dv: 3 });
  const g = global.positions.length;
  const name = `global.q [B, H, g = ${g}, D]`;
  if (global.q.shape[2] !== g) {
    throw new ShapeError(
      "DIMENSION",
      unequal({
        op,
        letter: "g",
        a: name,
        aShape: global.q.shape,
        b: "global.positions [g]",
        bShape: [g],
      }),
    );
  }
  if (new Set(global.positions).size < g) {
    const rule = "different positions";
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "global.positions", rule, got: global.positions }),
    );
  }
  return global;
}

/** Throws unless window, dilation and global positions are integers in range, the last below T where it is given. */
function checkLongformer(
  op: string,
  { window, dilation = 1, global = [] }: LongformerOptions,
  T = Number.POSITIVE_INFINITY,
): void {
  checkCount(op, "window.left", window.left, 0);
  checkCount(op, "window.right", window.right, 0);
  if (window.left + window.right === 0) {
    throw new OptionError(
      "OPTION",
      outOfRange({
        op,
        name: "window.left + window.right",
        rule: "1 or more",
        got: 0,
      }),
    );
  }
  checkCount(op, "dilation", dilation);
  const wrong = global.find((n) => !(Number.isSafeInteger(n) && n >= 0 && n < T));
  if (wrong !== undefined) {
    const rule = T === Number.POSITIVE_INFINITY ? "integers ≥ 0" : `integers from 0 to T − 1 = ${T - 1}`;
    throw new OptionError("OPTION", outOfRange({ op, name: "global positions", rule, got: wrong }));
  }
}
