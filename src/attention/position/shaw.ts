import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { outOfRange, wrongParameter } from "../../core/faults.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { type AttentionOptions, attention } from "../../ops/attention.ts";
import { linear } from "../../ops/linear.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { distancesToKeys, keysToDistances, offsetOfQueries } from "./relative.ts";

export interface ShawParameters {
  /** A key for each clipped distance, shared by the heads [2c + 1, D]. */
  wK: tf.Tensor2D;
  /** A value for each clipped distance [2c + 1, Dv]. @default none */
  wV?: tf.Tensor2D;
}

export interface ShawOptions
  extends Pick<
    AttentionOptions,
    "allow" | "causal" | "keyLengths" | "queryLengths" | "queryOffset" | "scale" | "window" | "weights"
  > {}

export type ShawResult<O> = { output: tf.Tensor4D } & Asked<O, "weights", tf.Tensor4D>;

/**
 * Attention with relative position representations: keys and values know how far they are from the query.
 *
 *     e_ij = scale · q_i·(k_j + wK_r),    out_i = Σ_j softmax_j(e_ij) (v_j + wV_r)
 *     r = clip(j − i − offset, −c, c)
 *
 * Symbols: i a query, which stands at i + offset; j a key; c the distance from which on all are the same; scale =
 * 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv], wK [2c+1, D], wV [2c+1, Dv] → output [B, H, T, Dv].
 * Conventions: c is read from the tables; row c is the query's own position, row 0 everything c or more before it.
 * All heads share the tables, as in the paper. Masks are those of the op `attention`; where T ≠ S `queryOffset` must
 * be given. A row without a visible key gives 0. Differentiable in q, k, v, wK and wV.
 * Cost: that of attention, and O(B·H·T·S) memory: the scores of distances are the op's bias, never an array of
 * embeddings [T, S, D].
 * Paper: Shaw, Uszkoreit & Vaswani 2018, §3.1–3.3, arxiv.org/abs/1803.02155.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION, CONFLICT · and what `compileProgram` throws
 * @draws
 * // Content says nothing; the head prefers two before.
 * const zeros = tf.zeros([1, 1, 16, 4]);
 * const wK = tf.tensor2d([0, 5, 2, 1, 0, 0, 0].map((n) => [n, 0, 0, 0]));
 * const q = tf.mul(tf.ones([1, 1, 16, 4]), 1.5);
 * return shawAttention(q, zeros, zeros, { wK }, { weights: true }).weights;
 * @example
 * const wK = tf.randomNormal([7, 4]);
 * const wV = tf.randomNormal([7, 7]);
 * const { output } = shawAttention(q, k, v, { wK, wV }, { causal: true });
 */
export function shawAttention<const O extends ShawOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { wK, wV }: ShawParameters,
  options: O = {} as O,
): ShawResult<O> {
  const op = "shawAttention";
  const { T, S, D, Dv } = attentionShapes(op, q, k, v);
  const R = wK.shape[0];
  checkTable(op, "wK [2c+1, D]", wK, R, D);
  if (wV) checkTable(op, "wV [2c+1, Dv]", wV, R, Dv);
  if (R % 2 === 0)
    throw new OptionError("OPTION", outOfRange({ op, name: "2c+1", rule: "an odd integer", got: R }));
  const { causal, scale = 1 / Math.sqrt(D), weights } = options;
  const implied = causal === "bottomRight" ? S - T : causal === "topLeft" ? 0 : undefined;
  const offset = offsetOfQueries(op, T, S, options.queryOffset ?? implied);
  const span: Span = { first: 1 - T - offset, last: S - 1 - offset, clip: (R - 1) / 2 };
  return tidyAsked((): ShawResult<ShawOptions> => {
    const products = linear(q, tf.transpose(wK));
    const byDistance = spread(tf.mul(products, scale), span);
    const bias = distancesToKeys(byDistance, T, S);
    const stages = attention(q, k, v, { ...options, scale, bias, weights: Boolean(wV) || weights }, op);
    const { output } = stages;
    const added = wV && relativeValues(keysToDistances(stages.weights!, T, S), wV, span);
    return {
      output: added ? tf.add(output, added) : output,
      ...(weights && { weights: stages.weights }),
    };
  });
}

/** The distances of T + S − 1 columns, and where they are clipped. */
interface Span {
  readonly first: number;
  readonly last: number;
  readonly clip: number;
}

function checkTable(op: string, name: string, table: tf.Tensor2D, R: number, width: number): void {
  if (table.rank === 2 && table.shape[0] === R && table.shape[1] === width) return;
  throw new ShapeError("SHAPE", wrongParameter({ op, name, expected: [R, width], got: table.shape }));
}

/** How many columns lie below −clip, within, and above clip; and the first table row of those within. */
function parts({ first, last, clip }: Span) {
  const columns = last - first + 1;
  const below = Math.min(columns, Math.max(0, -clip - first));
  const above = Math.min(columns - below, Math.max(0, last - clip));
  return { below, above, within: columns - below - above, start: first + below + clip };
}

/** A number for each table row [B, H, T, R] → one for each distance [B, H, T, T + S − 1]. */
function spread(x: tf.Tensor, span: Span): tf.Tensor {
  const [B, H, T, R] = x.shape as [number, number, number, number];
  const { below, within, above, start } = parts(span);
  const row = (r: number, n: number) => tf.mul(tf.slice(x, [0, 0, 0, r], [B, H, T, 1]), tf.ones([n]));
  const pieces = [
    ...(below ? [row(0, below)] : []),
    ...(within ? [tf.slice(x, [0, 0, 0, start], [B, H, T, within])] : []),
    ...(above ? [row(R - 1, above)] : []),
  ];
  return pieces.length > 1 ? tf.concat(pieces, 3) : pieces[0]!;
}

/** Σ over distances of weight · wV_r: weights of equal rows are added up first. */
function relativeValues(weights: tf.Tensor, wV: tf.Tensor2D, span: Span): tf.Tensor {
  const [B, H, T] = weights.shape as [number, number, number];
  const R = wV.shape[0];
  const { below, within, above, start } = parts(span);
  const sum = (from: number, n: number, row: number) =>
    tf.pad(tf.sum(tf.slice(weights, [0, 0, 0, from], [B, H, T, n]), 3, true), [
      ...NO_PADDING,
      [row, R - 1 - row],
    ]);
  const pieces = [
    ...(below ? [sum(0, below, 0)] : []),
    ...(within
      ? [
          tf.pad(tf.slice(weights, [0, 0, 0, below], [B, H, T, within]), [
            ...NO_PADDING,
            [start, R - start - within],
          ]),
        ]
      : []),
    ...(above ? [sum(below + within, above, R - 1)] : []),
  ];
  return linear(tf.addN(pieces), wV);
}

const NO_PADDING: [number, number][] = [
  [0, 0],
  [0, 0],
  [0, 0],
];
