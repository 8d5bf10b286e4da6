// Runs an op and its gradients on the cpu backend (composed) and on heed (fused).
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
// Outside of the "tfjs" union package, it is the layers package that registers the gradients of the core ops.
import "@tensorflow/tfjs-layers";
import "../../src/host/backend.ts";

export interface Value {
  shape: number[];
  values: number[];
  dtype?: tf.DataType;
}

/** What a run gave: outputs, then the gradients of Σ outputs ⊙ their weights with respect to the float inputs. */
export interface Run {
  outputs: number[][];
  gradients: number[][];
}

export type Op = (inputs: tf.Tensor[]) => tf.Tensor[];

/** Numbers in [−scale, scale), the same for the same seed. */
export function numbers(count: number, seed: number, scale = 1.5): number[] {
  let state = seed * 2654435761 + 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}

/** Runs on the current backend. Output k is weighed by fixed numbers, so that every element's gradient differs. */
export function run(op: Op, inputs: Value[]): Run {
  return tf.tidy(() => {
    const tensors = inputs.map(({ shape, values, dtype }) => tf.tensor(values, shape, dtype ?? "float32"));
    const outputs = op(tensors).map((t) => Array.from(t.dataSync()));
    const floats = tensors.filter((t) => t.dtype === "float32");
    const loss = (...given: tf.Tensor[]) => {
      const all = tensors.map((t) => (t.dtype === "float32" ? given[floats.indexOf(t)]! : t));
      const terms = op(all).map((t, k) => tf.sum(tf.mul(t, tf.tensor(numbers(t.size, 90 + k), t.shape))));
      return terms.reduce((a, b) => tf.add(a, b)) as tf.Scalar;
    };
    const gradients = tf
      .grads(loss)(floats)
      .map((t) => Array.from(t.dataSync()));
    return { outputs, gradients };
  });
}

/** Runs on heed, fused, and on cpu, composed; heed is the backend afterwards. */
export async function bothWays(op: Op, inputs: Value[]): Promise<{ fused: Run; composed: Run }> {
  await tf.setBackend("heed");
  const fused = run(op, inputs);
  await tf.setBackend("cpu");
  const composed = run(op, inputs);
  await tf.setBackend("heed");
  return { fused, composed };
}

/** The greatest |a − b| / (1 + |b|); Infinity when one is NaN and the other is not. */
export function distance(a: number[][], b: number[][]): number {
  let worst = 0;
  for (const [k, row] of b.entries()) {
    if (a[k]!.length !== row.length) return Number.POSITIVE_INFINITY;
    for (const [i, y] of row.entries()) {
      const x = a[k]![i]!;
      if (Object.is(x, y)) continue;
      const far = Math.abs(x - y) / (1 + Math.abs(y));
      worst = Math.max(worst, Number.isNaN(far) ? Number.POSITIVE_INFINITY : far);
    }
  }
  return worst;
}

/** Gradients of the weighed outputs by central differences, of input `k` alone, on the current backend. */
export function numericGradient(op: Op, inputs: Value[], k: number, step = 1e-2): number[] {
  const loss = (values: number[]) =>
    tf.tidy(() => {
      const tensors = inputs.map(({ shape, values: own, dtype }, i) =>
        tf.tensor(i === k ? values : own, shape, dtype ?? "float32"),
      );
      let total = 0;
      for (const [o, t] of op(tensors).entries()) {
        const weights = numbers(t.size, 90 + o);
        for (const [i, y] of t.dataSync().entries()) total += y * weights[i]!;
      }
      return total;
    });
  return inputs[k]!.values.map((value, i) => {
    const shifted = (by: number) => loss(inputs[k]!.values.map((v, j) => (j === i ? value + by : v)));
    return (shifted(step) - shifted(-step)) / (2 * step);
  });
}

/** Tensors and elements on the backend that 20 runs of the op, forward and backward, leave behind. */
export function leaked(op: Op, inputs: Value[]): number {
  const held = () => tf.memory().numTensors + tf.engine().backend.numDataIds();
  run(op, inputs);
  const before = held();
  for (let i = 0; i < 20; i++) run(op, inputs);
  return held() - before;
}
