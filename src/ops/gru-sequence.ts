import {
  add,
  cast,
  customGrad,
  type GradSaveFunc,
  matMul,
  ones,
  type Rank,
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
import { gruCell } from "./gru-cell.ts";
import { unstackSteps } from "./unstack-steps.ts";

const OP = "gruSequence";
const KERNEL = "HeedGruSequence";

export interface SequenceOptions {
  /** Starts at the last step and goes back; states still stand at their own steps. @default false */
  reverse?: boolean;
}

interface Inputs {
  x: Tensor3D;
  h0: Tensor2D;
  U: Tensor2D;
  b: Tensor1D;
  mask: Tensor2D | undefined;
}

function composed({ x, h0, U, b, mask }: Inputs, reverse: boolean): Tensor3D {
  const steps = unstackSteps(x);
  const masks = mask ? (unstack(mask) as Tensor1D[]) : [];
  const states: Tensor2D[] = [];
  let h = h0;
  for (let i = 0; i < steps.length; i++) {
    const s = reverse ? steps.length - 1 - i : i;
    h = gruCell(steps[s]!, add(matMul(h, U), b), h, masks[s]);
    states[s] = h;
  }
  return stack(states) as Tensor3D;
}

// By customGrad: as a second output of a registered kernel, the gates would get a gradient of zeros as large as they.
function fused({ x, h0, U, b, mask }: Inputs, reverse: boolean): Tensor3D {
  const rows = mask ?? ones<Rank.R2>([x.shape[0], x.shape[1]]);
  noSecondOrder(`${KERNEL}Grad`, OP);
  const run = customGrad((...args) => {
    const [xIn, h0In, UIn, bIn] = args as Tensor[];
    const save = args[4] as unknown as GradSaveFunc;
    const inputs = { x: xIn!, h0: h0In!, U: UIn!, b: bIn!, mask: rows };
    const [states, gates] = runKernels(KERNEL, inputs, { reverse });
    save([xIn!, gates!, h0In!, states!, UIn!, rows]);
    const gradFunc = (dout: Tensor, saved: Tensor[]) => {
      const [x, u, h0, states, U, mask] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
      return runKernels(`${KERNEL}Grad`, { x, u, h0, states, U, mask, dout }, { reverse });
    };
    return { value: states!, gradFunc };
  });
  return run(x, h0, U, b) as Tensor3D;
}

/**
 * A gated recurrent unit over a whole sequence, `gruCell` at each step:
 *
 *     states[s] = gruCell(x[s], states[s − 1]·U + b, states[s − 1], mask[s]),    states[−1] = h0
 *
 * x = W·input + bias are the gates of the inputs, r, z, n, which do not depend on the state: make them for all steps
 * in one product. Where `mask` is 0 the state stays, so with padding at the end the last state is that of the last
 * real step, and with `reverse` (which puts states[s + 1] in the place of states[s − 1]) the first one reached.
 *
 * Shapes, time first: x [T, B, 3H], h0 [B, H], U [H, 3H], b [3H], mask [T, B] → [T, B, H]; T ≥ 1.
 * Cost: fused, one product of B rows a step, and the gradient of U in one product of T·B rows.
 *
 * @throws ShapeError RANK or SHAPE when the shapes disagree
 * @example
 * const states = gruSequence(gates, tf.zeros([B, H]), U, b, mask, { reverse: true });
 */
export function gruSequence(
  inputGates: Tensor3D,
  h0: Tensor2D,
  U: Tensor2D,
  b: Tensor1D,
  mask?: Tensor2D,
  { reverse = false }: SequenceOptions = {},
): Tensor3D {
  checkRank(OP, "inputGates", inputGates, 3);
  checkRank(OP, "h0", h0, 2);
  const [T, B] = inputGates.shape;
  const H = h0.shape[1];
  checkSteps(OP, T);
  checkTensors(OP, [
    { name: "inputGates", tensor: inputGates, letters: "[T, B, 3H]", shape: [T, B, 3 * H] },
    { name: "h0", tensor: h0, letters: "[B, H]", shape: [B, H] },
    { name: "U", tensor: U, letters: "[H, 3H]", shape: [H, 3 * H] },
    { name: "b", tensor: b, letters: "[3H]", shape: [3 * H] },
    ...(mask ? [{ name: "mask", tensor: mask, letters: "[T, B]", shape: [T, B], dtype: mask.dtype }] : []),
  ]);
  return tidy(() => {
    const rows = mask && cast(mask, "float32");
    const run = isFused(KERNEL) ? fused : composed;
    return run({ x: inputGates, h0, U, b, mask: rows }, reverse);
  });
}
