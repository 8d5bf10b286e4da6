import type { HeedKernel } from "../register.ts";
import { addRecurrentGradient, blocks, stepsOf } from "./sequence.ts";

const OP = "gruSequence";

/** All steps of a GRU: its states [T, B, H], and the gates u of the states [T, B, 3H] for the gradient. */
export const gruSequence: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, h0, U, b, mask } = inputs;
  const [T, B] = x.shape;
  const H = h0.shape[1];
  const states = heap.output(OP, [T, B, H]);
  const gates = heap.output(OP, x.shape);
  const scratch = heap.scratch(OP, heap.kernels.gemmScratchBytes(3 * H));
  const [xAt, uAt, maskAt] = [x, gates, mask].map((tensor) => blocks(heap, tensor));
  const hAt = blocks(heap, states, h0);
  const [UAt, bAt] = [heap.address(U), heap.address(b)];
  for (const { s, previous } of stepsOf(T, attrs.reverse as boolean)) {
    heap.kernels.gemm(hAt(previous), H, 1, UAt, 3 * H, 1, uAt(s), B, 3 * H, H, scratch, 0);
    heap.kernels.add(uAt(s), bAt, uAt(s), B, 3 * H, 3 * H, 1, 0, 1);
    heap.kernels.gruCell(xAt(s), uAt(s), hAt(previous), maskAt(s), hAt(s), B, H);
  }
  return [states, gates];
};

/** Its gradients dx [T, B, 3H], dh0 [B, H], dU [H, 3H] and db [3H]: dU is one product over all T·B rows. */
export const gruSequenceGrad: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, u, h0, states, U, mask, dout } = inputs;
  const [T, B] = x.shape;
  const H = h0.shape[1];
  const { kernels } = heap;
  const reverse = attrs.reverse as boolean;
  const grads = [x.shape, h0.shape, U.shape, [3 * H]].map((shape) => heap.output(`${OP} gradient`, shape));
  const [dx, dh0, dU, db] = grads;
  for (const grad of [dh0, dU]) heap.view(grad).fill(0);
  const du = heap.output(`${OP} gradient`, u.shape);
  const scratch = heap.scratch(`${OP} gradient`, kernels.gemmScratchBytes(3 * H));
  const [xAt, uAt, maskAt, doutAt, dxAt, duAt] = [x, u, mask, dout, dx, du].map((t) => blocks(heap, t));
  const hAt = blocks(heap, states, h0);
  const [UAt, dUAt, dh] = [U, dU, dh0].map((tensor) => heap.address(tensor));
  // dh is the gradient of the state between two steps, in place: the kernel reads each element before it writes it.
  for (const { s, previous } of stepsOf(T, reverse).toReversed()) {
    kernels.add(dh, doutAt(s), dh, 1, B * H, 0, 1, 0, 1);
    kernels.gruCellGrad(xAt(s), uAt(s), hAt(previous), maskAt(s), dh, dxAt(s), duAt(s), dh, B, H);
    kernels.gemm(duAt(s), 3 * H, 1, UAt, 1, 3 * H, dh, B, H, 3 * H, scratch, 1);
  }
  const at = { hAt, gatesAt: duAt, dU: dUAt };
  addRecurrentGradient(heap, { T, B, H, G: 3 * H }, at, { reverse, scratch });
  kernels.sumAxis(heap.address(du), heap.address(db), 1, T * B, 3 * H, 1);
  heap.dispose(du);
  return grads;
};
