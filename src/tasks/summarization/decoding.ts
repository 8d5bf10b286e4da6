import type { Referenced } from "../references.ts";
import { scoreSummaries } from "./evaluate.ts";
import type { Summarizer } from "./summarizer.ts";

/** Penalties that a run tries, from those that like short summaries to those that like long ones. */
export const LENGTH_PENALTIES: readonly number[] = [1, 1.5, 2, 2.5, 3];

/**
 * The length penalty with the best ROUGE-L on the validation split, of equals the smallest. A beam finds shorter summaries more likely
 * than people's are long, and how much depends on the model and its data.
 *
 * @param penalties exponents α of `lengthPenaltyOf`; at least one
 */
export function bestLengthPenalty(
  summarizer: Pick<Summarizer, "summarize">,
  validation: readonly Referenced[],
  penalties: readonly number[] = LENGTH_PENALTIES,
): number {
  const scores = penalties.map(
    (lengthPenalty) => scoreSummaries(summarizer, validation, { lengthPenalty }).rougeL,
  );
  return penalties[scores.indexOf(Math.max(...scores))]!;
}
