import * as tf from "@tensorflow/tfjs-core";
import { scanStates } from "./state-scan.ts";
import { unitLowerInverse } from "./unit-lower-inverse.ts";

/** The inputs of one recurrence, of H query heads over Hkv states. */
export interface Recurrence {
  /** [B, H, T, D] */
  q: tf.Tensor4D;
  /** [B, Hkv, T, D] */
  k: tf.Tensor4D;
  /** [B, Hkv, T, Dv] */
  v: tf.Tensor4D;
  /** Logarithm of what a step leaves of the state, all of it or each of its D rows. [B, Hkv, T, 1 or D] @default 0 */
  decay?: tf.Tensor4D;
  /** With it a step corrects what the state returns for its key, by this share. [B, Hkv, T, 1] @default it adds */
  beta?: tf.Tensor4D;
  /** The state before the first step. [B, Hkv, D, Dv] @default zeros */
  state?: tf.Tensor4D;
}

export interface StateResult {
  output: tf.Tensor4D;
  state?: tf.Tensor4D;
}

/**
 * A recurrence whose state is a matrix, in chunks of L steps: inside a chunk a masked product, between chunks the state.
 *
 *     S_t = e^{g_t} S_{t−1} + k_t u_tᵀ,    o_t = S_tᵀ q_t,    u_t = v_t, or β_t (v_t − e^{g_t} S_{t−1}ᵀ k_t)
 *
 * With G_i = Σ_{j≤i} g_j in its chunk, P_ij = q_i·k_j e^{G_i−G_j} for j ≤ i and S the state before it:
 *
 *     O = (Q e^G) S + P U,    S' = e^{G_L} S + (K e^{G_L−G})ᵀ U
 *     U = V, or T (β V) − T (β K e^G) S,    T = (I + β K Kᵀ e^{G_i−G_j}, below the diagonal)⁻¹
 *
 * All chunks at once but for the states, which follow one another (`scanStates`). No exponent is positive where the
 * decays are not: nothing overflows, however strong they are. Decays of rows pay for it: L²·D exponentials a chunk.
 * Query heads that share a state are more rows of its products.
 *
 * Shapes: → output [B, H, T, Dv], state [B, Hkv, D, Dv] where asked for. Cost: O(n·L·(D + Dv) + n·D·Dv), and with β
 * O(n·L² + n·D²) more; memory O(n·(L + D + Dv) + n/L·D·Dv), and n·L·D more for decays of rows.
 */
export function chunkedState(r: Recurrence, chunkSize: number, returnState: boolean): StateResult {
  const [B, H, steps, D] = r.q.shape;
  const [, Hkv, , Dv] = r.v.shape;
  const L = Math.min(chunkSize, steps);
  const N = Math.ceil(steps / L);
  const [M, G] = [B * Hkv, H / Hkv];
  const split = (x: tf.Tensor4D) => tf.reshape(padSteps(x, N * L), [M * N, L, x.shape[3]]) as tf.Tensor3D;
  const q = splitQueries(padSteps(r.q, N * L), [M, G, N, L]);
  const [k, v] = [split(r.k), split(r.v)];
  const decay = new Decay(r.decay && split(r.decay), L);
  const beta = r.beta && split(r.beta);

  const scores = decay.products(q, k, G);
  let written = v;
  let forgotten: tf.Tensor3D | undefined;
  if (beta) {
    const inner = tf.mul(decay.products(k, k, 1), tf.sub(1, tf.eye(L))); // without the diagonal
    const inverse = unitLowerInverse(tf.mul(beta, inner));
    written = tf.matMul(inverse, tf.mul(beta, v)) as tf.Tensor3D;
    forgotten = tf.matMul(inverse, tf.mul(beta, decay.fromStart(k, 1))) as tf.Tensor3D;
  }
  let output: tf.Tensor = tf.matMul(scores, written);
  let state: tf.Tensor4D | undefined;
  if (N > 1 || r.state || returnState) {
    const last = decay.toEnd(k);
    const chunk = (x: tf.Tensor) => tf.reshape<tf.Rank>(x, [M, N, ...x.shape.slice(1)]) as tf.Tensor4D;
    const update = chunk(tf.matMul(last, written, true));
    const transition = decay.transition(last, forgotten);
    const states = scanStates(
      {
        update,
        ...(transition && { transition: chunk(transition) }),
        ...(r.state && { initial: tf.reshape(r.state, [M, D, Dv]) }),
      },
      returnState,
    );
    const before = returnState ? tf.slice(states, [0, 0, 0, 0], [M, N, D, Dv]) : states;
    const read = decay.fromStart(q, G);
    const reads = forgotten ? tf.sub(read, tf.matMul(scores, forgotten)) : read;
    output = tf.add(output, tf.matMul(reads, tf.reshape(before, [M * N, D, Dv])));
    if (returnState) state = tf.reshape(tf.slice(states, [0, N, 0, 0], [M, 1, D, Dv]), [B, Hkv, D, Dv]);
  }
  const joined = joinQueries(output, [M, G, N, L], [B, H, N * L, Dv]);
  const whole = N * L === steps ? joined : (tf.slice(joined, [0, 0, 0, 0], [B, H, steps, Dv]) as tf.Tensor4D);
  return { output: whole, ...(state && { state }) };
}

/** x with steps of zeros up to this many: they neither write nor forget. */
function padSteps(x: tf.Tensor4D, steps: number): tf.Tensor4D {
  const more = steps - x.shape[2];
  if (more === 0) return x;
  return tf.pad(x, [
    [0, 0],
    [0, 0],
    [0, more],
    [0, 0],
  ]) as tf.Tensor4D;
}

type Folding = readonly [M: number, G: number, N: number, L: number];

/** [B, H, N·L, D] → [M·N, G·L, D]: the queries of the heads that share a state, one head below the other. */
function splitQueries(q: tf.Tensor4D, [M, G, N, L]: Folding): tf.Tensor3D {
  const D = q.shape[3];
  if (G === 1) return tf.reshape(q, [M * N, L, D]);
  return tf.reshape(tf.transpose(tf.reshape(q, [M, G, N, L, D]), [0, 2, 1, 3, 4]), [M * N, G * L, D]);
}

function joinQueries(
  out: tf.Tensor,
  [M, G, N, L]: Folding,
  shape: [number, number, number, number],
): tf.Tensor4D {
  if (G === 1) return tf.reshape(out, shape);
  return tf.reshape(tf.transpose(tf.reshape(out, [M, N, G, L, shape[3]]), [0, 2, 1, 3, 4]), shape);
}

/** e^g is 0 in float32 from here down. Sums of decays hold no digits of weak ones beside one that is far below. */
const FORGOTTEN = -104;

/** What the decays of a chunk do to products and states; without decays, nothing. */
class Decay {
  /** G_i, the decays up to and with step i. [M·N, L, 1 or D] */
  readonly sums: tf.Tensor3D | undefined;
  readonly L: number;

  constructor(decay: tf.Tensor3D | undefined, L: number) {
    this.L = L;
    const bounded = decay && tf.maximum(decay, FORGOTTEN);
    this.sums = bounded && (tf.matMul(tf.expandDims(lowerOnes(L), 0), bounded) as tf.Tensor3D);
  }

  /** x_i·y_j e^{G_i−G_j} for j ≤ i, else 0; G heads of x below one another. */
  products(x: tf.Tensor3D, y: tf.Tensor3D, G: number): tf.Tensor {
    const { sums, L } = this;
    const lower = lowerOnes(L);
    if (!sums) return tf.mul(tf.matMul(x, y, false, true), repeat(lower, G, 0));
    const [MN, , width] = sums.shape;
    if (width === 1) {
      const between = tf.sub(sums, tf.reshape(sums, [MN, 1, L]));
      // −∞ above the diagonal, where the difference is positive and its exponential could overflow.
      const factors = tf.exp(tf.add(between, tf.log(lower)));
      return tf.mul(tf.matMul(x, y, false, true), repeat(factors, G, 1));
    }
    const D = width;
    const between = tf.sub(tf.reshape(sums, [MN, L, 1, D]), tf.reshape(sums, [MN, 1, L, D]));
    const factors = tf.exp(tf.add(between, tf.log(tf.reshape(lower, [1, L, L, 1]))));
    const keys = tf.reshape(tf.mul(factors, tf.reshape(y, [MN, 1, L, D])), [MN * L, L, D]);
    const queries = tf.reshape(tf.transpose(tf.reshape(x, [MN, G, L, D]), [0, 2, 3, 1]), [MN * L, D, G]);
    const products = tf.reshape(tf.matMul(keys, queries), [MN, L, L, G]);
    return tf.reshape(tf.transpose(products, [0, 3, 1, 2]), [MN, G * L, L]);
  }

  /** x_i e^{G_i} */
  fromStart(x: tf.Tensor3D, G: number): tf.Tensor {
    return this.sums ? tf.mul(x, repeat(tf.exp(this.sums), G, 1)) : x;
  }

  /** x_i e^{G_L−G_i} */
  toEnd(x: tf.Tensor3D): tf.Tensor {
    return this.sums ? tf.mul(x, tf.exp(tf.sub(this.total(this.sums), this.sums))) : x;
  }

  /** What a chunk leaves of the state: e^{G_L}, less what its corrections take; undefined for all of it. */
  transition(last: tf.Tensor, forgotten: tf.Tensor | undefined): tf.Tensor | undefined {
    const whole = this.sums && tf.transpose(tf.exp(this.total(this.sums)), [0, 2, 1]); // [M·N, 1 or D, 1]
    if (!forgotten) return whole;
    const identity = tf.eye(last.shape[2]!);
    return tf.sub(whole ? tf.mul(whole, identity) : identity, tf.matMul(last, forgotten, true));
  }

  /** G_L [M·N, 1, 1 or D] */
  private total(sums: tf.Tensor3D): tf.Tensor3D {
    const [MN, L, width] = sums.shape;
    return tf.slice(sums, [0, L - 1, 0], [MN, 1, width]);
  }
}

/** x, times times one after the other. */
function repeat(x: tf.Tensor, times: number, axis: number): tf.Tensor {
  if (times === 1) return x;
  return tf.tile(
    x,
    x.shape.map((_, n) => (n === axis ? times : 1)),
  );
}

/** 1 for j ≤ i, else 0. [L, L] */
export function lowerOnes(L: number): tf.Tensor2D {
  const ones = Float32Array.from({ length: L * L }, (_, e) => (e % L <= Math.floor(e / L) ? 1 : 0));
  return tf.tensor2d(ones, [L, L]);
}
