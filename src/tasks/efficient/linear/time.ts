import * as tf from "@tensorflow/tfjs-core";
import {
  gatedDelta,
  linearAttention,
  linformerAttention,
  lshAttention,
  nystromAttention,
  orthogonalRandomFeatures,
  performerAttention,
  retention,
} from "../../../attention/efficient/index.ts";
import { loadGradients } from "../../../host/gradients.ts";
import { useHeedBackend } from "../../../host/select.ts";
import { attention } from "../../../ops/attention.ts";
import { drawInputs, type Inputs, logSlope, median, normal, type Times, time } from "./measure.ts";

const [H, D] = [2, 64];
/** Features of Performer, mixtures of Linformer and landmarks of Nyströmformer. */
const KEPT = 64;

/** One call for n positions; what depends on n alone is made once. */
type Maker = (n: number) => (x: Inputs) => tf.Tensor;

/** Every mechanism at its defaults, and the softmax that it is compared with. */
const MAKERS = {
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
    const e = tf.mul(normal(4, [n, KEPT]), 1 / Math.sqrt(KEPT)) as tf.Tensor2D;
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
    const decay = tf.neg(tf.sigmoid(normal(5, [1, H, n])));
    const beta = tf.sigmoid(normal(6, [1, H, n])) as tf.Tensor3D;
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

export interface TimeOptions {
  lengths: readonly number[];
  /** Calls of each length, of which the median counts. */
  runs: number;
  onProgress?: (share: number) => void;
}

/** Median times of some mechanisms at every length; calls take turns, so that a busy machine slows all alike. */
export async function medianTimes(
  names: readonly Timed[],
  { lengths, runs, onProgress }: TimeOptions,
): Promise<Map<Timed, Map<number, Times>>> {
  await useHeedBackend();
  await loadGradients();
  const times = new Map(names.map((name) => [name, new Map<number, Times>()]));
  for (const [at, n] of lengths.entries()) {
    tf.engine().startScope();
    try {
      const x = drawInputs(n, H, D);
      const calls = names.map((name) => (MAKERS[name] as Maker)(n));
      const taken = names.map(() => ({ forward: [] as number[], gradients: [] as number[] }));
      for (let run = 0; run <= runs; run++) {
        for (const [index, call] of calls.entries()) {
          const forward = time(call, x, false);
          const gradients = time(call, x, true);
          if (run === 0) continue; // memory grows and kernels are compiled
          taken[index]!.forward.push(forward);
          taken[index]!.gradients.push(gradients);
        }
        onProgress?.((at + run / runs) / lengths.length);
      }
      for (const [index, name] of names.entries()) {
        const { forward, gradients } = taken[index]!;
        times.get(name)!.set(n, { forward: median(forward), gradients: median(gradients) });
      }
    } finally {
      tf.engine().endScope();
    }
  }
  return times;
}

/** By which power of n the time grows, `n` or n·log n taken out. */
export async function timeSlopes(
  name: Timed,
  logarithm: boolean,
  onProgress: (share: number) => void,
): Promise<Record<string, number>> {
  const lengths = [512, 1024, 2048, 4096];
  const times = (await medianTimes([name], { lengths, runs: 3, onProgress })).get(name)!;
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
export async function speedups(options: TimeOptions): Promise<Record<string, number>> {
  const times = await medianTimes(Object.keys(MAKERS) as Timed[], options);
  const figures: Record<string, number> = {};
  for (const [name, byLength] of times) {
    const isCausal = ["linear-causal", "retention", "gated-delta"].includes(name);
    const softmax = times.get(isCausal ? "softmax-causal" : "softmax")!;
    for (const [n, { forward, gradients }] of byLength) {
      if (name.startsWith("softmax")) {
        figures[`${name}-${n}-ms`] = forward;
        figures[`${name}-${n}-gradients-ms`] = gradients;
        continue;
      }
      figures[`${name}-${n}`] = softmax.get(n)!.forward / forward;
      figures[`${name}-${n}-gradients`] = softmax.get(n)!.gradients / gradients;
    }
  }
  return figures;
}
