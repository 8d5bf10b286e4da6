/** What the normalisations of rows share: the checks of a call, and rows whose squares overflow. */
import { abs, div, greater, max, maximum, type Tensor, type Tensor1D, where } from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../core/errors.ts";
import { wrongRank } from "../core/faults.ts";
import { canRead, detached } from "./attention/guard.ts";
import { checkTensors } from "./check.ts";

/**
 * Checks x […, C], vectors [C] and epsilon.
 *
 * @param epsilons the usual ones, for the remedy
 * @returns C
 * @throws ShapeError RANK or SHAPE · OptionError OPTION
 */
export function checkRows(
  op: string,
  x: Tensor,
  vectors: Readonly<Record<string, Tensor1D | undefined>>,
  { epsilon, epsilons }: { epsilon: number; epsilons: string },
): number {
  if (x.shape.length === 0)
    throw new ShapeError("RANK", wrongRank({ op, name: "x", rank: "1 or more", shape: [] }));
  const C = x.shape.at(-1)!;
  checkTensors(op, [
    { name: "x", tensor: x, letters: "[…, C]", shape: x.shape },
    ...Object.entries(vectors).flatMap(([name, tensor]) =>
      tensor ? [{ name, tensor, letters: "[C]", shape: [C] }] : [],
    ),
  ]);
  if (C === 0) {
    throw new ShapeError("SHAPE", {
      op,
      rule: "x must have C ≥ 1 elements in a row",
      got: "C = 0",
      remedy: "normalise another axis by transposing it to the end",
    });
  }
  if (!(epsilon > 0)) {
    throw new OptionError("OPTION", {
      op,
      rule: "epsilon must be above 0",
      got: String(epsilon),
      remedy: epsilons,
    });
  }
  return C;
}

/** Divides each row by the root of its `square` + ε, the mean of some squares; ε is one number or one a row. */
export type Normalization = (x: Tensor, epsilon: number | Tensor) => { square: Tensor; value: Tensor };

/** From here on rows are scaled first: the squares of √C times as much are still float32. */
const LARGE = 2 ** 50;
/** Float32's smallest normal number: in the place of ε/m², so that rows of equal elements stay 0. */
const LEAST = 2 ** -126;

/** `normalize` of any finite rows: where squares overflow, of x/m with ε/m², which is the same for any m. */
export function normalizedRows(x: Tensor, epsilon: number, normalize: Normalization): Tensor {
  const plain = normalize(x, epsilon);
  if (canRead() && plain.square.dataSync().every(Number.isFinite)) return plain.value;
  const most = max(abs(x), -1, true);
  const m = detached(where(greater(most, LARGE), most, 1));
  return normalize(div(x, m), maximum(div(div(epsilon, m), m), LEAST)).value;
}
