import type * as tf from "@tensorflow/tfjs-core";
import type { ProgramOptions } from "../../core/program.ts";
import { bandTensor } from "./band.ts";

export type CausalOptions = Pick<ProgramOptions, "queryOffset"> & {
  /** Which corner of the mask is aligned when T ≠ S. @default none: needed, or `queryOffset`, unless T = S */
  align?: "topLeft" | "bottomRight";
};

/**
 * Causal mask: a query sees its own position and everything before it.
 *
 *     allow(i, j) = j ≤ i + offset
 *
 * 1. `true` means attend. 2. A row without a visible key (a negative offset) gives 0 in every mechanism of heed.
 * 3. When T ≠ S there is no default: `topLeft` has offset 0 (the first query and the first key stand together),
 * `bottomRight` S − T (the last ones do), `queryOffset` any number. 4. A query sees itself.
 *
 *     T = S = 4      T = 2, S = 4, topLeft    T = 2, S = 4, bottomRight
 *     1 0 0 0        1 0 0 0                  1 1 1 0
 *     1 1 0 0        1 1 0 0                  1 1 1 1
 *     1 1 1 0
 *     1 1 1 1
 *
 * Shapes: → bool [T, S]. Cost: O(T·S). Paper: Vaswani et al. 2017, §3.2.3, arxiv.org/abs/1706.03762.
 *
 * @throws OptionError CONFLICT
 * @draws
 * return causalMask(12, 12);
 * @example
 * causalMask(2, 4, { align: "bottomRight" }); // [[1, 1, 1, 0], [1, 1, 1, 1]]
 */
export function causalMask(T: number, S: number, { align, queryOffset }: CausalOptions = {}): tf.Tensor2D {
  return bandTensor("causalMask", T, S, { causal: align ?? true, queryOffset });
}
