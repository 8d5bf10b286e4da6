import * as tf from "@tensorflow/tfjs-core";
import {
  gatedDelta,
  linearAttention,
  linformerAttention,
  nystromAttention,
  orthogonalRandomFeatures,
  performerAttention,
  retention,
} from "../../../attention/linear/index.ts";
import { lshAttention } from "../../../attention/sparse/index.ts";
import { loadGradients } from "../../../host/gradients.ts";
import { useHeedBackend } from "../../../host/select.ts";
import { attention } from "../../../ops/attention.ts";
import { drawInputs, type Inputs, logSlope, normal, type Times, time } from "./measure.ts";

const [H, D] = [1, 64];
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
  await useHeedBackend();
  await loadGradients();
  tf.engine().startScope();
  try {
    const cases = lengths.flatMap((n) => {
      const x = drawInputs(n, H, D);
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

function worst(): Times {
  return { forward: Number.POSITIVE_INFINITY, gradients: Number.POSITIVE_INFINITY };
}

/** By which power of n the time grows, `n` or n·log n taken out. */
export async function timeSlopes(
  name: Timed,
  logarithm: boolean,
  onProgress: (share: number) => void,
): Promise<Record<string, number>> {
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
export async function speedups(options: TimeOptions): Promise<Record<string, number>> {
  const times = await leastTimes(Object.keys(MAKERS) as Timed[], options);
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
