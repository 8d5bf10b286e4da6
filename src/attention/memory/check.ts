import type * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { checkRank, checkTensors, type Expected } from "../../ops/check.ts";

export interface SlotSizes {
  readonly B: number;
  readonly H: number;
  /** Slots of the memory. */
  readonly S: number;
}

/** Weights of heads over the slots of a memory, [B, H, S], which must have one. */
export function weightSizes(op: string, name: string, weights: tf.Tensor3D): SlotSizes {
  checkRank(op, `${name} [B, H, S]`, weights, 3);
  const [B, H, S] = weights.shape;
  checkTensors(op, [{ name, tensor: weights, letters: "[B, H, S]", shape: [B, H, S] }]);
  checkSlots(op, S);
  return { B, H, S };
}

/** Throws SHAPE when a memory has no slot. */
export function checkSlots(op: string, S: number): void {
  if (S > 0) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: "a memory must have S ≥ 1 slots",
    got: "S = 0",
    remedy: "weights over nothing cannot add up to 1; give it a slot",
  });
}

/** A number for each head, for `checkTensors`. */
export const perHead = (name: string, tensor: tf.Tensor, { B, H }: Pick<SlotSizes, "B" | "H">): Expected => ({
  name,
  tensor,
  letters: "[B, H]",
  shape: [B, H],
});
