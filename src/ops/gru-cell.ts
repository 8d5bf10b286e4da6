import {
  add,
  type GradConfig,
  mul,
  sigmoid,
  split,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tanh,
  tidy,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { checkRank, checkTensors } from "./check.ts";
import { ensureGradient, isFused, noSecondOrder, runKernel, runKernels } from "./registry.ts";
import { floatMask, stepMask } from "./step-mask.ts";

const KERNEL = "HeedGruCell";

const gradient: GradConfig = {
  kernelName: KERNEL,
  inputsToSave: ["x", "u", "h", "mask"],
  gradFunc: (dy, saved) => {
    const [x, u, h, mask] = saved;
    const inputs = { x: x!, u: u!, h: h!, mask: mask!, dout: dy as Tensor };
    const [dx, du, dh] = runKernels(`${KERNEL}Grad`, inputs);
    return { x: () => dx!, u: () => du!, h: () => dh!, mask: () => zerosLike(mask!) };
  },
};

function composed(x: Tensor2D, u: Tensor2D, h: Tensor2D, mask?: Tensor1D): Tensor2D {
  const { clean, choose } = stepMask(mask);
  const [xr, xz, xn] = split(clean(x), 3, 1);
  const [ur, uz, un] = split(clean(u), 3, 1);
  const r = sigmoid(add(xr!, ur!));
  const z = sigmoid(add(xz!, uz!));
  const n = tanh(add(xn!, mul(r, un!)));
  return choose(add(n, mul(z, sub(clean(h), n))) as Tensor2D, h);
}

/**
 * One step of a gated recurrent unit, after its two matrix products:
 *
 *     r = σ(xr + ur)    z = σ(xz + uz)    n = tanh(xn + r ⊙ un)    h' = (1 − z) ⊙ n + z ⊙ h
 *
 * x = W·input + b and u = U·h + c are the gates of the input and of the state, each [B, 3H] in the order r, z, n:
 * the reset gate works after the product with U, as in cuDNN and PyTorch (`reset_after` in Keras, whose order is
 * z, r, n). Where `mask` is 0 the state is kept, and neither value nor gradient sees what x and u hold there.
 *
 * Shapes: x, u [B, 3H], h [B, H], mask [B] → [B, H].
 * Paper: Cho et al. 2014, arxiv.org/abs/1406.1078; Chung et al. 2014, arxiv.org/abs/1412.3555.
 *
 * @throws ShapeError RANK or SHAPE when the shapes disagree
 * @example
 * const next = gruCell(tf.add(tf.matMul(input, w), b), tf.add(tf.matMul(h, u), c), h);
 */
export function gruCell(inputGates: Tensor2D, hiddenGates: Tensor2D, h: Tensor2D, mask?: Tensor1D): Tensor2D {
  checkRank("gruCell", "h", h, 2);
  const [B, H] = h.shape;
  const gates = { letters: "[B, 3H]", shape: [B, 3 * H] };
  checkTensors("gruCell", [
    { name: "h", tensor: h, letters: "[B, H]", shape: [B, H] },
    { name: "inputGates", tensor: inputGates, ...gates },
    { name: "hiddenGates", tensor: hiddenGates, ...gates },
    ...(mask ? [{ name: "mask", tensor: mask, letters: "[B]", shape: [B], dtype: mask.dtype }] : []),
  ]);
  return tidy(() => {
    if (!isFused(KERNEL)) return composed(inputGates, hiddenGates, h, mask);
    ensureGradient(gradient);
    noSecondOrder(`${KERNEL}Grad`, "gruCell");
    return runKernel(KERNEL, { x: inputGates, u: hiddenGates, h, mask: floatMask(mask, B) }) as Tensor2D;
  });
}
