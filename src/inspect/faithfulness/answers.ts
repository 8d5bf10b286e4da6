import { OptionError, ShapeError } from "../../core/errors.ts";
import { wrongCount } from "../../core/faults.ts";

/** One number of a model for each list of flags, where only the inputs whose flag is 1 are left: a class's probability, say. */
export type Answers = (kept: readonly Uint8Array[]) => ArrayLike<number>;

/** Asks once for all lists. @throws ShapeError SHAPE · OptionError NOT_FINITE */
export function askAll(op: string, answers: Answers, kept: readonly Uint8Array[]): Float64Array {
  const got = answers(kept);
  if (got.length !== kept.length) {
    const fault = { op, name: "answers", letters: "one number for each list", expected: kept.length };
    throw new ShapeError("SHAPE", wrongCount({ ...fault, got: got.length }));
  }
  return Float64Array.from(got, (answer, n) => {
    if (Number.isFinite(answer)) return answer;
    const rule = `answer ${n} must be finite`;
    const remedy = "give a probability or a score of the model";
    throw new OptionError("NOT_FINITE", { op, rule, got: answer, remedy, n });
  });
}

/** Inputs by their relevance, the most relevant first; ties in their order. @throws OptionError NOT_FINITE, OPTION */
export function orderOf(
  op: string,
  relevance: ArrayLike<number>,
  fixed: readonly number[],
): readonly number[] {
  const bad = Array.from(relevance).findIndex((x) => Number.isNaN(x));
  if (bad >= 0) {
    const fault = { op, rule: `relevance[${bad}] must be a number`, got: Number.NaN };
    throw new OptionError("NOT_FINITE", { ...fault, remedy: "look at what it was made of" });
  }
  const order = Array.from(relevance, (_, at) => at)
    .filter((at) => !fixed.includes(at))
    .sort((a, b) => relevance[b]! - relevance[a]!);
  if (order.length > 0) return order;
  const rule = "there must be an input that can be taken away";
  const got = `${relevance.length} inputs, ${fixed.length} of them fixed`;
  throw new OptionError("OPTION", { op, rule, got, remedy: "give more inputs or fix fewer" });
}

/** Flags of so many inputs, 1 everywhere but at `places`, or 0 everywhere but there and where inputs are fixed. */
export function flags(
  n: number,
  places: readonly number[],
  { keep, fixed }: { keep: boolean; fixed: readonly number[] },
): Uint8Array {
  const kept = new Uint8Array(n).fill(keep ? 0 : 1);
  for (const at of places) kept[at] = keep ? 1 : 0;
  for (const at of fixed) kept[at] = 1;
  return kept;
}
