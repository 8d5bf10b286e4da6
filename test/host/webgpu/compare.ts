/** The same calls on `cpu`, whose numbers are the truth, and on `webgpu`. */
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import * as tf from "@tensorflow/tfjs-core";
import { useWebGpu } from "../../../src/host/webgpu/index.ts";
import { distance, random, tensor } from "../../attention/support.ts";

/** A call that differentiates `inputs`; what else it reads it makes itself, on the backend that is current. */
export interface GpuCase {
  readonly inputs: readonly tf.Tensor[];
  readonly call: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  /** The largest difference, of the largest number. @default 3e-6 */
  readonly tolerance?: number;
  /** Numbers of inputs that have a gradient. @default all */
  readonly gradients?: readonly number[];
  /** Also the gradients of the variables that are trained. @default false */
  readonly weights?: boolean;
}

/** Normal numbers, and what `of` makes of each: made here, since a device's own functions differ in their last bits. */
export const normal = (shape: number[], seed: number, of: (x: number) => number = (x) => x): tf.Tensor =>
  tensor({ shape, dtype: "float32", values: random(seed, shape).values.map(of) });

/** Cotangents. */
const weights = ({ size, shape }: tf.Tensor) =>
  tf.tensor(
    Float32Array.from({ length: size }, (_, n) => Math.cos(n + 1)),
    shape,
  );

/** Results, and the gradients of a fixed sum of them. */
export function resultsOf({ inputs, call, gradients, weights: withWeights }: GpuCase): tf.Tensor[] {
  return tf.tidy(() => {
    const results = [call(...inputs)].flat();
    const chosen = gradients ?? inputs.map((_, n) => n);
    if (chosen.length === 0) return results;
    const loss = (...some: tf.Tensor[]) => {
      const all = [...inputs];
      for (const [n, at] of chosen.entries()) all[at] = some[n]!;
      const parts = [call(...all)].flat().filter(({ dtype, size }) => dtype === "float32" && size > 0);
      const sums = parts.map((x) => tf.sum(tf.mul(x, weights(x))));
      return tf.addN(sums);
    };
    const given = chosen.map((n) => inputs[n]!);
    const trained = withWeights
      ? Object.values(tf.variableGrads(() => loss(...given) as tf.Scalar).grads)
      : [];
    return [...results, ...tf.grads(loss)(given), ...trained];
  });
}

/** The numbers of tensors, which are disposed. */
export async function read(tensors: readonly tf.Tensor[]): Promise<Float64Array[]> {
  const numbers = [];
  for (const tensor of tensors) {
    numbers.push(Float64Array.from(await tensor.data()));
    tensor.dispose();
  }
  return numbers;
}

/** What `make` computes on a backend, given its inputs anew there. */
export async function on(backend: "cpu" | "webgpu", make: () => GpuCase): Promise<Float64Array[]> {
  if (backend === "webgpu") await useWebGpu();
  else await tf.setBackend(backend);
  // Stock computes small tensors that are not on the device yet in plain loops.
  if (backend === "webgpu") tf.env().set("WEBGPU_CPU_FORWARD", false);
  const held = tf.tidy(() => {
    const given = make();
    for (const input of given.inputs) tf.keep(input);
    return given as never as tf.Tensor;
  }) as never as GpuCase;
  const numbers = await read(resultsOf(held));
  tf.dispose([...held.inputs]);
  return numbers;
}

/** What is wrong with results, in words; `tolerance` is of the largest number of each. */
export function problemsIn(
  got: readonly Float64Array[],
  truth: readonly Float64Array[],
  tolerance: number,
): string[] {
  return truth.flatMap((numbers, n) => {
    const size = Math.max(1, ...numbers.filter(Number.isFinite).map(Math.abs));
    const worst = distance(got[n]!, numbers) / size;
    return worst <= tolerance ? [] : [`result ${n} is ${worst} away`];
  });
}

/** What is wrong with `webgpu`, in words. */
export async function problemsOf(make: () => GpuCase): Promise<string[]> {
  const truth = await on("cpu", make);
  const got = await on("webgpu", make);
  const { tolerance = 3e-6 } = tf.tidy(() => make() as never) as GpuCase;
  return problemsIn(got, truth, tolerance);
}
