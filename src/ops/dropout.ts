import {
  type GradConfig,
  mul,
  type NamedAttrMap,
  type Tensor,
  tensor,
  tidy,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { OptionError } from "../core/errors.ts";
import { RandomStream } from "../core/random.ts";
import { checkTensors } from "./check.ts";
import { ensureGradient, isFused, runKernel, runKernels } from "./registry.ts";

const KERNEL = "HeedDropout";

export interface DropoutOptions {
  /** Any safe integer from 0: the same seed, stream and rate drop the same elements on every backend. */
  seed: number;
  /** Tells apart the places of a model that share a seed; a safe integer from 0. @default 0 */
  stream?: number;
}

/** Of dy what is kept of x, as the forward pass remembers it. */
const keep = (dy: Tensor, kept: Tensor, { rate }: NamedAttrMap) =>
  runKernel(`${KERNEL}Grad`, { dy, kept }, { rate });

// Dropout is linear in x: its gradient drops the same elements, and so does that gradient's.
const gradients: readonly GradConfig[] = [
  {
    kernelName: KERNEL,
    outputsToSave: [false, true],
    gradFunc: (dys, [kept], attrs) => ({ x: () => keep((dys as Tensor[])[0]!, kept!, attrs) }),
  },
  {
    kernelName: `${KERNEL}Grad`,
    inputsToSave: ["kept"],
    gradFunc: (dy, [kept], attrs) => ({ dy: () => keep(dy as Tensor, kept!, attrs) }),
  },
];

function composed<T extends Tensor>(x: T, rate: number, random: RandomStream): T {
  const kept = Uint8Array.from({ length: x.size }, () => (random.uniform() >= rate ? 1 : 0));
  return where(tensor(kept, x.shape, "bool"), mul(x, 1 / (1 - rate)), zerosLike(x)) as T;
}

/**
 * Inverted dropout: each element is 0 with probability `rate` and x / (1 − rate) otherwise, so that its mean stays.
 *
 * Which elements go is a function of seed, stream and position (number i of `RandomStream(seed, stream)` below
 * `rate` drops element i): equal on every backend, bit for bit. The gradient drops them by one bit an element, which is
 * all that is kept.
 *
 * Paper: Srivastava et al. 2014, jmlr.org/papers/v15/srivastava14a.html; the division, Baldi & Sadowski 2013.
 *
 * @throws OptionError OPTION when rate is outside 0 ≤ rate < 1; also for a bad seed or stream
 * @example
 * const y = dropout(x, 0.2, { seed: step, stream: 3 });
 */
export function dropout<T extends Tensor>(x: T, rate: number, { seed, stream = 0 }: DropoutOptions): T {
  if (!(rate >= 0 && rate < 1)) {
    throw new OptionError("OPTION", {
      op: "dropout",
      rule: "rate must be from 0 to below 1",
      got: String(rate),
      remedy: "it is the share of elements that become 0",
    });
  }
  checkTensors("dropout", [{ name: "x", tensor: x, letters: "[…]", shape: x.shape }]);
  const random = new RandomStream(seed, stream);
  if (rate === 0) return x.clone() as T;
  return tidy(() => {
    if (!isFused(KERNEL)) return composed(x, rate, random);
    for (const gradient of gradients) ensureGradient(gradient);
    return runKernels(KERNEL, { x }, { rate, seed, stream })[0] as T;
  });
}
