import { keyRange } from "../core/program-rows.ts";
import { compileCall } from "./check.ts";
import type { AttentionOptions, AttentionSizes } from "./layout.ts";

export interface AttentionCost {
  /** Pairs of a query and a key that lengths, causality and window leave, over all heads; `allow` may hide more. */
  readonly pairs: number;
  /** Flops of the two products: 2·(D + Dv) a pair. The softmax is not counted. */
  readonly forward: number;
  /** Flops of the five products of the backward pass: scores again, dk and dq, and dv and dweights; 6·D + 4·Dv a pair. */
  readonly backward: number;
  /** Bytes of the T × S weights that are never stored. */
  readonly denseBytes: number;
}

/**
 * What a call costs, before it is made: a product of M × K by K × N counts 2·M·N·K. With D = Dv and nothing hidden
 * that is 4·T·S·D forward and 10·T·S·D backward for each head.
 *
 * @throws what `attention` throws for sizes and options
 * @example
 * attentionCost({ B: 1, H: 8, T: 2048, S: 2048, D: 64 }).forward; // 8589934592
 */
export function attentionCost(sizes: AttentionSizes, options: AttentionOptions = {}): AttentionCost {
  const { program } = compileCall("attentionCost", sizes, options);
  const { B, H, T, S, D, Dv } = program.shapes;
  let pairs = 0;
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < T; i++) {
      const [start, end] = keyRange(program, b, i);
      pairs += H * Math.max(0, end - start);
    }
  }
  return {
    pairs,
    forward: 2 * (D + Dv) * pairs,
    backward: (6 * D + 4 * Dv) * pairs,
    denseBytes: 4 * B * H * T * S,
  };
}
