import { checkChoice, checkCount } from "../../core/check-options.ts";
import type { Pattern } from "./pattern.ts";

export interface StridedOptions {
  /** l: how far the local part reaches back, and the distance of the keys beyond; √T is the paper's choice. */
  stride: number;
  /** One of the two factorised heads, or one head that sees both. @default "both" */
  part?: "both" | "local" | "strided";
}

/**
 * Strided pattern of the Sparse Transformer: the last l keys, and every l-th before.
 *
 *     local: i − l ≤ j ≤ i        strided: j ≤ i, (i − j) mod l = 0
 *
 * 1. `true` means attend. 2. No row is empty. 3. Query i and key i stand together. 4. A query sees itself: l + 1 keys
 * in the local part. Causal by definition.
 *
 *     l = 2, local      strided        both
 *     1 0 0 0 0         1 0 0 0 0      1 0 0 0 0
 *     1 1 0 0 0         0 1 0 0 0      1 1 0 0 0
 *     1 1 1 0 0         1 0 1 0 0      1 1 1 0 0
 *     0 1 1 1 0         0 1 0 1 0      0 1 1 1 0
 *     0 0 1 1 1         1 0 1 0 1      1 0 1 1 1
 *
 * Cost: O(1) a pair.
 * Paper: Child et al. 2019, §4.3, arxiv.org/abs/1904.10509.
 *
 * @throws OptionError OPTION
 * @draws
 * return patternMask(24, 24, stridedPattern({ stride: 6 }));
 * @example
 * patternMask(3, 3, stridedPattern({ stride: 2, part: "strided" })); // [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
 */
export function stridedPattern({ stride, part = "both" }: StridedOptions): Pattern {
  checkCount("stridedPattern", "stride", stride);
  checkChoice("stridedPattern", "part", part, ["both", "local", "strided"]);
  const local: Pattern = (i, j) => j <= i && j >= i - stride;
  const strided: Pattern = (i, j) => j <= i && (i - j) % stride === 0;
  if (part === "local") return local;
  return part === "strided" ? strided : (i, j) => local(i, j) || strided(i, j);
}
