import * as tf from "@tensorflow/tfjs-core";
import {
  gatedDelta,
  linearAttention,
  linformerAttention,
  nystromAttention,
  orthogonalRandomFeatures,
  performerAttention,
  retention,
} from "../../src/attention/linear/index.ts";
import { lshAttention } from "../../src/attention/sparse/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { attention } from "../../src/ops/attention.ts";
import type { Metrics } from "../claim.ts";
import { prepare } from "../descend.ts";
import { logSlope } from "../statistics.ts";
import { normal } from "../variables.ts";
import { clock } from "./clock.ts";

const [H, D] = [1, 64];
/** Features of Performer, mixtures of Linformer and landmarks of Nyströmformer. */
const KEPT = 64;

/** Queries, keys and values [1, H, n, D]. */
export interface Inputs {
  q: tf.Tensor4D;
  k: tf.Tensor4D;
  v: tf.Tensor4D;
}

/** Milliseconds of one call, and of one with the gradients of its inputs. */
interface Times {
  forward: number;
  gradients: number;
}

const draw = <T extends tf.Tensor>(seed: number, shape: number[], deviation = 1) =>
  normal<T>(new RandomStream(seed), shape, deviation);

/** One call for n positions; what depends on n alone is made once. */
export type Maker = (n: number) => (x: Inputs) => tf.Tensor;

/** Every mechanism at its defaults, and the softmax that it is compared with. */
export const MAKERS = {
  softmax:
    () =>
    ({ q, k, v }) =>
      attention(q, k, v).output,
  "softmax-causal":
    () =>
    ({ q, k, v }) =>
      attention(q, k, v, { causal: true }).output,
  linear:
    () =>
    ({ q, k, v }) =>
      linearAttention(q, k, v).output,
  "linear-causal":
    () =>
    ({ q, k, v }) =>
      linearAttention(q, k, v, { causal: true }).output,
  performer: () => {
    const w = orthogonalRandomFeatures(KEPT, D, { seed: 1 });
    return ({ q, k, v }) => performerAttention(q, k, v, { w }).output;
  },
  linformer: (n) => {
    const e = draw<tf.Tensor2D>(4, [n, KEPT], 1 / Math.sqrt(KEPT));
    return ({ q, k, v }) => linformerAttention(q, k, v, { e }).output;
  },
  nystrom:
    () =>
    ({ q, k, v }) =>
      nystromAttention(q, k, v, {}, { landmarks: KEPT }).output,
  retention:
    () =>
    ({ q, k, v }) =>
      retention(q, k, v).output,
  "gated-delta": (n) => {
    const decay = tf.neg(tf.sigmoid(draw(5, [1, H, n])));
    const beta = tf.sigmoid(draw<tf.Tensor3D>(6, [1, H, n]));
    // A share of a key's length that keeps β k kᵀ within a step: keys of length 1, as the rule wants them.
    return ({ q, k, v }) =>
      gatedDelta(q, tf.mul(k, 1 / Math.sqrt(D)) as tf.Tensor4D, v, { decay, beta }).output;
  },
  lsh:
    () =>
    ({ q, k, v }) =>
      lshAttention(tf.add(q, k) as tf.Tensor4D, v).output,
} satisfies Record<string, Maker>;

export type Timed = keyof typeof MAKERS;

/** Rounds without news after which times have settled. */
const QUIET = 3;

export interface TimeOptions {
  lengths: readonly number[];
  /** Rounds over all lengths, of which each one's least time counts. */
  rounds: number;
  /** Stop before, once `QUIET` rounds in a row make no least time less by a twentieth. @default false */
  settle?: boolean;
  onProgress?: (share: number) => void;
}

/**
 * The least times of some mechanisms at every length: what else a machine does only adds to a time. Lengths and
 * mechanisms take turns, so that it adds to all alike.
 */
export async function leastTimes(
  names: readonly Timed[],
  { lengths, rounds, settle = false, onProgress }: TimeOptions,
): Promise<Map<Timed, Map<number, Times>>> {
  await prepare();
  tf.engine().startScope();
  try {
    const cases = lengths.flatMap((n) => {
      const x = drawInputs(n);
      return names.map((name) => ({ name, n, x, call: (MAKERS[name] as Maker)(n), least: worst() }));
    });
    let quiet = 0;
    for (let round = 0; round <= rounds && !(settle && quiet === QUIET); round++) {
      quiet++;
      for (const { call, x, least } of cases) {
        for (const kind of ["forward", "gradients"] as const) {
          const taken = time(call, x, kind === "gradients");
          // In the first round memory grows and kernels are compiled.
          if (round === 0 || taken < 0.95 * least[kind]) quiet = 0;
          if (round > 0) least[kind] = Math.min(least[kind], taken);
        }
      }
      onProgress?.(Math.min(round / rounds, 0.99));
    }
    onProgress?.(1);
    const of = (name: Timed) =>
      cases.filter((one) => one.name === name).map(({ n, least }) => [n, least] as const);
    return new Map(names.map((name) => [name, new Map(of(name))]));
  } finally {
    tf.engine().endScope();
  }
}

/** Queries, keys and values of n positions. */
export function drawInputs(n: number): Inputs {
  const [q, k, v] = [1, 2, 3].map((seed) => draw<tf.Tensor4D>(seed, [1, H, n, D]));
  return { q: q!, k: k!, v: v! };
}

/** One call, forward or with the gradients of its inputs; its result is read, so that it is done. */
export function run(call: (x: Inputs) => tf.Tensor, { q, k, v }: Inputs, withGradients: boolean): void {
  tf.tidy(() => {
    if (!withGradients) return void call({ q, k, v }).dataSync();
    const gradients = tf.grads((q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => call({ q, k, v } as Inputs));
    for (const gradient of gradients([q, k, v])) gradient.dataSync();
  });
}

/** Calls of a few milliseconds are repeated for so long: a collection of garbage takes as long as they do. */
const REPEAT_MS = 25;

/** The least time of one call. */
function time(call: (x: Inputs) => tf.Tensor, x: Inputs, withGradients: boolean): number {
  const begun = clock();
  let least = Number.POSITIVE_INFINITY;
  do {
    const start = clock();
    run(call, x, withGradients);
    least = Math.min(least, clock() - start);
  } while (clock() - begun < REPEAT_MS);
  return least;
}

function worst(): Times {
  return { forward: Number.POSITIVE_INFINITY, gradients: Number.POSITIVE_INFINITY };
}

/** By which power of n the time grows, `n` or n·log n taken out. */
export async function timeSlopes(
  name: Timed,
  logarithm: boolean,
  onProgress: (share: number) => void,
): Promise<Metrics> {
  const lengths = [512, 1024, 2048, 4096];
  const times = (await leastTimes([name], { lengths, rounds: 30, settle: true, onProgress })).get(name)!;
  const slope = (kind: keyof Times) =>
    logSlope([...times].map(([n, taken]) => [n, taken[kind] / (logarithm ? Math.log2(n) : 1)]));
  const last = times.get(lengths.at(-1)!)!;
  return {
    slope: slope("forward"),
    gradientSlope: slope("gradients"),
    milliseconds: last.forward,
    gradientMilliseconds: last.gradients,
  };
}

/** How many times faster than softmax attention each mechanism is, `<name>-<n>` and `<name>-<n>-gradients`. */
export async function speedups(options: TimeOptions): Promise<Metrics> {
  const times = await leastTimes(Object.keys(MAKERS) as Timed[], options);
  const metrics: Metrics = {};
  for (const [name, byLength] of times) {
    const isCausal = ["linear-causal", "retention", "gated-delta"].includes(name);
    const softmax = times.get(isCausal ? "softmax-causal" : "softmax")!;
    for (const [n, { forward, gradients }] of byLength) {
      if (name.startsWith("softmax")) {
        metrics[`${name}-${n}-ms`] = forward;
        metrics[`${name}-${n}-gradients-ms`] = gradients;
        continue;
      }
      metrics[`${name}-${n}`] = softmax.get(n)!.forward / forward;
      metrics[`${name}-${n}-gradients`] = softmax.get(n)!.gradients / gradients;
    }
  }
  return metrics;
}
