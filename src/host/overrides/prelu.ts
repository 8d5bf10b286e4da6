import { broadcast_util, type TensorInfo } from "@tensorflow/tfjs-core";
import { type HeedKernel, runHeedKernel } from "../register.ts";
import { castTo } from "./other-dtypes.ts";

/** x where it is not below 0, alpha · x elsewhere, the two broadcast. (The stock kernel reads past a smaller alpha.) */
export const prelu: HeedKernel = ({ inputs, heap }) => {
  const given = castTo(inputs.x as TensorInfo, "float32", heap);
  const alpha = castTo(inputs.alpha as TensorInfo, "float32", heap);
  const shape = broadcast_util.assertAndGetBroadcastShape(given.shape, alpha.shape);
  const ones = runHeedKernel("Fill", {}, { shape, value: 1, dtype: "float32" }, heap);
  const isWhole = String(shape) === String(given.shape);
  const x = isWhole ? heap.share(given) : runHeedKernel("Multiply", { a: given, b: ones }, {}, heap);
  const scaled = runHeedKernel("Multiply", { a: x, b: alpha }, {}, heap);
  const out = heap.output("prelu", shape);
  const [from, low, to] = [heap.view(x), heap.view(scaled), heap.view(out)];
  for (let i = 0; i < to.length; i++) to[i] = from[i]! < 0 ? low[i]! : from[i]!;
  for (const tensor of [given, alpha, ones, x, scaled]) heap.dispose(tensor);
  return out;
};
