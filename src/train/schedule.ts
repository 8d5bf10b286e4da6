/**
 * Learning rates as pure functions of the step, so that a resumed run needs nothing but its step.
 *
 *     rate(k) = peak · (k + 1) / W                              while k < W (linear warm-up)
 *     rate(k) = peak                                            constant
 *               peak · √(W / (k + 1))                           inverse square root (Vaswani et al. 2017, § 5.3)
 *               floor + (peak − floor) · (1 − p)                linear decay
 *               floor + (peak − floor) · (1 + cos π p) / 2      cosine decay (Loshchilov & Hutter 2017, § 3)
 *
 * `k` counts optimiser steps from 0, `W = warmupSteps`, `K = steps` and `p = min(1, (k − W) / (K − W))`: the rate is
 * `peak` at steps W − 1 and W and would be `floor` at step K, one after the last.
 */
import { requireAtLeast, requireWhole } from "./options.ts";

/** Step, from 0 → learning rate. */
export type Schedule = (step: number) => number;

export interface WarmupOptions {
  /** The highest rate. */
  peak: number;
  /** Steps of linear warm-up, 0 for none (1 or more for the inverse square root). @default 0 */
  warmupSteps?: number;
}
export interface DecayOptions extends WarmupOptions {
  /** Steps of the whole run, warm-up included; more than `warmupSteps`. */
  steps: number;
  /** The rate decayed to, from 0. @default 0 */
  floor?: number;
}

/**
 * @example
 * const rate = constantSchedule({ peak: 1e-3, warmupSteps: 4 });
 * [rate(0), rate(3), rate(1000)]; // [0.00025, 0.001, 0.001]
 */
export function constantSchedule({ peak, warmupSteps = 0 }: WarmupOptions): Schedule {
  check("constantSchedule", peak, warmupSteps, 0);
  return warmUp(peak, warmupSteps, () => peak);
}

/**
 * @example
 * const rate = inverseSqrtSchedule({ peak: 1e-3, warmupSteps: 100 });
 * [rate(99), rate(399)]; // [0.001, 0.0005]
 */
export function inverseSqrtSchedule({ peak, warmupSteps = 1 }: WarmupOptions): Schedule {
  check("inverseSqrtSchedule", peak, warmupSteps, 1);
  return warmUp(peak, warmupSteps, (step) => peak * Math.sqrt(warmupSteps / (step + 1)));
}

/**
 * @example
 * const rate = linearSchedule({ peak: 1, steps: 10 });
 * [rate(0), rate(5), rate(9), rate(10)]; // [1, 0.5, 0.1, 0]
 */
export function linearSchedule(options: DecayOptions): Schedule {
  return decay("linearSchedule", options, (progress) => 1 - progress);
}

/**
 * @example
 * const rate = cosineSchedule({ peak: 1, steps: 10, floor: 0.1 });
 * [rate(0), rate(5), rate(10)]; // [1, 0.55, 0.1]
 */
export function cosineSchedule(options: DecayOptions): Schedule {
  return decay("cosineSchedule", options, (progress) => (1 + Math.cos(Math.PI * progress)) / 2);
}

function decay(
  op: string,
  { peak, warmupSteps = 0, steps, floor = 0 }: DecayOptions,
  share: (progress: number) => number,
): Schedule {
  check(op, peak, warmupSteps, 0);
  requireWhole(op, "steps", steps, warmupSteps + 1);
  requireAtLeast(op, "floor", floor, 0);
  return warmUp(peak, warmupSteps, (step) => {
    const progress = Math.min(1, (step - warmupSteps) / (steps - warmupSteps));
    return floor + (peak - floor) * share(progress);
  });
}

function warmUp(peak: number, warmupSteps: number, after: Schedule): Schedule {
  return (step) => (step < warmupSteps ? (peak * (step + 1)) / warmupSteps : after(step));
}

function check(op: string, peak: number, warmupSteps: number, leastWarmup: number): void {
  requireAtLeast(op, "peak", peak, 0);
  requireWhole(op, "warmupSteps", warmupSteps, leastWarmup);
}
