import { type Answers, askAll, flags, orderOf } from "./answers.ts";

export interface FaithfulnessOptions {
  /** Inputs that always stay, such as a class token. @default none */
  readonly fixed?: readonly number[];
}

export interface Faithfulness {
  /** The answer while inputs are taken away, the most relevant first: with 0, 1, …, n of them gone. */
  readonly deleted: Float64Array;
  /** The answer while inputs are put back, the most relevant first. */
  readonly inserted: Float64Array;
  /** Areas under both curves: a good order has little of the first and much of the second. */
  readonly deletion: number;
  readonly insertion: number;
  /** Both in one number; NaN where the answer is the same with all inputs and with none. */
  readonly score: number;
}

/**
 * How well an order of relevance tells what a model's answer came from, by taking inputs away and putting them back.
 *
 *     deletion  = ∫ f(inputs without the x most relevant) dx,    insertion = ∫ f(the x most relevant alone) dx,    x from 0 to 1
 *     score     = ½ + (insertion − deletion) / 2(f(all) − f(none))
 *
 * Symbols: f the answer, x a share of the inputs. Shapes: relevance [S] → curves [S + 1]; areas by trapezoids.
 * Conventions: the score is ½ for a random order, whatever the model, since what is left by one order is what is put back by its
 * reverse; it nears 1 where few inputs decide and come first, and is below ½ where the last ones decide. What stands in the place
 * of a missing input is for `answers` to say; one that the model has seen in training (a blank, a mask) tells most.
 * `answers` is called once. Cost: 2·S answers.
 * Paper: Petsiuk, Das & Saenko 2018, § 3.2, arxiv.org/abs/1806.07421; the score is ours.
 *
 * @throws ShapeError SHAPE · OptionError NOT_FINITE, OPTION
 * @example
 * const first = (kept) => kept.map((flags) => flags[0]); // a model that reads its first input alone
 * faithfulness([3, 2, 1, 0], first).score; // 0.875
 * faithfulness([0, 1, 2, 3], first).score; // 0.125
 */
export function faithfulness(
  relevance: ArrayLike<number>,
  answers: Answers,
  { fixed = [] }: FaithfulnessOptions = {},
): Faithfulness {
  const op = "faithfulness";
  const order = orderOf(op, relevance, fixed);
  const n = relevance.length;
  const shares = Array.from({ length: order.length + 1 }, (_, at) => order.slice(0, at));
  const without = shares.map((places) => flags(n, places, { keep: false, fixed }));
  const alone = shares.map((places) => flags(n, places, { keep: true, fixed }));
  const all = askAll(op, answers, [...without, ...alone]);
  const [deleted, inserted] = [all.slice(0, shares.length), all.slice(shares.length)];
  const [deletion, insertion] = [areaUnder(deleted), areaUnder(inserted)];
  const span = deleted[0]! - inserted[0]!;
  const score = span === 0 ? Number.NaN : 0.5 + (insertion - deletion) / (2 * span);
  return { deleted, inserted, deletion, insertion, score };
}

function areaUnder(curve: Float64Array): number {
  const ends = (curve[0]! + curve.at(-1)!) / 2;
  return (curve.reduce((sum, y) => sum + y, 0) - ends) / (curve.length - 1);
}
