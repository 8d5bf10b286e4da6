import {
  add,
  equal,
  type GradConfig,
  greaterEqual,
  logSoftmax,
  mean,
  mul,
  neg,
  range,
  reshape,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../core/errors.ts";
import { mustWait } from "./attention/guard.ts";
import { checkRank, checkTensors } from "./check.ts";
import { ensureGradient, isFused, noSecondOrder, runKernel, runKernels } from "./registry.ts";

const OP = "softmaxCrossEntropy";
const KERNEL = "HeedSoftmaxCrossEntropy";

export interface SoftmaxCrossEntropyOptions {
  /** ε of label smoothing: the target is (1 − ε)·onehot + ε/V. From 0 to 1. @default 0 */
  smoothing?: number;
  /** A factor for each row's loss, [N]. A row to leave out has a label below 0; 0 · NaN would be NaN. */
  weights?: Tensor1D;
}

const gradient: GradConfig = {
  kernelName: KERNEL,
  inputsToSave: ["logits", "labels"],
  outputsToSave: [false, true],
  gradFunc: (dy, saved, attrs) => {
    const [logits, labels, norms] = saved;
    const dloss = (dy as Tensor[])[0]!;
    const inputs = { logits: logits!, labels: labels!, norms: norms!, dloss };
    const dlogits = runKernel(`${KERNEL}Grad`, inputs, attrs);
    return { logits: () => dlogits, labels: () => zerosLike(labels!) };
  },
};

function composed(logits: Tensor2D, labels: Tensor1D, smoothing: number): Tensor1D {
  const [N, V] = logits.shape;
  const counted = greaterEqual(labels, 0);
  const column = reshape(counted, [N, 1]);
  const logp = logSoftmax(where(column, logits, zerosLike(logits)));
  // Chosen, not multiplied by the one-hot row: a logit of −Infinity elsewhere would make 0 · ∞.
  const isLabel = equal(reshape(labels, [N, 1]), range(0, V, 1, "int32"));
  let losses: Tensor = mul(neg(sum(where(isLabel, logp, zerosLike(logp)), 1)), 1 - smoothing);
  if (smoothing > 0) losses = add(losses, mul(neg(mean(logp, 1)), smoothing));
  return where(counted, losses, zerosLike(losses)) as Tensor1D;
}

function checkLabels(labels: Tensor1D, V: number): void {
  const values = labels.dataSync();
  const row = values.findIndex((label) => label >= V);
  if (row < 0) return;
  throw new ShapeError("SHAPE", {
    op: OP,
    rule: `labels must be below V = ${V}`,
    got: `${values[row]} at row ${row}`,
    remedy: "give a label below 0 to rows that should not count",
  });
}

/**
 * The cross-entropy of each row's softmax with its label:
 *
 *     losses[i] = −Σ_v target_v · ln softmax(logits[i])_v,    target = (1 − ε)·onehot(labels[i]) + ε/V
 *
 * A label below 0 means *ignore*: loss 0 and gradient 0, whatever the logits hold, NaN included. The gradient is
 * (softmax − target) · dloss; besides it nothing of size N × V is made where the backend has the fused kernel. On
 * `webgpu`, whose numbers must be waited for, a label of V or more gives NaN instead of an error.
 *
 * Shapes: logits [N, V], labels int32 [N] → losses [N]. Label smoothing: Szegedy et al. 2015,
 * arxiv.org/abs/1512.00567 §7.
 *
 * @throws ShapeError RANK or SHAPE when shapes disagree or a label is V or more
 * @throws OptionError OPTION when smoothing is outside 0 … 1
 * @example
 * const losses = softmaxCrossEntropy(logits, tf.tensor1d([2, -1], "int32"), { smoothing: 0.1 });
 */
export function softmaxCrossEntropy(
  logits: Tensor2D,
  labels: Tensor1D,
  { smoothing = 0, weights }: SoftmaxCrossEntropyOptions = {},
): Tensor1D {
  checkRank(OP, "logits", logits, 2);
  const [N, V] = logits.shape;
  checkTensors(OP, [
    { name: "logits", tensor: logits, letters: "[N, V]", shape: [N, V] },
    { name: "labels", tensor: labels, letters: "[N]", shape: [N], dtype: "int32" },
    ...(weights ? [{ name: "weights", tensor: weights, letters: "[N]", shape: [N] }] : []),
  ]);
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new OptionError("OPTION", {
      op: OP,
      rule: "smoothing must be from 0 to 1",
      got: String(smoothing),
      remedy: "0.1 is usual",
    });
  }
  if (!mustWait()) checkLabels(labels, V);
  return tidy(() => {
    let losses: Tensor1D;
    if (isFused(KERNEL)) {
      ensureGradient(gradient);
      noSecondOrder(`${KERNEL}Grad`, OP);
      losses = runKernels(KERNEL, { logits, labels }, { smoothing })[0] as Tensor1D;
    } else {
      losses = composed(logits, labels, smoothing);
    }
    return weights ? mul(losses, weights) : losses;
  });
}
