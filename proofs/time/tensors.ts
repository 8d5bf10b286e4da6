import * as tf from "@tensorflow/tfjs-core";
import type { Metrics } from "../claim.ts";
import { prepare } from "../descend.ts";
import { drawInputs, MAKERS, type Maker, run, type Timed } from "./linear.ts";

const FEW = 512;
const MANY = 8 * FEW;

/** What stores all weights, to show that the count would tell. */
const weights: Maker =
  () =>
  ({ q, k, v }) =>
    tf.matMul(tf.softmax(tf.matMul(q, k, false, true)), v);

/**
 * How many times as many numbers a call with gradients makes, in all its tensors together, at eight times the positions:
 * what no clock is needed for. `weights` is attention that stores its matrix of weights, T × S.
 */
export async function tensorGrowth(
  names: readonly Timed[],
  onProgress: (share: number) => void,
): Promise<Metrics> {
  await prepare();
  const metrics: Metrics = {};
  const calls: [string, Maker][] = [
    ...names.map((name): [string, Maker] => [name, MAKERS[name]]),
    ["weights", weights],
  ];
  for (const [at, [name, make]] of calls.entries()) {
    metrics[name] = (await numbers(make, MANY)) / (await numbers(make, FEW));
    onProgress((at + 1) / calls.length);
  }
  return metrics;
}

async function numbers(make: Maker, n: number): Promise<number> {
  tf.engine().startScope();
  try {
    const x = drawInputs(n);
    const call = make(n);
    const { kernels } = await tf.profile(() => {
      run(call, x, true);
      return [];
    });
    const sizes = kernels.flatMap(({ outputShapes }) =>
      outputShapes.map((shape) => tf.util.sizeFromShape(shape)),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  } finally {
    tf.engine().endScope();
  }
}
