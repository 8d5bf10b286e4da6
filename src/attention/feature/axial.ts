import * as tf from "@tensorflow/tfjs-core";
import { checkChoice, checkCount } from "../../core/check-options.ts";
import { ShapeError } from "../../core/errors.ts";
import { attention } from "../../ops/attention.ts";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { columnsOf, imageSizes, optional } from "./check.ts";

export interface AxialParameters {
  /** [C, heads·D] */
  wq: tf.Tensor2D;
  /** [heads·D] @default none */
  bq?: tf.Tensor1D;
  /** [C, heads·D] */
  wk: tf.Tensor2D;
  /** [C, heads·Dv] */
  wv: tf.Tensor2D;
  /** [heads·Dv] @default none */
  bv?: tf.Tensor1D;
  /** [heads·Dv, Co] @default the heads side by side */
  wo?: tf.Tensor2D;
  /** [Co], with wo. @default none */
  bo?: tf.Tensor1D;
}

export interface AxialOptions {
  /** The axis along which pixels see one another: `"height"` within their column, `"width"` within their row. */
  axis: "height" | "width";
  /** @default 1 */
  heads?: number;
  /** Pixels see those before them, and themselves. @default false */
  causal?: boolean;
  /** Factor of the scores. @default 1/√D */
  scale?: number;
  /** Return the weights. @default false */
  weights?: boolean;
}

export type AxialResult<O> = { output: tf.Tensor4D } & Asked<O, "weights", tf.Tensor5D>;

/**
 * Axial attention: each pixel reads the pixels of its own row, or of its own column.
 *
 *     width:   out_hw = Σ_w′ α_hww′ v_hw′,    α = softmax_w′(scale · q_hw·k_hw′)
 *     height:  out_hw = Σ_h′ α_whh′ v_h′w,    α = softmax_h′(scale · q_hw·k_h′w)
 *
 * Symbols: q = x W_q + b_q, k = x W_k, v = x W_v + b_v; scale = 1/√D; the heads are joined by W_o and b_o.
 * Shapes: x [B, H, W, C], W_q, W_k [C, heads·D], W_v [C, heads·Dv], W_o [heads·Dv, Co] → output [B, H, W, Co]; weights
 * [B, H, heads, W, W] along the width, [B, W, heads, H, H] along the height. H is the height here.
 * Conventions: one call is one axis; two, one after the other, let every pixel reach every other in O(H + W) keys. A
 * bias of the keys would move all scores of a query alike and change nothing, so there is none. One kernel on `heed`,
 * without turning the image: columns are read as heads of a sequence of rows.
 * Cost: O(B·H·W·(H or W)·(D + Dv)·heads) and the projections. Papers: Ho et al. 2019, §3, arxiv.org/abs/1912.12180;
 * Wang et al. 2020, §3.2, without positions, arxiv.org/abs/2003.07853.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const x = tf.tensor4d(Array.from({ length: 12 }, (_, e) => [Math.cos(e / 2), Math.sin(e / 2)]).flat(), [1, 1, 12, 2]);
 * const w = tf.mul(tf.eye(2), 2);
 * return axialAttention(x, { wq: w, wk: w, wv: w }, { axis: "width", causal: true, weights: true }).weights;
 * @example
 * const x = tf.randomNormal([1, 4, 6, 8], 0, 1, "float32", 1);
 * const [wq, wk, wv] = [2, 3, 4].map((seed) => tf.randomNormal([8, 8], 0, 0.3, "float32", seed));
 * const columns = axialAttention(x, { wq, wk, wv }, { axis: "height", heads: 2 });
 * const both = axialAttention(columns.output, { wq, wk, wv }, { axis: "width", heads: 2, weights: true });
 * both.output.shape; // [1, 4, 6, 8]
 * both.weights.shape; // [1, 4, 2, 6, 6]
 */
export function axialAttention<const O extends AxialOptions>(
  x: tf.Tensor4D,
  parameters: AxialParameters,
  options: O,
): AxialResult<O> {
  const { axis, heads = 1, causal, scale, weights }: AxialOptions = options;
  const op = "axialAttention";
  const { B, H, W, C } = imageSizes(op, x);
  checkChoice(op, "axis", axis, ["height", "width"]);
  const { D, Dv } = headSizes(op, parameters, C, heads);
  const { wq, bq, wk, wv, bv, wo, bo } = parameters;
  // Along the width a row is an example; along the height each column is a head of its own.
  const [examples, steps, lanes] = axis === "width" ? [B * H, W, heads] : [B, H, W * heads];
  return tidyAsked((): AxialResult<AxialOptions> => {
    const split = (t: tf.Tensor, width: number) =>
      tf.reshape(t, [examples, steps, lanes, width]) as tf.Tensor4D;
    const q = split(linear(x, wq, bq), D);
    const k = split(linear(x, wk), D);
    const v = split(linear(x, wv, bv), Dv);
    const read = attention(q, k, v, { layout: "bthd", causal, scale, weights });
    const joined = tf.reshape(read.output, [B, H, W, heads * Dv]) as tf.Tensor4D;
    const lines = axis === "width" ? H : W;
    return {
      output: wo ? linear(joined, wo, bo) : joined,
      ...(read.weights && {
        weights: tf.reshape(read.weights, [B, lines, heads, steps, steps]) as tf.Tensor5D,
      }),
    };
  });
}

function headSizes(op: string, p: AxialParameters, C: number, heads: number): { D: number; Dv: number } {
  checkCount(op, "heads", heads);
  const [wide, wideV] = [columnsOf(op, "wq [C, heads·D]", p.wq), columnsOf(op, "wv [C, heads·Dv]", p.wv)];
  for (const [name, width] of [
    ["wq", wide],
    ["wv", wideV],
  ] as const) {
    if (width % heads === 0) continue;
    throw new ShapeError("SHAPE", {
      op,
      rule: `${name} must have columns for all of heads=${heads} alike`,
      got: `${width} columns`,
      remedy: "make them a multiple of heads",
    });
  }
  const Co = p.wo ? columnsOf(op, "wo [heads·Dv, Co]", p.wo) : 0;
  checkTensors(op, [
    { name: "wq", tensor: p.wq, letters: "[C, heads·D]", shape: [C, wide] },
    ...optional("bq", p.bq, "[heads·D]", [wide]),
    { name: "wk", tensor: p.wk, letters: "[C, heads·D]", shape: [C, wide] },
    { name: "wv", tensor: p.wv, letters: "[C, heads·Dv]", shape: [C, wideV] },
    ...optional("bv", p.bv, "[heads·Dv]", [wideV]),
    ...optional("wo", p.wo, "[heads·Dv, Co]", [wideV, Co]),
    ...optional("bo", p.bo, "[Co], with wo,", [Co]),
  ]);
  return { D: wide / heads, Dv: wideV / heads };
}
