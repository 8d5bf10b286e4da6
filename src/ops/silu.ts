import { type GradConfig, mul, sigmoid, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { checkTensors } from "./check.ts";
import { ensureGradient, isFused, noSecondOrder, runKernel, runKernels } from "./registry.ts";

const OP = "silu";
const KERNEL = "HeedSilu";
const GATED_OP = "gatedSilu";
const GATED_KERNEL = "HeedGatedSilu";

const gradient: GradConfig = {
  kernelName: KERNEL,
  inputsToSave: ["x"],
  gradFunc: (dy, [x]) => ({ x: () => runKernel(`${KERNEL}Grad`, { x: x!, dy: dy as Tensor }) }),
};

const gatedGradient: GradConfig = {
  kernelName: GATED_KERNEL,
  inputsToSave: ["gate", "x"],
  gradFunc: (dy, [gate, x]) => {
    const [dgate, dx] = runKernels(`${GATED_KERNEL}Grad`, { gate: gate!, x: x!, dy: dy as Tensor });
    return { gate: () => dgate!, x: () => dx! };
  },
};

/**
 * Sigmoid linear unit, also called swish:
 *
 *     silu(x) = x · σ(x) = x / (1 + e⁻ˣ)
 *
 * Elementwise, any shape. Fused, one pass forward and one backward that keeps x alone, accurate in the negative tail
 * too; −∞ gives NaN, as ∞ · 0 does.
 *
 * Papers: Hendrycks & Gimpel 2016, arxiv.org/abs/1606.08415, §2, which names it; Ramachandran, Zoph & Le 2017,
 * arxiv.org/abs/1710.05941, as swish with β = 1.
 *
 * @throws ShapeError SHAPE when x is not float32
 * @example
 * const hidden = silu(linear(x, w, b));
 */
export function silu<T extends Tensor>(x: T): T {
  checkTensors(OP, [{ name: "x", tensor: x, letters: "[…]", shape: x.shape }]);
  return tidy(() => {
    if (!isFused(KERNEL)) return mul(x, sigmoid(x)) as T;
    ensureGradient(gradient);
    noSecondOrder(`${KERNEL}Grad`, OP);
    return runKernel(KERNEL, { x }) as T;
  });
}

/**
 * x behind a gate of sigmoid linear units: gate · σ(gate) · x, the middle of a SwiGLU layer.
 *
 * Elementwise, equal shapes. Fused, one pass forward and one backward, which keeps the two inputs alone.
 *
 * Paper: Shazeer 2020, arxiv.org/abs/2002.05202, (6): SwiGLU(x) = gatedSilu(x·W, x·V).
 *
 * @throws ShapeError SHAPE when the two are not float32 of one shape
 * @example
 * const hidden = gatedSilu(linear(x, w), linear(x, w));
 */
export function gatedSilu<T extends Tensor>(gate: T, x: T): T {
  checkTensors(GATED_OP, [
    { name: "gate", tensor: gate, letters: "[…]", shape: gate.shape },
    { name: "x", tensor: x, letters: "[…]", shape: gate.shape },
  ]);
  return tidy(() => {
    if (!isFused(GATED_KERNEL)) return mul(mul(gate, sigmoid(gate)), x) as T;
    ensureGradient(gatedGradient);
    noSecondOrder(`${GATED_KERNEL}Grad`, GATED_OP);
    return runKernel(GATED_KERNEL, { gate, x }) as T;
  });
}
