import {
  abs,
  add,
  div,
  type GradConfig,
  greater,
  max,
  maximum,
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
  where,
  zeros,
} from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../core/errors.ts";
import { wrongRank } from "../core/faults.ts";
import { canRead, detached } from "./attention/guard.ts";
import { checkTensors } from "./check.ts";
import { ensureGradient, isFused, noSecondOrder, runKernels } from "./registry.ts";

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

function composed<T extends Tensor>(x: T, gamma: Tensor1D, beta: Tensor1D, epsilon: number): T {
  const plain = standardize(x, epsilon);
  const fits = canRead() && plain.variance.dataSync().every(Number.isFinite);
  return add(mul(fits ? plain.value : standardizeLarge(x, epsilon), gamma), beta) as T;
}

/** (x − mean) / √(variance + ε) of each row; ε is one number or one a row. */
function standardize(x: Tensor, epsilon: number | Tensor) {
  // The mean twice: float32 holds the mean of numbers near 10⁴ to 5e-4, and the second one finds what is left.
  const near = sub(x, mean(x, -1, true));
  const centred = sub(near, mean(near, -1, true));
  const variance = mean(square(centred), -1, true);
  return { variance, value: div(centred, sqrt(add(variance, epsilon))) };
}

/** From here on rows are scaled first: the squares of √C times as much are still float32. */
const LARGE = 2 ** 50;
/** Float32's smallest normal number: in the place of ε/m², so that rows of equal elements stay 0. */
const LEAST = 2 ** -126;

/** `standardize` where squares overflow: of x/m with ε/m², which is the same for any m; here m is the row's largest. */
function standardizeLarge(x: Tensor, epsilon: number): Tensor {
  const most = max(abs(x), -1, true);
  const m = detached(where(greater(most, LARGE), most, 1));
  return standardize(div(x, m), maximum(div(div(epsilon, m), m), LEAST)).value;
}

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
  if (x.shape.length === 0)
    throw new ShapeError("RANK", wrongRank({ op: OP, name: "x", rank: "1 or more", shape: [] }));
  const C = x.shape.at(-1)!;
  const row = { letters: "[C]", shape: [C] };
  checkTensors(OP, [
    { name: "x", tensor: x, letters: "[…, C]", shape: x.shape },
    ...(gamma ? [{ name: "gamma", tensor: gamma, ...row }] : []),
    ...(beta ? [{ name: "beta", tensor: beta, ...row }] : []),
  ]);
  if (C === 0) {
    throw new ShapeError("SHAPE", {
      op: OP,
      rule: "x must have C ≥ 1 elements in a row",
      got: "C = 0",
      remedy: "normalise another axis by transposing it to the end",
    });
  }
  if (!(epsilon > 0)) {
    throw new OptionError("OPTION", {
      op: OP,
      rule: "epsilon must be above 0",
      got: String(epsilon),
      remedy: "1e-5 is PyTorch's, 1e-3 Keras'",
    });
  }
  return tidy(() => {
    const [scale, offset] = [gamma ?? ones<Rank.R1>([C]), beta ?? zeros<Rank.R1>([C])];
    if (!isFused(KERNEL)) return composed(x, scale, offset, epsilon);
    ensureGradient(gradient);
    noSecondOrder(`${KERNEL}Grad`, OP);
    return runKernels(KERNEL, { x, gamma: scale, beta: offset }, { epsilon })[0] as T;
  });
}
