import { cast, type Tensor } from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";

/**
 * A mask of Keras, of whatever type, as bool: true where there is something to see.
 *
 * @throws ShapeError SIZE when it has another shape; an axis may be 1
 */
export function boolMask(
  op: string,
  title: string,
  mask: Tensor | undefined,
  shape: readonly number[],
): Tensor | undefined {
  if (!mask) return undefined;
  if (mask.rank !== shape.length || mask.shape.some((n, axis) => n !== 1 && n !== shape[axis])) {
    throw new ShapeError("SIZE", {
      op,
      rule: `${title} must have shape [${shape.join(", ")}]`,
      got: `shape [${mask.shape.join(", ")}]`,
      remedy: "it says of each position whether it is there",
    });
  }
  return mask.dtype === "bool" ? mask : cast(mask, "bool");
}
