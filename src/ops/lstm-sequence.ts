import {
  add,
  cast,
  concat,
  customGrad,
  type GradSaveFunc,
  matMul,
  ones,
  type Rank,
  split,
  stack,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tidy,
  unstack,
} from "@tensorflow/tfjs-core";
import { checkRank, checkSteps, checkTensors } from "./check.ts";
import { isFused, noSecondOrder, runKernels } from "./fused.ts";
import type { SequenceOptions } from "./gru-sequence.ts";
import { lstmCell } from "./lstm-cell.ts";
import { unstackSteps } from "./unstack-steps.ts";

const OP = "lstmSequence";
const KERNEL = "HeedLstmSequence";

interface Inputs {
  x: Tensor3D;
  h0: Tensor2D;
  c0: Tensor2D;
  U: Tensor2D;
  mask: Tensor2D | undefined;
}

/** States, then cells: [2T, B, H]. */
function composed({ x, h0, c0, U, mask }: Inputs, reverse: boolean): Tensor3D {
  const steps = unstackSteps(x);
  const masks = mask ? (unstack(mask) as Tensor1D[]) : [];
  const states: Tensor2D[] = [];
  const cells: Tensor2D[] = [];
  let [h, c] = [h0, c0];
  for (let i = 0; i < steps.length; i++) {
    const s = reverse ? steps.length - 1 - i : i;
    [h, c] = lstmCell(add(steps[s]!, matMul(h, U)), c, h, masks[s]);
    states[s] = h;
    cells[s] = c;
  }
  return concat([stack(states), stack(cells)]) as Tensor3D;
}

// By customGrad, for the reason that gruSequence has; it takes one value, so states and cells come in one tensor.
function fused({ x, h0, c0, U, mask }: Inputs, reverse: boolean): Tensor3D {
  const rows = mask ?? ones<Rank.R2>([x.shape[0], x.shape[1]]);
  noSecondOrder(`${KERNEL}Grad`, OP);
  const run = customGrad((...args) => {
    const [xIn, h0In, c0In, UIn] = args as Tensor[];
    const save = args[4] as unknown as GradSaveFunc;
    const inputs = { x: xIn!, h0: h0In!, c0: c0In!, U: UIn!, mask: rows };
    const [states, gates] = runKernels(KERNEL, inputs, { reverse });
    save([gates!, h0In!, c0In!, states!, UIn!, rows]);
    const gradFunc = (dout: Tensor, saved: Tensor[]) => {
      const [a, h0, c0, states, U, mask] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
      return runKernels(`${KERNEL}Grad`, { a, h0, c0, states, U, mask, dout }, { reverse });
    };
    return { value: states!, gradFunc };
  });
  return run(x, h0, c0, U) as Tensor3D;
}

/**
 * A long short-term memory over a whole sequence, `lstmCell` at each step:
 *
 *     states[s], cells[s] = lstmCell(x[s] + states[s − 1]·U, cells[s − 1], states[s − 1], mask[s])
 *
 * x = W·input + bias are the gates of the inputs, i, f, g, o, bias included; states[−1] = h0 and cells[−1] = c0. Mask
 * and `reverse` mean what they mean to `gruSequence`.
 *
 * Shapes, time first: x [T, B, 4H], h0, c0 [B, H], U [H, 4H], mask [T, B] → [states, cells], each [T, B, H]; T ≥ 1.
 *
 * @throws ShapeError RANK or SHAPE when the shapes disagree
 * @example
 * const [states, cells] = lstmSequence(gates, tf.zeros([B, H]), tf.zeros([B, H]), U, mask);
 */
export function lstmSequence(
  inputGates: Tensor3D,
  h0: Tensor2D,
  c0: Tensor2D,
  U: Tensor2D,
  mask?: Tensor2D,
  { reverse = false }: SequenceOptions = {},
): [Tensor3D, Tensor3D] {
  checkRank(OP, "inputGates", inputGates, 3);
  checkRank(OP, "h0", h0, 2);
  const [T, B] = inputGates.shape;
  const H = h0.shape[1];
  checkSteps(OP, T);
  checkTensors(OP, [
    { name: "inputGates", tensor: inputGates, letters: "[T, B, 4H]", shape: [T, B, 4 * H] },
    { name: "h0", tensor: h0, letters: "[B, H]", shape: [B, H] },
    { name: "c0", tensor: c0, letters: "[B, H]", shape: [B, H] },
    { name: "U", tensor: U, letters: "[H, 4H]", shape: [H, 4 * H] },
    ...(mask ? [{ name: "mask", tensor: mask, letters: "[T, B]", shape: [T, B], dtype: mask.dtype }] : []),
  ]);
  return tidy(() => {
    const rows = mask && cast(mask, "float32");
    const run = isFused(KERNEL) ? fused : composed;
    return split(run({ x: inputGates, h0, c0, U, mask: rows }, reverse), 2) as [Tensor3D, Tensor3D];
  });
}
