import * as tf from "@tensorflow/tfjs-core";
import { compileProgram } from "../../core/program.ts";
import { attentionShapes, checkRank } from "../../core/shapes.ts";
import { runAttention } from "../../ops/attention/run.ts";
import { checkTensors } from "../../ops/check.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { checkKeyMask, type SingleQueryOptions } from "./key-mask.ts";

export interface AttentionPoolingParameters {
  /** What is looked for, [C]. */
  query: tf.Tensor1D;
}

export interface AttentionPoolingOptions extends SingleQueryOptions {}

export type AttentionPoolingResult<O> = { output: tf.Tensor2D } & Asked<O, "weights", tf.Tensor2D>;

/**
 * Attention pooling: a sequence becomes one vector, the mean of its positions weighted by a learned query.
 *
 *     α = softmax_s(scale · x_s·query),    output = Σ_s α_s x_s
 *
 * Symbols: query learned, the same for all examples; scale = 1/√C.
 * Shapes: x [B, S, C], query [C] → output [B, C], weights [B, S].
 * Conventions: query = 0 is the mean of what is seen. The order of positions does not matter. `allow` is bool [S] or
 * [B, S]; an example that sees nothing gives 0; NaN in hidden places reaches nothing. `multiHeadPooling` has several
 * queries and projections.
 * Cost: O(B·S·C), one kernel. Papers: Lin et al. 2017, §2.1, arxiv.org/abs/1703.03130; Yang et al. 2016, §2.2,
 * aclanthology.org/N16-1174, whose u_w is the query and whose x are tanh(W h + b).
 *
 * @throws ShapeError RANK, SHAPE · and what `attention` throws for its options
 * @draws
 * // Four sequences of 24; the query looks for the large first coordinate, and finds it where it is.
 * const peak = tf.tensor2d([4, 11, 17, 20], [4, 1]);
 * const bump = tf.exp(tf.mul(-0.3, tf.square(tf.sub(tf.range(0, 24), peak))));
 * const x = tf.stack([tf.mul(bump, 5), tf.onesLike(bump)], -1);
 * return attentionPooling(x, { query: tf.tensor1d([1, 0]) }, { weights: true }).weights;
 * @example
 * const query = tf.variable(tf.zeros([7]));
 * const { output, weights } = attentionPooling(values, { query }, { keyLengths: [4, 5], weights: true });
 * weights; // [[0.25, 0.25, 0.25, 0.25, 0], [0.2, 0.2, 0.2, 0.2, 0.2]]
 */
export function attentionPooling<const O extends AttentionPoolingOptions>(
  x: tf.Tensor3D,
  { query }: AttentionPoolingParameters,
  options: O = {} as O,
): AttentionPoolingResult<O> {
  const { weights, finite, allow, ...rest }: AttentionPoolingOptions = options;
  const op = "attentionPooling";
  checkRank(op, "x [B, S, C]", x, 3);
  const [B, S, C] = x.shape;
  checkTensors(op, [
    { name: "x", tensor: x, letters: "[B, S, C]", shape: [B, S, C] },
    { name: "query", tensor: query, letters: "[C]", shape: [C] },
  ]);
  const array = (...shape: number[]) => ({ shape, dtype: "float32" });
  const positions = array(B, S, 1, C);
  const shapes = attentionShapes(op, array(B, 1, 1, C), positions, positions, "bthd");
  return tidyAsked((): AttentionPoolingResult<AttentionPoolingOptions> => {
    const program = compileProgram<tf.Tensor>(op, shapes, { ...rest, ...checkKeyMask(op, allow, B, S) });
    const keys = tf.expandDims<tf.Tensor4D>(x, 2);
    const q = tf.broadcastTo(tf.reshape(query, [1, 1, 1, C]), [B, 1, 1, C]) as tf.Tensor4D;
    const result = runAttention(program, "bthd", { q, k: keys, v: keys }, { weights, finite });
    return {
      output: tf.reshape(result.output, [B, C]),
      ...(result.weights && { weights: tf.reshape(result.weights, [B, S]) }),
    };
  });
}
