/**
 * The additive kernels on any memory: TensorFlow.js' heap, where tensors are read and written in place, or one of our
 * own (additive-engine.ts). The caller has the arrays in that memory; here they get a call's numbers and scratch.
 */

import { OptionError } from "../../core/errors.ts";
import { emptyRow } from "../../core/faults.ts";
import type { ArrayInfo } from "../../core/notation.ts";
import type { AttentionProgram } from "../../core/program.ts";
import { ADDITIVE, type AdditiveArrays, type AdditiveField, additiveFields } from "./additive-problem.ts";
import type { KernelExports } from "./load.ts";

const ALIGNMENT = 64;
/** Lengths of queries and keys, and offsets. */
const INTEGER_ARRAYS = 3;
const align = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** One call: its program, hidden units, and the address of `additiveBytes` bytes that nobody else uses meanwhile. */
export interface AdditiveCall {
  readonly program: AttentionProgram<ArrayInfo>;
  readonly A: number;
  readonly scratch: number;
}

/** Bytes of scratch: O(S · A), whatever T. */
export function additiveBytes(
  kernels: KernelExports,
  { program, A }: Omit<AdditiveCall, "scratch">,
  backward: boolean,
): number {
  const { B, S } = program.shapes;
  const own = align(kernels.additiveProblemBytes!()) + INTEGER_ARRAYS * align(4 * B);
  return own + kernels.additiveScratchBytes!(S, A, Number(backward));
}

/** Writes a call into its scratch, and returns its address. */
function place(
  kernels: KernelExports,
  buffer: ArrayBufferLike,
  { program, A, scratch }: AdditiveCall,
  arrays: AdditiveArrays,
): number {
  const bytes = kernels.additiveProblemBytes!();
  const lengths = scratch + align(bytes);
  const { queryLengths, keyLengths, offset, shapes } = program;
  const offsets = typeof offset === "number" ? undefined : offset;
  const addresses: AdditiveArrays = { scratch: lengths + INTEGER_ARRAYS * align(4 * shapes.B) };
  for (const [n, [name, values]] of Object.entries({ queryLengths, keyLengths, offsets }).entries()) {
    if (!values) continue;
    const at = lengths + n * align(4 * shapes.B);
    new Int32Array(buffer, at, shapes.B).set(values);
    addresses[name as AdditiveField] = at;
  }
  new Uint8Array(buffer, scratch, bytes).fill(0);
  ADDITIVE.write(buffer, scratch, { ...additiveFields(program, A), ...addresses, ...arrays });
  return scratch;
}

/**
 * Output, lse and, where they have an address, weights. `arrays`: query, key, v, value, out, lse, perhaps weights, bias
 * and allow.
 *
 * @throws OptionError EMPTY_ROW
 */
export function runAdditive(
  kernels: KernelExports,
  buffer: ArrayBufferLike,
  call: AdditiveCall,
  arrays: AdditiveArrays,
): void {
  const row = kernels.additiveForward!(place(kernels, buffer, call, arrays));
  if (row < 0) return;
  const { op, shapes } = call.program;
  throw new OptionError(
    "EMPTY_ROW",
    emptyRow({ op, b: Math.floor(row / shapes.T), h: 0, i: row % shapes.T }),
  );
}

/**
 * All gradients: `arrays` are the forward pass' query, key, v, value, lse, bias and allow, the incoming dout, perhaps
 * dlse and dweights, and dquery, dkey, dvalue, dv, perhaps dbias and dsink. The last three are sums: clear them first.
 */
export function runAdditiveGradients(
  kernels: KernelExports,
  buffer: ArrayBufferLike,
  call: AdditiveCall,
  arrays: AdditiveArrays,
): void {
  kernels.additiveBackward!(place(kernels, buffer, call, arrays));
}
