import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../core/errors.ts";
import { RandomStream } from "../core/random.ts";

/** How far the worst gradient is from its central difference. */
export interface GradientReport {
  /** The largest |analytic − numeric|: relative to the input's largest gradient, or absolute for tensors. */
  readonly error: number;
  readonly input: string;
  readonly index: number;
  readonly analytic: number;
  readonly numeric: number;
}

type Arrays = Record<string, Float64Array>;

/** (ε·3)^⅓ balances truncation (h²) against rounding (ε/h): both stay near 1e-10 of the function's size. */
const STEP = 6e-6;

const NOTHING: GradientReport = { error: 0, input: "", index: -1, analytic: 0, numeric: 0 };

/**
 * The worst element of one input; errors count against the input's largest gradient, so zeros do not divide. The
 * first element where a side is not finite has the error Infinity: nothing is worse, and NaN compares with nothing.
 */
function compare(input: string, analytic: ArrayLike<number>, numeric: ArrayLike<number>): GradientReport {
  let scale = 0;
  let worst = 0;
  let index = 0;
  for (let e = 0; e < analytic.length; e++) {
    scale = Math.max(scale, Math.abs(analytic[e]!), Math.abs(numeric[e]!));
    const distance = Math.abs(analytic[e]! - numeric[e]!);
    if (!Number.isFinite(distance)) {
      return {
        error: Number.POSITIVE_INFINITY,
        input,
        index: e,
        analytic: analytic[e]!,
        numeric: numeric[e]!,
      };
    }
    if (distance > worst) [worst, index] = [distance, e];
  }
  const error = worst === 0 ? 0 : worst / scale;
  return { error, input, index, analytic: analytic[index]!, numeric: numeric[index]! };
}

function report(op: string, reports: GradientReport[], tolerance: number): GradientReport {
  const worst = reports.reduce((a, b) => (b.error <= a.error ? a : b), NOTHING);
  if (worst.error <= tolerance && Number.isFinite(worst.error)) return worst;
  const { input, index, analytic, numeric } = worst;
  throw new OptionError("GRADIENT", {
    op,
    rule: `gradients must agree with central differences to ${tolerance}`,
    got: `${analytic} against ${numeric} at element ${index} of ${input}`,
    remedy: "correct the gradient of that input",
    input,
    index,
    analytic,
    numeric,
    tolerance,
  });
}

/**
 * Checks analytic gradients of a float64 function against central differences (f(x+h) − f(x−h)) / 2h, element by
 * element. Every input named in `analytic` is checked, and the inputs are left as they were.
 *
 * @param f the function, of all inputs, to one number
 * @param tolerance largest error, relative to the input's largest gradient
 * @returns the worst element
 * @throws OptionError GRADIENT, naming the worst element
 * @example
 * gradcheck(({ x }) => x[0] ** 3, { x: Float64Array.of(2) }, { x: Float64Array.of(12) }).error; // below 1e-9
 */
export function gradcheck(
  f: (inputs: Arrays) => number,
  inputs: Arrays,
  analytic: Record<string, ArrayLike<number>>,
  tolerance = 1e-6,
): GradientReport {
  const reports = Object.entries(analytic).map(([name, gradient]) => {
    const x = inputs[name]!;
    if (gradient.length !== x.length) {
      throw new OptionError("SHAPE", {
        op: "gradcheck",
        rule: `the gradient of ${name} must have its ${x.length} elements`,
        got: gradient.length,
        remedy: "return one number each",
      });
    }
    return compare(
      name,
      gradient,
      x.map((value, e) => {
        const h = STEP * Math.max(1, Math.abs(value));
        x[e] = value + h;
        const above = f(inputs);
        x[e] = value - h;
        const below = f(inputs);
        x[e] = value;
        return (above - below) / (2 * h);
      }),
    );
  });
  return report("gradcheck", reports, tolerance);
}

/** Half of float32's spacing at 1. */
const FLOAT32_ROUNDING = 2 ** -24;
/** The five-point difference errs by h⁴·f⁽⁵⁾/30: below 1e-7 here for functions whose fifth derivative is near 1. */
const TENSOR_STEP = 2 ** -5;
/** Elements that are moved at once: a call of f for each of them would take most of the time of a test. */
const TOGETHER = 16;

/** The elements below n in runs of neighbours. */
const runsOf = (n: number): number[][] =>
  Array.from({ length: Math.ceil(n / TOGETHER) }, (_, g) =>
    Array.from({ length: Math.min(TOGETHER, n - g * TOGETHER) }, (_, e) => g * TOGETHER + e),
  );

/**
 * Checks the gradients that TensorFlow.js computes for a function of tensors, in float32. The output is weighted by
 * fixed cotangents and summed in float64, and five-point differences leave rounding as the only error, so the
 * tolerance follows from it: an output with R roundings on its way is wrong by R·2⁻²⁴ of its size, and the
 * difference divides 1.5 times that by the step. Sixteen elements are moved at once, up or down, by a step of that
 * length in all; where the sum of their gradients, ± each, is off by more than one of them may be, each is moved alone.
 *
 * @param f inputs by name → one tensor
 * @param roundings R, roundings on the way to one output element (a sum of n terms rounds about √n times)
 * @returns the worst element; sixteen that were right together count as the one with the largest gradient
 * @throws OptionError GRADIENT, naming the worst element
 * @example
 * gradcheckTensors(({ x }) => tf.tanh(x), { x: tf.tensor1d([0.3]) });
 */
export function gradcheckTensors(
  f: (inputs: Record<string, tf.Tensor>) => tf.Tensor,
  inputs: Record<string, tf.Tensor>,
  roundings = 16,
): GradientReport {
  const names = Object.keys(inputs);
  const call = (tensors: tf.Tensor[]) => f(Object.fromEntries(names.map((name, n) => [name, tensors[n]!])));
  const tensors = Object.values(inputs);
  let result = NOTHING;
  tf.tidy(() => {
    const out = call(tensors);
    const cotangents = Float32Array.from({ length: out.size }, (_, e) => Math.cos(1 + e));
    const analytic = tf.grads((...x: tf.Tensor[]) => call(x))(tensors, tf.tensor(cotangents, out.shape));
    const weigh = (result: ArrayLike<number>) => cotangents.reduce((sum, c, e) => sum + c * result[e]!, 0);
    const size = Math.hypot(...cotangents) * Math.max(...out.dataSync().map(Math.abs));
    const tolerance = (1.5 * roundings * FLOAT32_ROUNDING * size) / TENSOR_STEP;
    const reports = tensors.map((tensor, n) => {
      const values = tensor.dataSync();
      const gradient = analytic[n]!.dataSync();
      const signs = new RandomStream(n)
        .fillUniform(new Float32Array(values.length), -1)
        .map((x) => (x < 0 ? -1 : 1));
      /** f where these elements have moved by so many steps each, or against it, by their signs. */
      const at = (elements: number[], step: number) => {
        const moved = values.slice();
        for (const e of elements) moved[e] = moved[e]! + step * signs[e]!;
        const replaced = tensors.map((other, m) => (m === n ? tf.tensor(moved, tensor.shape) : other));
        return tf.tidy(() => weigh(call(replaced).dataSync()));
      };
      const slope = (elements: number[]) => {
        const h = TENSOR_STEP / Math.sqrt(elements.length);
        const near = at(elements, h) - at(elements, -h);
        const far = at(elements, 2 * h) - at(elements, -2 * h);
        return (8 * near - far) / (12 * h);
      };
      const numeric = Float64Array.from(gradient);
      for (const run of runsOf(values.length)) {
        const sum = run.reduce((sum, e) => sum + signs[e]! * gradient[e]!, 0);
        const off = run.length > 1 ? slope(run) - sum : Number.NaN;
        if (Math.abs(off) <= tolerance) {
          const largest = run.reduce((a, e) => (Math.abs(gradient[e]!) > Math.abs(gradient[a]!) ? e : a));
          numeric[largest] = gradient[largest]! + signs[largest]! * off;
        } else for (const e of run) numeric[e] = signs[e]! * slope([e]);
      }
      const worst = compare(names[n]!, gradient, numeric);
      const absolute = Math.abs(worst.analytic - worst.numeric);
      return { ...worst, error: Number.isFinite(worst.error) ? absolute : worst.error };
    });
    result = report("gradcheckTensors", reports, tolerance);
  });
  return result;
}
