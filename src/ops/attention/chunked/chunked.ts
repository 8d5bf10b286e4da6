/**
 * Attention of TensorFlow.js ops that never stores T × S: a chunk of queries goes over the keys chunk by chunk, and keeps of
 * those behind it
 *
 *     m = max_s e_s,    z = Σ_s exp(e_s − m),    a = Σ_s exp(e_s − m) v_s,    z and a times exp(m − m′) where m rises to m′
 *
 * so that out = a / z and lse = m + ln z at the end. The backward pass computes the scores of a chunk again from q and k:
 *
 *     p = exp(e − m) / z,    dv = (p∘f)ᵀ dout,    de = p ∘ (f ∘ dout·vᵀ − δ),    δ = Σ dout·out − dlse
 *
 * with f, dropout's factors. Memory O((T + S)·D + chunk of queries · chunk of keys) for each head, forward and backward.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { AttentionProgram } from "../../../core/program.ts";
import { backwardRows } from "./backward.ts";
import { forwardRows } from "./forward.ts";
import type { ChunkedOptions } from "./scores.ts";

type Program = AttentionProgram<tf.Tensor>;

/**
 * Output [B, H, T, Dv] and log-sum-exp [B, H, T] of q [B, H, T, D], k [B, Hkv, S, D] and v [B, Hkv, S, Dv], differentiable
 * once in these, bias and sink; there are queries and keys. Chunks that band and lengths hide are left out.
 *
 * @throws OptionError EMPTY_ROW
 */
export function chunkedAttention(
  program: Program,
  [q, k, v]: readonly [tf.Tensor, tf.Tensor, tf.Tensor],
  options: ChunkedOptions,
): { output: tf.Tensor; lse: tf.Tensor } {
  const { B, H, T, Dv } = program.shapes;
  const { bias, sink } = program;
  const learned = [...(bias ? [bias.array] : []), ...(typeof sink === "object" ? [sink] : [])];
  // A custom gradient has one output: lse is its last column.
  const call = tf.customGrad((...given) => {
    const save = given.pop() as unknown as tf.GradSaveFunc;
    const inputs = given as tf.Tensor[];
    const { rows, statistics } = forwardRows(withArrays(program, inputs), inputs, options);
    save([...inputs, rows, statistics]);
    return {
      value: rows,
      gradFunc: (drows: tf.Tensor, saved: tf.Tensor[]) => {
        const kept = saved.slice(0, -2);
        const [rows, statistics] = saved.slice(-2) as [tf.Tensor, tf.Tensor];
        return backwardRows(withArrays(program, kept), kept, { rows, statistics, drows }, options);
      },
    };
  });
  const [output, lse] = tf.split(call(q, k, v, ...learned), [Dv, 1], 3) as [tf.Tensor, tf.Tensor];
  return { output, lse: tf.reshape(lse, [B, H, T]) };
}

/** The program with the arrays that stand behind q, k and v. */
function withArrays(program: Program, [, , , ...learned]: readonly tf.Tensor[]): Program {
  const { bias, sink } = program;
  const array = bias && learned.shift()!;
  return {
    ...program,
    bias: bias && { ...bias, array: array! },
    sink: typeof sink === "object" ? learned.shift()! : sink,
  };
}
