import { checkChoice } from "../core/check-options.ts";
import { OptionError } from "../core/errors.ts";
import { HALF_TYPES, type HalfType } from "../core/half.ts";
import { described } from "./arguments.ts";
import { checkCounts, compileCall } from "./check.ts";
import { readyEngine } from "./init.ts";
import type { AttentionOptions, AttentionSizes } from "./layout.ts";
import { headFlops } from "./wasm/attention/heads.ts";

export type { HalfType } from "../core/half.ts";

export interface HalfAttentionOptions extends AttentionOptions {
  /** What the `Uint16Array`s among q, k and v hold, as bits. */
  half: HalfType;
}

export interface HalfAttentionOutput {
  output: Float32Array;
  lse: Float32Array;
  weights?: Float32Array;
}

const OP = "halfAttention";

/**
 * `attention` over queries, keys or values of 16 bits a number, such as a cache that is to take half the memory: scores,
 * softmax and sums are float32, and so are the results. They are those of `attention` on the decoded numbers, bit for
 * bit, with every option; masks and biases are no numbers of 16 bits, so nothing that hides can overflow.
 *
 *     |output − output of float32| ≤ (2δ + u)·max|v|,   δ = 2u·max Σ_d |scale·q_d·k_d|,   to first order in u
 *
 * Symbols: u is 2⁻¹¹ in float16 (within 6e-5 … 65504) and 2⁻⁸ in bfloat16; δ is what rounding q and k does to a score,
 * and with float32 queries half of it. For unit-normal heads of 64 the error is below 2e-3 of max|v| in float16, and
 * below eight times that, 1.6e-2, in bfloat16.
 *
 * Shapes: as of `attention`; each of q, k and v is a Float32Array or a Uint16Array. Forward alone.
 * Cost: as of `attention`, and a pass over the halves: what is saved is memory, not time. One query over 4096 keys
 * takes 1.2 times as long as with floats, 1024 queries over 1024 keys as long.
 *
 * @throws OptionError OPTION, DTYPE, NOT_READY, EMPTY_ROW · ShapeError SHAPE, HEADS · those of compileProgram ·
 *   MemoryError MEMORY · WorkerError WORKER, FAULT
 * @example
 * await init();
 * const [q, k, v] = [Float32Array.of(0), Uint16Array.of(0x3c00, 0x4000), Uint16Array.of(0x4400, 0x4800)];
 * halfAttention(q, k, v, { B: 1, H: 1, T: 1, S: 2, D: 1 }, { half: "float16" }).output[0]; // 6
 */
export function halfAttention(
  q: Float32Array | Uint16Array,
  k: Float32Array | Uint16Array,
  v: Float32Array | Uint16Array,
  sizes: AttentionSizes,
  { half, ...options }: HalfAttentionOptions,
): HalfAttentionOutput {
  checkChoice(OP, "half", half, HALF_TYPES);
  const { program, layout } = compileCall(OP, sizes, options);
  for (const [name, array] of Object.entries({ q, k, v })) {
    if (array instanceof Float32Array || array instanceof Uint16Array) continue;
    throw new OptionError("DTYPE", {
      op: OP,
      rule: `${name} must be a Float32Array or a Uint16Array`,
      got: described(array),
      remedy: "convert it",
    });
  }
  checkCounts(OP, program, layout, { q, k, v });
  const { D, Dv } = program.shapes;
  const engine = readyEngine(OP, headFlops(program, 2 * (D + Dv)));
  const forward = engine.forward(program, { q, k, v, half }, layout);
  const { output, lse } = forward;
  if (!options.weights) return { output, lse };
  return { output, lse, weights: engine.weights(program, { q, k, half }, forward, layout) };
}
