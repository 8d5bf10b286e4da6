import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { HeedKernel } from "../register.ts";

/**
 * out[…, d] = onValue where d is the index, offValue elsewhere, of any dtype; an index outside [0, depth) gives a row
 * of offValue. (The stock kernel writes int32 whatever the dtype: past the end of bool, and no numbers of float32.)
 */
export const oneHot: HeedKernel = ({ inputs, attrs, heap }) => {
  const indices = inputs.indices as TensorInfo;
  const { depth, onValue, offValue } = attrs as Record<"depth" | "onValue" | "offValue", number>;
  heap.address(indices); // moves it here first, if it lives on another backend: views do not survive that
  const out = heap.output("OneHot", [...indices.shape, depth], attrs.dtype as "int32");
  const to = heap.view(out).fill(offValue);
  heap.view(indices).forEach((id, row) => {
    if (id >= 0 && id < depth) to[row * depth + id] = onValue;
  });
  return out;
};
