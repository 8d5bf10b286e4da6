import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { HeedKernel } from "../register.ts";

const OP = "topLogits";

/**
 * The largest of each row of logits [N, V] and their columns, both [N, count], and the log-sum-exp of each row [N]
 * (assembly/top-logits.ts).
 */
export const topLogits: HeedKernel = ({ inputs, attrs, heap }) => {
  const { logits } = inputs as { logits: TensorInfo };
  const [N, V] = logits.shape as [number, number];
  const count = attrs.count as number;
  const values = heap.output(OP, [N, count]);
  const columns = heap.output(OP, [N, count], "int32");
  const norms = heap.output(OP, [N]);
  const [x, ...outs] = [logits, values, columns, norms].map((tensor) => heap.address(tensor));
  heap.kernels.topLogits!(x!, ...outs, N, V, count);
  return [values, columns, norms];
};
