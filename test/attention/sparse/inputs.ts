/** Inputs for sparse attention, and what it must equal: dense attention under its mask. */
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import type { Pattern } from "../../../src/attention/mask/index.ts";
import { patternMask } from "../../../src/attention/mask/index.ts";
import { type SoftAttentionOptions, softAttention } from "../../../src/attention/sequence/index.ts";
import { distance, ROUNDING, random, tensor } from "../support.ts";

export interface Qkv {
  q: tf.Tensor4D;
  k: tf.Tensor4D;
  v: tf.Tensor4D;
}

export const make = (seed: number, ...shape: number[]) => tensor<tf.Tensor4D>(random(seed, shape));

/** Sizes are [B, H, Hkv, T, S, D, Dv]. */
export function inputs([B, H, Hkv, T, S, D, Dv]: readonly number[], seed = 1): Qkv {
  return {
    q: make(seed, B!, H!, T!, D!),
    k: make(seed + 1, B!, Hkv!, S!, D!),
    v: make(seed + 2, B!, Hkv!, S!, Dv!),
  };
}

export interface Both {
  output: tf.Tensor;
  lse?: tf.Tensor;
}

/** The largest |x|. */
const size = (x: ArrayLike<number>) =>
  Array.from(x).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/**
 * f gives the output and lse of dense attention under the pattern, and the same gradients from both, each to a few
 * roundings of its largest number. The two sum S terms, and D or Dv products in each, in another order: as many
 * roundings of 2⁻²⁴ at worst. A gradient is a difference of such sums, as large as four of it.
 */
export function expectDense(
  f: (x: Qkv) => Both,
  x: Qkv,
  pattern: Pattern,
  options: SoftAttentionOptions = {},
): void {
  tf.tidy(() => {
    const [T, S] = [x.q.shape[2], x.k.shape[2]];
    const roundings = (S + x.q.shape[3] + x.v.shape[3]) * ROUNDING;
    const check = (got: tf.Tensor, expected: tf.Tensor, amplified: number, what: string) => {
      const [a, b] = [got.dataSync(), expected.dataSync()];
      const finite = b.map((value) => (Number.isFinite(value) ? value : 0));
      expect(distance(a, b), what).toBeLessThanOrEqual(amplified * roundings * size(finite));
    };
    const dense = ({ q, k, v }: Qkv) =>
      softAttention(q, k, v, { ...options, allow: patternMask(T, S, pattern), lse: true });
    const [got, expected] = [f(x), dense(x)];
    check(got.output, expected.output, 1, "output");
    if (got.lse) check(got.lse, expected.lse, 1, "lse");
    const loss = (attend: (x: Qkv) => Both) => {
      return (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => {
        const { output, lse } = attend({ q, k, v } as Qkv);
        const weighted = tf.mean(tf.mul(output, tf.cos(tf.range(0, output.shape[3]!))));
        if (!lse || !got.lse) return weighted;
        const finite = tf.where(tf.isFinite(lse), lse, 0);
        return tf.add(weighted, tf.mean(tf.sin(finite)));
      };
    };
    const [own, others] = [f, dense].map((attend) => tf.grads(loss(attend))([x.q, x.k, x.v]));
    own!.forEach((gradient, n) => void check(gradient, others![n]!, 4, `gradient of ${"qkv"[n]}`));
  });
}

/** x with NaN in the positions from `from` on. */
export function spoiled(x: tf.Tensor4D, from: number): tf.Tensor4D {
  const [B, H, S, D] = x.shape;
  const kept = tf.slice(x, [0, 0, 0, 0], [B, H, from, D]);
  return tf.concat([kept, tf.fill([B, H, S - from, D], Number.NaN)], 2);
}

/** The names of the attention kernels that f runs. */
export async function kernelsOf(f: () => tf.Tensor): Promise<string[]> {
  const { kernels } = await tf.profile(f);
  return kernels.map(({ name }) => name).filter((name) => /HeedAttention/.test(name));
}
