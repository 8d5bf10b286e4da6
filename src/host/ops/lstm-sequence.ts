import type { HeedKernel } from "../register.ts";
import { addRecurrentGradient, blocks, stepsOf } from "./sequence.ts";

const OP = "lstmSequence";

/** All steps of an LSTM: states and cells [2T, B, H], and the gates [T, B, 4H] for the gradient. */
export const lstmSequence: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, h0, c0, U, mask } = inputs;
  const [T, B] = x.shape;
  const H = h0.shape[1];
  const states = heap.output(OP, [2 * T, B, H]);
  const gates = heap.output(OP, x.shape);
  const scratch = heap.scratch(OP, heap.kernels.gemmScratchBytes(4 * H));
  const [xAt, aAt, maskAt] = [x, gates, mask].map((tensor) => blocks(heap, tensor));
  const hAt = blocks(heap, states, h0);
  const cAt = blocks(heap, states, c0, T);
  const UAt = heap.address(U);
  for (const { s, previous } of stepsOf(T, attrs.reverse as boolean)) {
    heap.kernels.gemm(hAt(previous), H, 1, UAt, 4 * H, 1, aAt(s), B, 4 * H, H, scratch, 0);
    heap.kernels.add(aAt(s), xAt(s), aAt(s), 1, B * 4 * H, 0, 1, 0, 1);
    heap.kernels.lstmCell(aAt(s), cAt(previous), hAt(previous), maskAt(s), hAt(s), cAt(s), B, H);
  }
  return [states, gates];
};

/** Its gradients dx [T, B, 4H], dh0 and dc0 [B, H] and dU [H, 4H]: dU is one product over all T·B rows. */
export const lstmSequenceGrad: HeedKernel = ({ inputs, attrs, heap }) => {
  const { a, h0, c0, states, U, mask, dout } = inputs;
  const [T, B] = a.shape;
  const H = h0.shape[1];
  const { kernels } = heap;
  const reverse = attrs.reverse as boolean;
  const grads = [a.shape, h0.shape, c0.shape, U.shape].map((shape) => heap.output(`${OP} gradient`, shape));
  const [dx, dh0, dc0, dU] = grads;
  for (const grad of [dh0, dc0, dU]) heap.view(grad).fill(0);
  const scratch = heap.scratch(`${OP} gradient`, kernels.gemmScratchBytes(4 * H));
  const [aAt, maskAt, dhAt, dxAt] = [a, mask, dout, dx].map((tensor) => blocks(heap, tensor));
  const dcAt = blocks(heap, dout, undefined, T);
  const hAt = blocks(heap, states, h0);
  const cAt = blocks(heap, states, c0, T);
  const [UAt, dUAt, dh, dc] = [U, dU, dh0, dc0].map((tensor) => heap.address(tensor));
  // dh and dc are the gradients of the states between two steps, in place.
  for (const { s, previous } of stepsOf(T, reverse).toReversed()) {
    kernels.add(dh, dhAt(s), dh, 1, B * H, 0, 1, 0, 1);
    kernels.add(dc, dcAt(s), dc, 1, B * H, 0, 1, 0, 1);
    kernels.lstmCellGrad(aAt(s), cAt(previous), maskAt(s), dh, dc, dxAt(s), dc, dh, B, H);
    kernels.gemm(dxAt(s), 4 * H, 1, UAt, 1, 4 * H, dh, B, H, 4 * H, scratch, 1);
  }
  const at = { hAt, gatesAt: dxAt, dU: dUAt };
  addRecurrentGradient(heap, { T, B, H, G: 4 * H }, at, { reverse, scratch });
  return grads;
};
