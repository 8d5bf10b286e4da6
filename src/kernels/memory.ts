import { learnedTensors } from "../core/expression/modification.ts";
import { type ArrayInfo, size } from "../core/notation.ts";
import type { AttentionProgram } from "../core/program.ts";
import { compileCall } from "./check.ts";
import { readyEngine } from "./init.ts";
import { type AttentionOptions, type AttentionSizes, callLayout, type Layout } from "./layout.ts";
import { headFlops } from "./wasm/attention/heads.ts";

/** Bytes of one call, which are all there at once at its peak. */
export interface CallBytes {
  /** Arrays that the call is given: q, k, v, bias, allow and captured tensors; backward those that forward returned, and dout, too. */
  readonly inputs: number;
  /** Arrays that it returns. */
  readonly results: number;
  /** What it takes besides: packed operands and sums, and copies of its arrays where kernels cannot reach them. */
  readonly scratch: number;
  /** The three together. */
  readonly peak: number;
}

export interface AttentionMemory {
  readonly forward: CallBytes;
  readonly backward: CallBytes;
  /** The peak of a path that stores scores and weights, B·H·T·S each, beside inputs and results; forward. */
  readonly densePeak: number;
}

/**
 * Bytes of the arrays of a call, and with them its peaks.
 *
 * @param scratch bytes of what forward and backward take besides arrays
 * @param weights whether they are asked for
 */
export function memoryOf(
  program: AttentionProgram<ArrayInfo>,
  layout: Layout,
  scratch: { readonly forward: number; readonly backward: number },
  weights = false,
): AttentionMemory {
  const { shapes, queryLengths, keyLengths, bias, allow, sink, modification } = program;
  const { B, H, T, S, D, Dv } = shapes;
  const { queries, keys } = callLayout(layout, shapes, queryLengths, keyLengths);
  const [nq, nk] = [queries.rows(B), keys.rows(B)];
  const floats = (...numbers: number[]) => 4 * numbers.reduce((sum, n) => sum + n, 0);
  const biasFloats = bias ? size(bias.array.shape) : 0;
  const [q, k, v, out, lse] = [nq * D, nk * D, nk * Dv, nq * Dv, 2 * nq] as const;
  const capturedFloats = (names: readonly string[]) =>
    names.reduce((sum, name) => sum + size(modification!.tensors[name]!.shape), 0);
  const captured = capturedFloats(Object.keys(modification?.tensors ?? {}));
  const learned = capturedFloats(learnedTensors(modification));
  const masks =
    floats(biasFloats, typeof sink === "object" ? H : 0, captured) + (allow ? size(allow.array.shape) : 0);
  const sum = (inputs: number, results: number, scratch: number): CallBytes => ({
    inputs,
    results,
    scratch,
    peak: inputs + results + scratch,
  });
  const given = floats(q, k, v) + masks;
  const made = floats(out, lse, weights ? B * H * T * S : 0);
  return {
    forward: sum(given, made, scratch.forward),
    backward: sum(
      given + floats(out, lse, out),
      floats(q, k, v, biasFloats, typeof sink === "object" ? H : sink === undefined ? 0 : 1, learned),
      scratch.backward,
    ),
    densePeak: given + made + floats(2 * B * H * T * S),
  };
}

/**
 * What a call of `attention` on Float32Arrays and its `attentionBackward` take in memory at their peak, before they are made.
 * The scratch is what the passes themselves lay out for these sizes, options and threads: `lastCallBytes` says the same
 * after the call. It grows with T + S, where `densePeak` grows with T · S.
 *
 * @throws what `attention` throws for sizes and options · OptionError NOT_READY
 * @example
 * await init();
 * const { forward, densePeak } = attentionMemory({ B: 1, H: 8, T: 4096, S: 4096, D: 64 });
 * forward.peak < densePeak / 5; // true
 */
export function attentionMemory(sizes: AttentionSizes, options: AttentionOptions = {}): AttentionMemory {
  const op = "attentionMemory";
  const { program, layout } = compileCall(op, sizes, options);
  const { D, Dv } = program.shapes;
  const bytes = (flops: number) => readyEngine(op, headFlops(program, flops)).bytes(program, layout);
  const forward = bytes(2 * (D + Dv));
  const { backward } = bytes(6 * D + 4 * Dv);
  const weights = options.weights === true;
  const most = weights ? Math.max(forward.forward, forward.weights) : forward.forward;
  return memoryOf(program, layout, { forward: most, backward }, weights);
}
