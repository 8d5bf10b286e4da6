import {
  add,
  type GradConfig,
  mul,
  sigmoid,
  split,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tanh,
  tidy,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { checkRank, checkTensors } from "./check.ts";
import { ensureGradient, isFused, noSecondOrder, runKernels } from "./registry.ts";
import { floatMask, stepMask } from "./step-mask.ts";

const KERNEL = "HeedLstmCell";

const gradient: GradConfig = {
  kernelName: KERNEL,
  inputsToSave: ["a", "c", "h", "mask"],
  gradFunc: (dy, saved) => {
    const [a, c, , mask] = saved;
    const [dhOut, dcOut] = dy as Tensor[];
    const inputs = { a: a!, c: c!, mask: mask!, dhOut: dhOut!, dcOut: dcOut! };
    const [da, dc, dh] = runKernels(`${KERNEL}Grad`, inputs);
    return { a: () => da!, c: () => dc!, h: () => dh!, mask: () => zerosLike(mask!) };
  },
};

function composed(a: Tensor2D, c: Tensor2D, h: Tensor2D, mask?: Tensor1D): [Tensor2D, Tensor2D] {
  const { clean, choose } = stepMask(mask);
  const [i, f, g, o] = split(clean(a), 4, 1);
  const next = add(mul(sigmoid(f!), clean(c)), mul(sigmoid(i!), tanh(g!))) as Tensor2D;
  return [choose(mul(sigmoid(o!), tanh(next)) as Tensor2D, h), choose(next, c)];
}

/**
 * One step of a long short-term memory, after its matrix product:
 *
 *     c' = σ(f) ⊙ c + σ(i) ⊙ tanh(g)    h' = σ(o) ⊙ tanh(c')
 *
 * gates = W·input + U·h + b, [B, 4H] in the order i, f, g, o, as in PyTorch and Keras. Where `mask` is 0 both
 * states are kept, and neither value nor gradient sees what the gates hold there. `h` is read in those rows only.
 *
 * Shapes: gates [B, 4H], c, h [B, H], mask [B] → [h', c'], each [B, H].
 * Paper: Hochreiter & Schmidhuber 1997; forget gate of Gers et al. 2000.
 *
 * @throws ShapeError RANK or SHAPE when the shapes disagree
 * @example
 * const [h1, c1] = lstmCell(tf.add(tf.matMul(input, w), tf.matMul(h0, u)), c0, h0);
 */
export function lstmCell(gates: Tensor2D, c: Tensor2D, h: Tensor2D, mask?: Tensor1D): [Tensor2D, Tensor2D] {
  checkRank("lstmCell", "h", h, 2);
  const [B, H] = h.shape;
  checkTensors("lstmCell", [
    { name: "h", tensor: h, letters: "[B, H]", shape: [B, H] },
    { name: "c", tensor: c, letters: "[B, H]", shape: [B, H] },
    { name: "gates", tensor: gates, letters: "[B, 4H]", shape: [B, 4 * H] },
    ...(mask ? [{ name: "mask", tensor: mask, letters: "[B]", shape: [B], dtype: mask.dtype }] : []),
  ]);
  return tidy(() => {
    if (!isFused(KERNEL)) return composed(gates, c, h, mask);
    ensureGradient(gradient);
    noSecondOrder(`${KERNEL}Grad`, "lstmCell");
    return runKernels(KERNEL, { a: gates, c, h, mask: floatMask(mask, B) }) as [Tensor2D, Tensor2D];
  });
}
