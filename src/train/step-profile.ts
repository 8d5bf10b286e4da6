import { getBackend } from "@tensorflow/tfjs-core";
import { HeedError, OptionError } from "../core/errors.ts";
import { currentMeter, Meter, setMeter } from "../host/meter.ts";
import { BACKEND } from "../host/register.ts";

const OP = "profileStep";

/** What the kernels of one name took of a step. */
export interface KernelShare {
  /** TensorFlow.js' name of the kernel: `HeedAttention`, `BatchMatMul`. */
  readonly name: string;
  /** Whether it is heed's code, and not that of TensorFlow.js. */
  readonly ours: boolean;
  readonly calls: number;
  /** Without those in kernels that it ran itself. */
  readonly seconds: number;
  /** Of the step, from 0 to 1. */
  readonly share: number;
}

export interface StepProfile {
  /** Of the whole step, by the clock. */
  readonly seconds: number;
  /** Share of the step in heed's kernels, from 0 to 1. */
  readonly ours: number;
  /** Share in kernels of TensorFlow.js. The rest of 1 is JavaScript: the tape, bookkeeping, and the step's own. */
  readonly stock: number;
  /** The slowest first. A kernel of heed that hands numbers of another kind to the stock one is in here twice. */
  readonly kernels: readonly KernelShare[];
}

/**
 * Runs a step and tells which kernels its time went to, heed's and those of TensorFlow.js.
 *
 *     share = seconds in the kernels of a name / seconds of the step
 *
 * Conventions: the clock is the one on the wall; a kernel that works on several threads counts once. Kernels that run
 * elsewhere while an asynchronous step waits count too. The first steps of a program are slower: profile a later one.
 * It costs two readings of the clock a kernel, and changes nothing: also after a step that throws, later ones run as
 * if there had been no profile.
 *
 * @param step what it returns stays the caller's
 * @throws HeedError UNSUPPORTED on another backend than `heed` · OptionError CONFLICT within a step that is profiled · what the step throws
 * @example
 * const w = tf.variable(tf.ones([3, 2]));
 * const adam = new Adam();
 * const profile = await profileStep(() => {
 *   const { grads } = namedGradients({ w }, () => tf.sum(tf.square(w)));
 *   adam.apply(grads, { w });
 *   tf.dispose(grads);
 * });
 * `${(100 * profile.ours).toFixed()} % in heed's kernels, slowest ${profile.kernels[0].name}`;
 */
export async function profileStep(step: () => unknown): Promise<StepProfile> {
  if (getBackend() !== BACKEND) {
    throw new HeedError("UNSUPPORTED", {
      op: OP,
      rule: `the backend must be "${BACKEND}", whose kernels are measured`,
      got: getBackend(),
      remedy: 'import "heed/backend" and await tf.setBackend("heed") first',
    });
  }
  if (currentMeter()) {
    throw new OptionError("CONFLICT", {
      op: OP,
      rule: "one step can be profiled at a time",
      got: "another while one runs",
      remedy: "await the first one",
    });
  }
  const meter = new Meter();
  setMeter(meter);
  const start = performance.now();
  try {
    await step();
  } finally {
    setMeter(undefined);
  }
  return summary(meter, performance.now() - start);
}

function summary(meter: Meter, stepMs: number): StepProfile {
  const kernels = meter.times
    .map(({ name, ours, calls, ms }) => ({ name, ours, calls, seconds: ms / 1000, share: ms / stepMs }))
    .sort((a, b) => b.seconds - a.seconds);
  const shareOf = (isOurs: boolean) =>
    kernels.reduce((sum, { ours, share }) => (ours === isOurs ? sum + share : sum), 0);
  return { seconds: stepMs / 1000, ours: shareOf(true), stock: shareOf(false), kernels };
}
