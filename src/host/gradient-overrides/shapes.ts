import { reshape, sum, type Tensor, zeros } from "@tensorflow/tfjs-core";

/** The gradient for an operand of this shape, from that of the whole: what was repeated is summed. */
export function unbroadcast(whole: Tensor, shape: number[]): Tensor {
  if (String(whole.shape) === String(shape)) return whole;
  if (whole.size === 0) return zeros(shape);
  const lead = whole.rank - shape.length;
  const axes = whole.shape.flatMap((size, i) =>
    i < lead || (shape[i - lead] === 1 && size !== 1) ? [i] : [],
  );
  return reshape(axes.length > 0 ? sum(whole, axes) : whole, shape);
}
