import type * as tf from "@tensorflow/tfjs-core";
import type { ProgramOptions } from "../../core/program.ts";
import { bandTensor } from "./band.ts";

export type WindowOptions = Pick<ProgramOptions, "queryOffset"> & {
  /** Keys seen before the query's position. @default Infinity */
  left?: number;
  /** Keys seen after the query's position. @default Infinity */
  right?: number;
};

/**
 * Window mask: a query sees its neighbourhood.
 *
 *     allow(i, j) = −left ≤ j − (i + offset) ≤ right
 *
 * 1. `true` means attend. 2. A row without a visible key (beyond the keys) gives 0 in every mechanism of heed.
 * 3. When T ≠ S, `queryOffset` must say at which key query 0 stands: 0 aligns the top left corner, S − T the bottom
 * right. 4. `left` and `right` do not count the query's own position, which is always seen: left + right + 1 keys.
 *
 *     left = 1, right = 0      left = 1, right = 1
 *     1 0 0 0                  1 1 0 0
 *     1 1 0 0                  1 1 1 0
 *     0 1 1 0                  0 1 1 1
 *     0 0 1 1                  0 0 1 1
 *
 * Shapes: → bool [T, S]. Cost: O(T·S). Papers: Luong, Pham & Manning 2015, §3.2, arxiv.org/abs/1508.04025; Beltagy,
 * Peters & Cohan 2020, §3.1, arxiv.org/abs/2004.05150, whose w is left + right.
 *
 * @throws OptionError CONFLICT, OPTION
 * @draws
 * return windowMask(12, 12, { left: 3, right: 1 });
 * @example
 * windowMask(4, 4, { left: 1, right: 0 });
 */
export function windowMask(T: number, S: number, { left, right, queryOffset }: WindowOptions): tf.Tensor2D {
  return bandTensor("windowMask", T, S, { window: { left, right }, queryOffset });
}
