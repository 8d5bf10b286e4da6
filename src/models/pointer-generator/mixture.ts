import * as tf from "@tensorflow/tfjs-core";

/** Takes the place of log 0: in a sum of exponentials it counts nothing, and its differences are no NaN. */
const NOTHING = -1e30;
/** The least probability that float32 tells from 0: 87.3 nats. */
const LEAST = 2 ** -126;

/** What is known of each word that is asked for; all [N]. */
export interface Asked {
  /** z, p_gen = σ(z); any number, ±∞ included. */
  gate: tf.Tensor1D;
  /** log P_vocab of the word; not read where `known` is false. */
  generated: tf.Tensor1D;
  /** bool: whether the vocabulary has the word. */
  known: tf.Tensor1D;
  /** Σ a over the places of the source that hold the word; 0 where none does. */
  copied: tf.Tensor1D;
}

/**
 * The log-probability of words by a pointer-generator, mixed in log space.
 *
 *     log P(w) = logaddexp(log p_gen + log P_vocab(w), log(1 − p_gen) + log Σ_{i: w_i = w} a_i)
 *
 * log p_gen = logσ(z) and log(1 − p_gen) = logσ(−z) are finite where p_gen itself is rounded to 0 or 1. A word that
 * neither side can write has P = 0 and counts as 2⁻¹²⁶, without a gradient: nothing is NaN or infinite.
 *
 * Shapes: all [N] → [N]. Paper: See, Liu & Manning 2017, §2.2, (9), arxiv.org/abs/1704.04368.
 */
export function logMixture({ gate, generated, known, copied }: Asked): tf.Tensor1D {
  return tf.tidy(() => {
    // logσ(z) = −softplus(−z). The gradient of tf.logSigmoid reads its input, which a tidy has disposed by then.
    const isCopied = tf.greaterEqual(copied, LEAST);
    const logCopied = tf.where(isCopied, tf.log(tf.maximum(copied, LEAST)), NOTHING);
    const write = tf.sub(tf.where(known, generated, NOTHING), tf.softplus(tf.neg(gate)));
    const copy = tf.sub(logCopied, tf.softplus(gate));
    // One of the two stays finite where the gate is infinite, as softplus(−∞) = 0.
    const mixed = tf.logSumExp(tf.stack([write, copy]), 0);
    return tf.where(tf.greater(mixed, NOTHING / 2), mixed, Math.log(LEAST)) as tf.Tensor1D;
  });
}

/** The numbers of one step of N rows over B sources. */
export interface StepMixture {
  /** [N, V] */
  logits: Float32Array;
  /** Their log-sum-exp [N]. */
  norms: Float32Array;
  /** a [N, S] */
  weights: Float32Array;
  /** z [N], or undefined for a model that cannot copy. */
  gates?: Float32Array | undefined;
  /** The words of each source [B, S], those outside of the vocabulary from V on. */
  words: Int32Array;
  /** How many numbers from V on there are. */
  own: number;
}

/**
 * log P of every word that a step can write: of V words and of the sources' own [N, V + own]. −∞ is P = 0: what
 * another source of the batch has. Where hypotheses of one source are neighbours, N is a multiple of B.
 */
export function wordLogProbabilities(step: StepMixture): Float32Array {
  const { logits, norms, weights, gates, words, own } = step;
  const N = norms.length;
  const [V, S] = [logits.length / N, weights.length / N];
  const B = words.length / S;
  const W = V + own;
  const out = new Float32Array(N * W).fill(-Infinity);
  for (let n = 0; n < N; n++) {
    const write = (gates ? logSigmoid(gates[n]!) : 0) - norms[n]!;
    for (let v = 0; v < V; v++) out[n * W + v] = logits[n * V + v]! + write;
    if (!gates) continue;
    const copy = logSigmoid(-gates[n]!);
    const first = Math.floor((n * B) / N) * S;
    const shares = new Map<number, number>();
    for (let s = 0; s < S; s++) {
      const a = weights[n * S + s]!;
      // Padding has weight 0.
      if (a > 0) shares.set(words[first + s]!, (shares.get(words[first + s]!) ?? 0) + a);
    }
    for (const [word, share] of shares) {
      out[n * W + word] = logAddExp(out[n * W + word]!, copy + Math.log(share));
    }
  }
  return out;
}

/** log σ(z), without loss for large |z|. */
function logSigmoid(z: number): number {
  return z < 0 ? z - Math.log1p(Math.exp(z)) : -Math.log1p(Math.exp(-z));
}

function logAddExp(a: number, b: number): number {
  const most = Math.max(a, b);
  return most === -Infinity ? most : most + Math.log1p(Math.exp(Math.min(a, b) - most));
}

/**
 * c of each step from its weights: what all steps before it looked at, zero at the first.
 *
 * @example
 * coverageOf([Float32Array.of(0.25, 0.75), Float32Array.of(1, 0)]); // [[0, 0], [0.25, 0.75]]
 */
export function coverageOf(weights: readonly ArrayLike<number>[]): Float32Array[] {
  let sum = new Float32Array(weights[0]?.length ?? 0);
  return weights.map((row) => {
    const before = sum;
    sum = before.map((c, s) => c + row[s]!);
    return before;
  });
}
