import { checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import type { Pattern } from "./pattern.ts";

export interface LongformerOptions {
  /** Keys seen before and after a query, in steps of the dilation; the paper's w is left + right. */
  window: { left: number; right: number };
  /** Distance of neighbouring keys in the window. @default 1 */
  dilation?: number;
  /** Positions that see everything and that everything sees. @default none */
  global?: readonly number[];
  /** Hides every key after its query. @default false */
  causal?: boolean;
}

/**
 * Longformer's pattern: a window, with gaps if wanted, and a few global positions.
 *
 *     allow(i, j) = (i − j = m·dilation, −right ≤ m ≤ left)  ∨  i ∈ global  ∨  j ∈ global
 *
 * 1. `true` means attend. 2. No row is empty. 3. Query i and key i stand together. 4. `left` and `right` do not count
 * the query's own position, which is always seen: left + right + 1 keys.
 *
 *     left = right = 1, global = [0]     left = right = 1, dilation = 2
 *     1 1 1 1 1                          1 0 1 0 0
 *     1 1 1 0 0                          0 1 0 1 0
 *     1 1 1 1 0                          1 0 1 0 1
 *     1 0 1 1 1                          0 1 0 1 0
 *     1 0 0 1 1                          0 0 1 0 1
 *
 * Cost: O(1) a pair.
 * Paper: Beltagy, Peters & Cohan 2020, §3.1, arxiv.org/abs/2004.05150.
 *
 * @throws OptionError OPTION
 * @draws
 * return patternMask(24, 24, longformerPattern({ window: { left: 2, right: 2 }, dilation: 2, global: [0, 12] }));
 * @example
 * patternMask(3, 3, longformerPattern({ window: { left: 1, right: 0 } })); // [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
 */
export function longformerPattern(options: LongformerOptions): Pattern {
  const { window, dilation = 1, global = [], causal = false } = options;
  checkLongformer("longformerPattern", options);
  const isGlobal = new Set(global);
  return (i, j) => {
    if (causal && j > i) return false;
    if (isGlobal.has(i) || isGlobal.has(j)) return true;
    const steps = (i - j) / dilation;
    return Number.isInteger(steps) && steps <= window.left && -steps <= window.right;
  };
}

/** Throws unless window, dilation and global positions are integers in range, the last below T where it is given. */
export function checkLongformer(
  op: string,
  { window, dilation = 1, global = [] }: LongformerOptions,
  T = Number.POSITIVE_INFINITY,
): void {
  checkCount(op, "window.left", window.left, 0);
  checkCount(op, "window.right", window.right, 0);
  if (window.left + window.right === 0) {
    throw new OptionError(
      "OPTION",
      outOfRange({
        op,
        name: "window.left + window.right",
        rule: "1 or more",
        got: 0,
      }),
    );
  }
  checkCount(op, "dilation", dilation);
  const wrong = global.find((n) => !(Number.isSafeInteger(n) && n >= 0 && n < T));
  if (wrong !== undefined) {
    const rule = T === Number.POSITIVE_INFINITY ? "integers ≥ 0" : `integers from 0 to T − 1 = ${T - 1}`;
    throw new OptionError("OPTION", outOfRange({ op, name: "global positions", rule, got: wrong }));
  }
}
