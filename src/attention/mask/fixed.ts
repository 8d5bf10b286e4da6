import { checkChoice, checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import type { Pattern } from "./pattern.ts";

export interface FixedOptions {
  /** l: the length of a block; the paper has 128. */
  stride: number;
  /** c: how many positions at each block's end sum it up for later ones, from 1 to l. @default 1 */
  summary?: number;
  /** One of the two factorised heads, or one head that sees both. @default "both" */
  part?: "both" | "local" | "summary";
}

/**
 * Fixed pattern of the Sparse Transformer: the query's own block, and the last c keys of every block.
 *
 *     local: j ≤ i, ⌊j/l⌋ = ⌊i/l⌋        summary: j ≤ i, j mod l ≥ l − c
 *
 * 1. `true` means attend. 2. No row of "both" and "local" is empty; those before the first summary are, of "summary",
 * and give 0. 3. Query i and key i stand together. 4. A query sees itself in the local part. Causal by definition.
 *
 *     l = 2, c = 1, local    summary        both
 *     1 0 0 0 0              0 0 0 0 0      1 0 0 0 0
 *     1 1 0 0 0              0 1 0 0 0      1 1 0 0 0
 *     0 0 1 0 0              0 1 0 0 0      0 1 1 0 0
 *     0 0 1 1 0              0 1 0 1 0      0 1 1 1 0
 *     0 0 0 0 1              0 1 0 1 0      0 1 0 1 1
 *
 * Cost: O(1) a pair.
 * Paper: Child et al. 2019, §4.3, arxiv.org/abs/1904.10509.
 *
 * @throws OptionError OPTION
 * @draws
 * return patternMask(24, 24, fixedPattern({ stride: 6, summary: 2 }));
 * @example
 * patternMask(3, 3, fixedPattern({ stride: 2 })); // [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
 */
export function fixedPattern(options: FixedOptions): Pattern {
  checkFixed("fixedPattern", options);
  const { stride, summary = 1, part = "both" } = options;
  const local: Pattern = (i, j) => j <= i && Math.floor(j / stride) === Math.floor(i / stride);
  const summaries: Pattern = (i, j) => j <= i && j % stride >= stride - summary;
  if (part === "local") return local;
  return part === "summary" ? summaries : (i, j) => local(i, j) || summaries(i, j);
}

/** Throws unless the options fit together. */
export function checkFixed(op: string, { stride, summary = 1, part = "both" }: FixedOptions): void {
  checkCount(op, "stride", stride);
  checkChoice(op, "part", part, ["both", "local", "summary"]);
  if (Number.isSafeInteger(summary) && summary >= 1 && summary <= stride) return;
  const rule = `an integer from 1 to stride = ${stride}`;
  throw new OptionError("OPTION", outOfRange({ op, name: "summary", rule, got: summary }));
}
