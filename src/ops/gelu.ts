import { add, erf, type GradConfig, mul, square, type Tensor, tanh, tidy } from "@tensorflow/tfjs-core";
import { checkTensors } from "./check.ts";
import { ensureGradient, isFused, noSecondOrder, runKernel } from "./registry.ts";

const OP = "gelu";
const KERNEL = "HeedGelu";

export interface GeluOptions {
  /** Takes the tanh form, that of BERT and GPT-2, up to 5e-4 from the exact one. @default false */
  approximate?: boolean;
}

const gradient: GradConfig = {
  kernelName: KERNEL,
  inputsToSave: ["x"],
  gradFunc: (dy, [x], attrs) => ({
    x: () => runKernel(`${KERNEL}Grad`, { x: x!, dy: dy as Tensor }, attrs),
  }),
};

function composed<T extends Tensor>(x: T, approximate: boolean): T {
  const inner = approximate
    ? tanh(mul(mul(x, Math.sqrt(2 / Math.PI)), add(mul(square(x), 0.044715), 1)))
    : erf(mul(x, Math.SQRT1_2));
  return mul(mul(x, 0.5), add(inner, 1)) as T;
}

/**
 * Gaussian error linear unit: x times the probability that a standard normal number is below x,
 *
 *     gelu(x) = x · Φ(x) = ½ · x · (1 + erf(x / √2))
 *
 * or, with `approximate`, ½ · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))). Elementwise, any shape. Fused, one pass
 * forward and one backward that keeps x alone, accurate in the negative tail too; −∞ gives NaN, as 0 · ∞ does.
 *
 * Paper: Hendrycks & Gimpel 2016, arxiv.org/abs/1606.08415, §2. Exact as in PyTorch's default; `approximate` is
 * PyTorch's "tanh" and JAX's default.
 *
 * @throws ShapeError SHAPE when x is not float32
 * @example
 * const hidden = gelu(linear(x, w, b));
 */
export function gelu<T extends Tensor>(x: T, { approximate = false }: GeluOptions = {}): T {
  checkTensors(OP, [{ name: "x", tensor: x, letters: "[…]", shape: x.shape }]);
  return tidy(() => {
    if (!isFused(KERNEL)) return composed(x, approximate);
    ensureGradient(gradient);
    noSecondOrder(`${KERNEL}Grad`, OP);
    return runKernel(KERNEL, { x }, { approximate }) as T;
  });
}
