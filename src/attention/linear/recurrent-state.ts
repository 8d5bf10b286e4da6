import * as tf from "@tensorflow/tfjs-core";
import type { Recurrence, StateResult } from "./chunked-state.ts";

/**
 * A recurrence whose state is a matrix, step by step as it is defined: the form for decoding, and what the chunks are
 * compared with.
 *
 *     S_t = e^{g_t} S_{t−1} + k_t u_tᵀ,    o_t = S_tᵀ q_t,    u_t = v_t, or β_t (v_t − e^{g_t} S_{t−1}ᵀ k_t)
 *
 * Shapes: as `chunkedState`. Cost: O(n·D·Dv) time; with gradients as much memory, for every step's state is kept.
 */
export function recurrentState(r: Recurrence, returnState: boolean): StateResult {
  const [B, H, steps, D] = r.q.shape;
  const [, Hkv, , Dv] = r.v.shape;
  const M = B * Hkv;
  const stepsOf = (x: tf.Tensor4D | undefined) => x && unstackSteps(tf.reshape(x, [M, steps, x.shape[3]]));
  const queries = unstackSteps(
    tf.reshape(tf.transpose(tf.reshape(r.q, [M, H / Hkv, steps, D]), [0, 2, 1, 3]), [
      M,
      steps,
      (H / Hkv) * D,
    ]),
  );
  const [keys, values] = [stepsOf(r.k)!, stepsOf(r.v)!];
  const [decays, betas] = [stepsOf(r.decay), stepsOf(r.beta)];
  let state: tf.Tensor = r.state ? tf.reshape(r.state, [M, D, Dv]) : tf.zeros([M, D, Dv]);
  const outputs = queries.map((query, t) => {
    const key = tf.reshape(keys[t]!, [M, D, 1]);
    let value = tf.reshape(values[t]!, [M, 1, Dv]) as tf.Tensor;
    if (decays) state = tf.mul(state, tf.exp(tf.expandDims(decays[t]!, 2)));
    if (betas) {
      const read = tf.matMul(key, state, true);
      value = tf.mul(tf.expandDims(betas[t]!, 2), tf.sub(value, read));
    }
    state = tf.add(state, tf.mul(key, value));
    return tf.matMul(tf.reshape(query, [M, H / Hkv, D]), state);
  });
  const output = tf.reshape(tf.transpose(tf.stack(outputs), [1, 2, 0, 3]), [B, H, steps, Dv]) as tf.Tensor4D;
  return { output, ...(returnState && { state: tf.reshape(state, [B, Hkv, D, Dv]) as tf.Tensor4D }) };
}

/** The steps of x [M, T, width]. TensorFlow.js' gradient of unstack fails where there is a single one. */
function unstackSteps(x: tf.Tensor): tf.Tensor[] {
  return x.shape[1] === 1 ? [tf.squeeze(x, [1])] : tf.unstack(x, 1);
}
