import * as tf from "@tensorflow/tfjs-core";
import type { LshPlan, LshSizes } from "./lsh-plan.ts";

/** Rows that are copied to other places, and where each one's copies went: their gradients are fetched from there. */
export interface RowMoves {
  /** For each place, the row that comes there. */
  readonly from: Int32Array;
  /** For each row, places of its copies, each list one for every row. Places that nothing reads have no gradient. */
  readonly to: readonly Int32Array[];
}

/** How rows [X·T] come to the chunks as queries and as keys, and results [X·rounds·T] from them. */
export function rowMoves(
  { C, queryRows, keyRows, slots }: LshPlan,
  { X, T, rounds, L }: Pick<LshSizes, "X" | "T" | "rounds" | "L">,
): { queries: RowMoves; keys: RowMoves; outputs: RowMoves } {
  const ofRows = (place: (slot: number) => number) =>
    Array.from({ length: rounds }, (_, r) =>
      Int32Array.from({ length: X * T }, (_, row) =>
        place(slots[(Math.floor(row / T) * rounds + r) * T + (row % T)]!),
      ),
    );
  /** Among the slots that a chunk reads, those of the chunk before it come first. */
  const read = (chunk: number, slot: number, own: number) => (2 * chunk + own) * L + (slot % L);
  const own = (slot: number) => read(Math.floor(slot / L), slot, 1);
  const before = (slot: number) => {
    const chunk = Math.floor(slot / L);
    // The last chunk is before none; what the first one reads there is hidden.
    return read(chunk % C === C - 1 ? chunk - C + 1 : chunk + 1, slot, 0);
  };
  const from = slots.map((slot, at) => Math.floor(at / T) * T + (slot % (C * L)));
  const to = new Int32Array(from.length);
  for (const [at, place] of from.entries()) to[place] = at;
  return {
    queries: { from: queryRows, to: ofRows((slot) => slot) },
    keys: { from: keyRows, to: [...ofRows(own), ...ofRows(before)] },
    outputs: { from, to: [to] },
  };
}

/** The rows x [N, D] at their places. TensorFlow.js' own gradient adds rows up one by one, and not on every backend. */
export function moveRows(x: tf.Tensor2D, { from, to }: RowMoves): tf.Tensor2D {
  const fetch = (rows: tf.Tensor, places: Int32Array) => tf.gather(rows, tf.tensor1d(places, "int32"));
  const move = tf.customGrad((rows) => ({
    value: fetch(rows as tf.Tensor, from),
    gradFunc: (dy: tf.Tensor) => tf.addN(to.map((places) => fetch(dy, places))),
  }));
  return move(x) as tf.Tensor2D;
}
