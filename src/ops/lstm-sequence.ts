import { add, matMul, split, stack, type Tensor2D, type Tensor3D, tidy } from "@tensorflow/tfjs-core";
import { checkRank, checkSteps, checkTensors } from "./check.ts";
import { lstmCell } from "./lstm-cell.ts";
import { isFused } from "./registry.ts";
import { eachStep, expectedMask, floatSteps, fusedSequence, type SequenceOptions } from "./sequence.ts";

const OP = "lstmSequence";
const KERNEL = { name: "HeedLstmSequence", op: OP, reads: ["h0", "c0", "U"], gates: "a" };

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
    ...expectedMask(mask, T, B),
  ]);
  return tidy(() => {
    const rows = floatSteps(mask);
    if (isFused(KERNEL.name)) {
      // States, then cells: [2T, B, H].
      const both = fusedSequence(KERNEL, { x: inputGates, h0, c0, U }, rows, reverse);
      return split(both, 2) as [Tensor3D, Tensor3D];
    }
    const [states, cells]: [Tensor2D[], Tensor2D[]] = [[], []];
    let [h, c] = [h0, c0];
    eachStep(inputGates, rows, reverse, (x, taken, s) => {
      [h, c] = lstmCell(add(x, matMul(h, U)), c, h, taken);
      states[s] = h;
      cells[s] = c;
    });
    return [stack(states) as Tensor3D, stack(cells) as Tensor3D];
  });
}
