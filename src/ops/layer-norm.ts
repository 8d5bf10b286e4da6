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
  sub,
  type Tensor,
  type Tensor1D,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { ensureGradient, isFused, noSecondOrder, runKernels } from "./registry.ts";
import { checkRows, type Normalization, normalizedRows } from "./rows.ts";

const OP = "layerNorm";
const KERNEL = "HeedLayerNorm";

export interface LayerNormOptions {
  /** ε, added to the variance inside the root; above 0. PyTorch has 1e-5, Keras 1e-3. @default 1e-5 */
  epsilon?: number;
}

const gradient: GradConfig = {
  kernelName: KERNEL,
  inputsToSave: ["x", "gamma"],
  outputsToSave: [false, true],
  gradFunc: (dys, saved) => {
    const [x, gamma, stats] = saved;
    const dy = (dys as Tensor[])[0]!;
    const inputs = { x: x!, gamma: gamma!, stats: stats!, dy };
    const [dx, dgamma, dbeta] = runKernels(`${KERNEL}Grad`, inputs);
    return { x: () => dx!, gamma: () => dgamma!, beta: () => dbeta! };
  },
};

const standardize: Normalization = (x, epsilon) => {
  // The mean twice: float32 holds the mean of numbers near 10⁴ to 5e-4, and the second one finds what is left.
  const near = sub(x, mean(x, -1, true));
  const centred = sub(near, mean(near, -1, true));
  const variance = mean(square(centred), -1, true);
  return { square: variance, value: div(centred, sqrt(add(variance, epsilon))) };
};

/**
 * Layer normalisation over the last axis:
 *
 *     out = γ ⊙ (x − mean) / √(variance + ε) + β,    mean and variance of the C elements of each row
 *
 * The variance is the biased one, Σ(x − mean)²/C, and ε stands inside the root, as in PyTorch, Keras and JAX. A row
 * of equal elements gives β. Without `gamma` it is 1, without `beta` 0.
 *
 * Numbers far from 0 lose nothing: rows near 10⁴ come out as accurate as rows near 0, and rows of any finite numbers,
 * whose squares may overflow, as those of the same numbers scaled down. Fused, one pass over the rows
 * forward and one backward, which keeps x and four numbers a row; the gradients of γ and β add rows in their order,
 * so equal calls give equal bits.
 *
 * Shapes: x […, C], gamma, beta [C] → […, C]; C ≥ 1.
 * Paper: Ba, Kiros & Hinton 2016, arxiv.org/abs/1607.06450, §3; their g and b are gamma and beta.
 *
 * @throws ShapeError RANK or SHAPE when the shapes disagree, or x has no elements in a row
 * @throws OptionError OPTION when epsilon is not above 0
 * @example
 * const normal = layerNorm(x, gamma, beta, { epsilon: 1e-3 }); // Keras' default
 */
export function layerNorm<T extends Tensor>(
  x: T,
  gamma?: Tensor1D,
  beta?: Tensor1D,
  { epsilon = 1e-5 }: LayerNormOptions = {},
): T {
  const C = checkRows(OP, x, { gamma, beta }, { epsilon, epsilons: "1e-5 is PyTorch's, 1e-3 Keras'" });
  return tidy(() => {
    const [scale, offset] = [gamma ?? ones<Rank.R1>([C]), beta ?? zeros<Rank.R1>([C])];
    if (!isFused(KERNEL)) return add(mul(normalizedRows(x, epsilon, standardize), scale), offset) as T;
    ensureGradient(gradient);
    noSecondOrder(`${KERNEL}Grad`, OP);
    return runKernels(KERNEL, { x, gamma: scale, beta: offset }, { epsilon })[0] as T;
  });
}
