import { add, matMul, stack, type Tensor1D, type Tensor2D, type Tensor3D, tidy } from "@tensorflow/tfjs-core";
import { checkRank, checkSteps, checkTensors } from "./check.ts";
import { gruCell } from "./gru-cell.ts";
import { isFused } from "./registry.ts";
import { eachStep, expectedMask, floatSteps, fusedSequence, type SequenceOptions } from "./sequence.ts";

export type { SequenceOptions } from "./sequence.ts";

const OP = "gruSequence";
const KERNEL = { name: "HeedGruSequence", op: OP, reads: ["x", "h0", "U"], gates: "u" };

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
    ...expectedMask(mask, T, B),
  ]);
  return tidy(() => {
    const rows = floatSteps(mask);
    if (isFused(KERNEL.name)) return fusedSequence(KERNEL, { x: inputGates, h0, U, b }, rows, reverse);
    const states: Tensor2D[] = [];
    let h = h0;
    eachStep(inputGates, rows, reverse, (x, taken, s) => {
      h = gruCell(x, add(matMul(h, U), b), h, taken);
      states[s] = h;
    });
    return stack(states) as Tensor3D;
  });
}
