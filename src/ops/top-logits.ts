import { logSumExp, type Tensor1D, type Tensor2D, topk } from "@tensorflow/tfjs-core";
import { OptionError } from "../core/errors.ts";
import { checkRank, checkTensors } from "./check.ts";
import { isFused, runKernels } from "./registry.ts";
import { tidy } from "./tidy.ts";

const OP = "topLogits";
const KERNEL = "HeedTopLogits";

export interface TopLogits {
  /** [N, count], largest first. */
  readonly values: Tensor2D;
  /** Where they stand, int32 [N, count]; of equal ones the smaller column comes first. */
  readonly columns: Tensor2D;
  /** ln Σ exp of each row, [N]. */
  readonly norms: Tensor1D;
}

/**
 * The largest logits of each row, with what makes log-probabilities of them:
 *
 *     ln softmax(logits[n])[columns[n, k]] = values[n, k] − norms[n],    norms[n] = ln Σ_v exp(logits[n, v])
 *
 * Fused, one pass over a row while it is in the cache. A row with a NaN has a norm of NaN. Not differentiable.
 *
 * Shapes: logits [N, V] → values and columns [N, count], norms [N].
 *
 * @param count from 1 to V
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @example
 * const { columns } = topLogits(tf.tensor2d([[0, 3, 1, 2]]), 2);
 * columns; // [[1, 3]]
 */
export function topLogits(logits: Tensor2D, count: number): TopLogits {
  checkRank(OP, "logits", logits, 2);
  const [N, V] = logits.shape;
  checkTensors(OP, [{ name: "logits", tensor: logits, letters: "[N, V]", shape: [N, V] }]);
  if (!(Number.isSafeInteger(count) && count >= 1 && count <= V)) {
    const rule = `count must be an integer from 1 to V = ${V}`;
    throw new OptionError("OPTION", { op: OP, rule, got: count, remedy: "ask for fewer, or for one" });
  }
  if (isFused(KERNEL)) {
    const [values, columns, norms] = runKernels(KERNEL, { logits }, { count });
    return { values: values as Tensor2D, columns: columns as Tensor2D, norms: norms as Tensor1D };
  }
  return tidy(() => {
    const { values, indices } = topk(logits, count);
    return { values, columns: indices, norms: logSumExp(logits, 1) as Tensor1D };
  });
}
