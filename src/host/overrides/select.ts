import { type TensorInfo, upcastType, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runStockKernel } from "../register.ts";
import { castTo } from "./other-dtypes.ts";

/** condition ? t : e, element by element. (tf.where broadcasts the three before it comes here.) */
export const select: HeedKernel = ({ inputs, heap }) => {
  const { condition, t, e } = inputs as Record<"condition" | "t" | "e", TensorInfo>;
  if (t.dtype === e.dtype) return choose(condition, t, e, heap);
  const dtype = upcastType(t.dtype, e.dtype);
  const alike = [t, e].map((x) => castTo(x, dtype, heap)) as [TensorInfo, TensorInfo];
  const out = choose(condition, ...alike, heap);
  for (const x of alike) heap.dispose(x);
  return out;
};

function choose(condition: TensorInfo, t: TensorInfo, e: TensorInfo, heap: Heap): TensorInfo {
  const size = util.sizeFromShape(t.shape);
  // tf.broadcastTo leaves an axis of 1 as it is where it should be repeated 0 times, and the stock kernel then writes
  // over what lies behind an output of nothing.
  const empty = [t, e, condition].find(({ shape }) => util.sizeFromShape(shape) === 0);
  if (empty && t.dtype !== "string") return heap.output("where", empty.shape, t.dtype);
  const aligned = util.sizeFromShape(condition.shape) === size && util.sizeFromShape(e.shape) === size;
  if (!aligned || t.dtype === "string" || condition.dtype !== "bool") {
    return runStockKernel("Select", { condition, t, e }, {}, heap);
  }
  const out = heap.output("where", t.shape, t.dtype);
  const kernel = t.dtype === "bool" ? heap.kernels.select8! : heap.kernels.select32!;
  const addresses = [condition, t, e, out].map((tensor) => heap.address(tensor));
  kernel(...addresses, size);
  return out;
}
