import {
  add,
  div,
  type GradConfig,
  mean,
  mul,
  ones,
  type Rank,
  sqrt,
  square,
  type Tensor,
  type Tensor1D,
  tidy,
} from "@tensorflow/tfjs-core";
import { ensureGradient, isFused, noSecondOrder, runKernels } from "./registry.ts";
import { checkRows, type Normalization, normalizedRows } from "./rows.ts";

const OP = "rmsNorm";
const KERNEL = "HeedRmsNorm";

export interface RmsNormOptions {
  /** ε, added to the mean square inside the root; above 0. Keras has 1e-6, Llama 1e-5. @default 1e-6 */
  epsilon?: number;
}

const gradient: GradConfig = {
  kernelName: KERNEL,
  inputsToSave: ["x", "gamma"],
  outputsToSave: [false, true],
  gradFunc: (dys, saved) => {
    const [x, gamma, stats] = saved;
    const dy = (dys as Tensor[])[0]!;
    const [dx, dgamma] = runKernels(`${KERNEL}Grad`, { x: x!, gamma: gamma!, stats: stats!, dy });
    return { x: () => dx!, gamma: () => dgamma! };
  },
};

const scaleToUnit: Normalization = (x, epsilon) => {
  const meanSquare = mean(square(x), -1, true);
  return { square: meanSquare, value: div(x, sqrt(add(meanSquare, epsilon))) };
};

/**
 * Root mean square normalisation over the last axis:
 *
 *     out = γ ⊙ x / √(mean(x²) + ε),    the mean of the C elements of each row
 *
 * Nothing is centred and nothing added; a row of zeros stays 0. Without `gamma` it is 1. Rows of any finite numbers,
 * whose squares may overflow, come out as those of the same numbers scaled down. Fused, one pass over the rows forward
 * and one backward, which keeps x and two numbers a row; the gradient of γ adds rows in their order, so equal calls
 * give equal bits.
 *
 * Shapes: x […, C], gamma [C] → […, C]; C ≥ 1.
 * Paper: Zhang & Sennrich 2019, arxiv.org/abs/1910.07467, §3; their g is gamma. ε stands inside the root, as in Llama,
 * PyTorch and Keras.
 *
 * @throws ShapeError RANK or SHAPE when the shapes disagree, or x has no elements in a row
 * @throws OptionError OPTION when epsilon is not above 0
 * @example
 * const normal = rmsNorm(x, gamma, { epsilon: 1e-5 }); // Llama's
 */
export function rmsNorm<T extends Tensor>(
  x: T,
  gamma?: Tensor1D,
  { epsilon = 1e-6 }: RmsNormOptions = {},
): T {
  const C = checkRows(OP, x, { gamma }, { epsilon, epsilons: "1e-6 is Keras', 1e-5 Llama's" });
  return tidy(() => {
    const scale = gamma ?? ones<Rank.R1>([C]);
    if (!isFused(KERNEL)) return mul(normalizedRows(x, epsilon, scaleToUnit), scale) as T;
    ensureGradient(gradient);
    noSecondOrder(`${KERNEL}Grad`, OP);
    return runKernels(KERNEL, { x, gamma: scale }, { epsilon })[0] as T;
  });
}
