import type { Tensor } from "@tensorflow/tfjs-core";
import { DataError } from "../core/errors.ts";
import { show } from "../core/notation.ts";
import { type KernelRun, watchKernels } from "../host/watch-kernels.ts";
import { requireSettled } from "./options.ts";

const OP = "guardFinite";

export interface GuardFiniteOptions {
  /** Kernels that may give −∞ of finite numbers, such as `Log` where a mask is made as log(0). @default none */
  allow?: readonly string[];
}

/** Outputs that are −∞ where there is nothing to sum over: the log-sum-exp of a query that sees no key. */
const EMPTY_SUMS: Readonly<Record<string, number>> = { HeedAttention: 1, HeedAdditiveAttention: 1 };

/**
 * Runs `run`, and ends it at the first kernel that gives NaN or ±∞, forward or backward, with an error that names the
 * kernel, what it was given and where the first such number stands. It also says whether the inputs were finite: if
 * they were, this is the operation that went wrong, and if not, the number came from outside of `run`.
 *
 * −∞ passes where it means "hidden": as the log-sum-exp of a row that sees no key, in what is filled with it, and
 * wherever an input holds it already, such as a mask added to scores. NaN that comes of it does not pass. What an
 * operation with a gradient of its own (`tf.customGrad`) makes and selects away is no fault: its result is what counts.
 *
 * For finding a fault, not for every step: each result is read, so that a training step takes two and a half times as long.
 * Kernels are watched while `run` runs and never after it, also if it throws; guards nest. On backends that answer at
 * once: `heed`, `wasm` and `cpu`. Operations of TensorFlow.js and of heed alike.
 *
 * @param run runs to its end before it returns: no promise
 * @returns what `run` returned
 * @throws DataError NOT_FINITE naming the kernel · OptionError OPTION where `run` gives a promise
 * @example
 * const x = tf.tensor1d([4, 1, 0]);
 * try {
 *   guardFinite(() => tf.tidy(() => tf.mean(tf.log(x)).dataSync()));
 * } catch (error) {
 *   error.details.kernel; // "Log"
 *   error.details.index; // [2]
 * }
 */
export function guardFinite<R>(run: () => R, { allow = [] }: GuardFiniteOptions = {}): R {
  return requireSettled(OP, watchKernels(run, watcher(allow)));
}

/** Throws the fault of a kernel; within a composed operation not before its result shows that it was one. */
function watcher(allow: readonly string[]): (kernel: KernelRun) => void {
  let within: DataError<"NOT_FINITE"> | undefined;
  return (kernel) => {
    const found = faultOf(kernel, allow);
    if (kernel.depth > 0) {
      within ??= found;
      return;
    }
    const error = found && kernel.isComposed ? (within ?? found) : found;
    within = undefined;
    if (error) throw error;
  };
}

function faultOf(kernel: KernelRun, allow: readonly string[]): DataError<"NOT_FINITE"> | undefined {
  for (const [n, output] of kernel.outputs.entries()) {
    const found = look(output);
    if (found && !(found.isHidden && mayHide(kernel, n, allow))) return fault(kernel, n, found);
  }
  return undefined;
}

/** What is not finite in a tensor. */
interface Found {
  readonly count: number;
  readonly first: number;
  readonly value: number;
  /** Whether all of it is −∞. */
  readonly isHidden: boolean;
}

function look(tensor: Tensor): Found | undefined {
  if (tensor.dtype !== "float32") return undefined;
  const values = tensor.dataSync();
  let [count, hidden, first] = [0, 0, -1];
  for (let n = 0; n < values.length; n++) {
    const value = values[n]!;
    if (value - value === 0) continue;
    if (count === 0) first = n;
    count++;
    if (value === -Infinity) hidden++;
  }
  return count === 0 ? undefined : { count, first, value: values[first]!, isHidden: hidden === count };
}

/** Whether −∞ means here that something is hidden. */
function mayHide(
  { name, isComposed, inputs, attrs }: KernelRun,
  output: number,
  allow: readonly string[],
): boolean {
  if (isComposed || allow.includes(name) || EMPTY_SUMS[name] === output) return true;
  if (name === "Fill" && attrs.value === -Infinity) return true;
  return Object.values(inputs).some((input) => holds(input, -Infinity));
}

function holds(input: Tensor | undefined, value: number): boolean {
  return input?.dtype === "float32" && (input.dataSync() as Float32Array).includes(value);
}

function fault(
  { name, inputs, attrs, outputs }: KernelRun,
  n: number,
  found: Found,
): DataError<"NOT_FINITE"> {
  const names = Array.isArray(attrs.names) ? (attrs.names as readonly string[]) : Object.keys(inputs);
  const given = Object.values(inputs).flatMap((tensor, at) => (tensor ? [{ name: names[at]!, tensor }] : []));
  const from = given.map((input) => `${input.name} ${show(input.tensor.shape)}`).join(", ");
  const notFinite = given.filter(({ tensor }) => look(tensor)).map((input) => input.name);
  const index = place(found.first, outputs[n]!.shape);
  const which = outputs.length > 1 ? `output ${n} of ${name}` : name;
  const numbers = `${found.count} of ${outputs[n]!.size} numbers, the first ${found.value} at ${show(index)}`;
  const blame = notFinite.length > 0 ? `not finite before it: ${notFinite.join(", ")}` : "all of them finite";
  return new DataError("NOT_FINITE", {
    op: OP,
    rule: "every number of a step must be finite",
    got: `${numbers}, from ${which} of ${from || "nothing"}, ${blame}`,
    remedy:
      notFinite.length > 0
        ? "look at where that came from: no operation in the guarded run made it"
        : "look at the sizes of what this operation is given",
    kernel: name,
    inputs: Object.fromEntries(given.map((input) => [input.name, input.tensor.shape])),
    notFinite,
    count: found.count,
    value: found.value,
    index,
  });
}

/** Where element n of a shape stands, axis by axis. */
function place(n: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = n;
  for (const size of shape.toReversed()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}
