import { cast, reshape, type Tensor, where } from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";

/**
 * A mask of Keras, of whatever type, as bool: true where there is something to see.
 *
 * @throws ShapeError SHAPE when it has another shape; an axis may be 1
 */
export function boolMask(
  op: string,
  title: string,
  mask: Tensor | undefined,
  shape: readonly number[],
): Tensor | undefined {
  if (!mask) return undefined;
  if (mask.rank !== shape.length || mask.shape.some((n, axis) => n !== 1 && n !== shape[axis])) {
    throw new ShapeError("SHAPE", {
      op,
      rule: `${title} must have shape [${shape.join(", ")}]`,
      got: `shape [${mask.shape.join(", ")}]`,
      remedy: "it says of each position whether it is there",
    });
  }
  return mask.dtype === "bool" ? mask : cast(mask, "bool");
}

/** x [B, N, …] with zeros where its mask [B, N] is false: nothing of what stands there reaches a gradient. */
export function zeroHidden<X extends Tensor>(x: X, mask: Tensor | undefined): X {
  if (!mask) return x;
  const axes = x.shape.slice(2).map(() => 1);
  return where(reshape(mask, [...mask.shape, ...axes]), x, 0) as X;
}
