import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { checkRank } from "../../core/shapes.ts";

export interface LearnedEncodingParameters {
  /** A row for each position [Tmax, C]. */
  table: tf.Tensor2D;
}

/**
 * Learned positional encoding: a row of a table for every position.
 *
 *     PE(t) = table_t
 *
 * Symbols: t a position.
 * Shapes: table [Tmax, C] → [T, C], to be added to embeddings [B, T, C].
 * Conventions: positions beyond the table are refused: nothing was learned for them. The gradient reaches the rows
 * that were used.
 * Cost: O(T·C).
 * Papers: Gehring et al. 2017, §3.1, arxiv.org/abs/1705.03122; Devlin et al. 2018 (BERT), §3,
 * arxiv.org/abs/1810.04805.
 *
 * @throws ShapeError RANK · OptionError OPTION, SHAPE
 * @draws
 * return learnedEncoding({ table: tf.randomNormal([16, 24], 0, 1, "float32", 5) }, 12);
 * @example
 * const table = tf.tensor2d([[1, 2], [3, 4], [5, 6]]);
 * learnedEncoding({ table }, 2, { offset: 1 }); // [[3, 4], [5, 6]]
 */
export function learnedEncoding(
  { table }: LearnedEncodingParameters,
  T: number,
  { offset = 0 }: { offset?: number } = {},
): tf.Tensor2D {
  const op = "learnedEncoding";
  checkRank(op, "table [Tmax, C]", table, 2);
  checkCount(op, "T", T);
  checkCount(op, "offset", offset, 0);
  const [rows, C] = table.shape;
  const last = offset + T - 1;
  if (last >= rows) {
    throw new OptionError("SHAPE", {
      op,
      rule: `positions must be below the Tmax=${rows} rows of table [Tmax, C]`,
      got: `positions ${offset} to ${last}`,
      remedy: "train a longer table, or cut the sequence",
    });
  }
  return tf.slice(table, [offset, 0], [T, C]);
}
