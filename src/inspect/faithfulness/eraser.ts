import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { type Answers, askAll, flags, orderOf } from "./answers.ts";
import type { FaithfulnessOptions } from "./curves.ts";

export interface RationaleOptions extends FaithfulnessOptions {
  /** Shares of the inputs that count as the rationale, each above 0 and at most 1. @default 0.01, 0.05, 0.1, 0.2 and 0.5 */
  readonly shares?: readonly number[];
}

export interface RationaleScores {
  /** How much the answer falls without the rationale: much is good. */
  readonly comprehensiveness: number;
  /** How much it falls with the rationale alone: little is good, and less than nothing may be. */
  readonly sufficiency: number;
}

/**
 * ERASER's measures of a rationale: is it needed, and is it enough?
 *
 *     comprehensiveness = Σ_b f(all) − f(all without r_b) / (|B| + 1),    sufficiency = Σ_b f(all) − f(r_b alone) / (|B| + 1)
 *
 * Symbols: f the answer, r_b the share b of the inputs with most relevance, B the shares; the sums begin with an empty r_0.
 * Shapes: relevance [S]; a share is at least one input, rounded up. `answers` is called once.
 * Cost: 2·(|B| + 1) answers. Paper: DeYoung et al. 2020, § 4.2, arxiv.org/abs/1911.03429.
 *
 * @throws ShapeError SHAPE · OptionError NOT_FINITE, OPTION
 * @example
 * const first = (kept) => kept.map((flags) => flags[0]);
 * rationaleScores([3, 2, 1, 0], first, { shares: [0.25] }); // { comprehensiveness: 0.5, sufficiency: 0.5 }
 */
export function rationaleScores(
  relevance: ArrayLike<number>,
  answers: Answers,
  { fixed = [], shares = [0.01, 0.05, 0.1, 0.2, 0.5] }: RationaleOptions = {},
): RationaleScores {
  const op = "rationaleScores";
  const wrong = shares.find((share) => !(share > 0 && share <= 1));
  if (wrong !== undefined || shares.length === 0) {
    const rule = "one or more numbers above 0 and at most 1";
    throw new OptionError("OPTION", outOfRange({ op, name: "shares", rule, got: wrong ?? "none" }));
  }
  const order = orderOf(op, relevance, fixed);
  const n = relevance.length;
  const rationales = [0, ...shares].map((share) => order.slice(0, Math.ceil(share * order.length)));
  const all = askAll(op, answers, [
    flags(n, [], { keep: false, fixed }),
    ...rationales.map((places) => flags(n, places, { keep: false, fixed })),
    ...rationales.map((places) => flags(n, places, { keep: true, fixed })),
  ]);
  const many = rationales.length;
  const fall = (answers: Float64Array) => answers.reduce((sum, answer) => sum + all[0]! - answer, 0) / many;
  return {
    comprehensiveness: fall(all.slice(1, 1 + many)),
    sufficiency: fall(all.slice(1 + many)),
  };
}
