import { ShapeError } from "./errors.ts";
import { unequal, unevenHeads, wrongRank } from "./faults.ts";
import { type ArrayInfo, type AttentionShapes, show } from "./notation.ts";

/** Throws SHAPE for what is no tensor, and for a tensor whose numbers are gone. */
function checkGiven(op: string, name: string, array: ArrayInfo & { isDisposed?: boolean }): void {
  const isTensor = array?.shape !== undefined;
  if (isTensor && !array.isDisposed) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: `${name} must be a tensor`,
    got: isTensor
      ? "one that is disposed"
      : (array ?? null) === null
        ? "nothing"
        : typeof array === "object"
          ? "an object"
          : `a ${typeof array}`,
    remedy: isTensor ? "dispose it after the call, or keep it beyond its tidy" : "make one with tf.tensor",
  });
}

/** Throws RANK unless the array has this rank, and SHAPE where it is no tensor or a disposed one. */
export function checkRank(op: string, name: string, array: ArrayInfo, rank: number): void {
  checkGiven(op, name, array);
  if (array.shape.length !== rank)
    throw new ShapeError("RANK", wrongRank({ op, name, rank: `${rank}`, shape: array.shape }));
}

/** Throws DIMENSION unless two arrays agree in one letter of the notation. */
export function checkSame(
  op: string,
  letter: string,
  a: { name: string; array: ArrayInfo; axis: number },
  b: { name: string; array: ArrayInfo; axis: number },
): void {
  if (a.array.shape[a.axis] === b.array.shape[b.axis]) return;
  const details = { op, letter, a: a.name, aShape: a.array.shape, b: b.name, bShape: b.array.shape };
  throw new ShapeError("DIMENSION", unequal(details));
}

/** The letters of q, k and v in each order of axes. */
const AXES = {
  bhtd: { q: "[B, H, T, D]", k: "[B, Hkv, S, D]", v: "[B, Hkv, S, Dv]", head: 1, row: 2 },
  bthd: { q: "[B, T, H, D]", k: "[B, S, Hkv, D]", v: "[B, S, Hkv, Dv]", head: 2, row: 1 },
} as const;

/**
 * The sizes of q [B, H, T, D], k [B, Hkv, S, D] and v [B, Hkv, S, Dv], or of arrays with heads after positions.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE when they do not fit together
 */
export function attentionShapes(
  op: string,
  q: ArrayInfo,
  k: ArrayInfo,
  v: ArrayInfo,
  layout: keyof typeof AXES = "bhtd",
): AttentionShapes {
  const { head, row, ...letters } = AXES[layout];
  const names = { q: `q ${letters.q}`, k: `k ${letters.k}`, v: `v ${letters.v}` };
  checkRank(op, names.q, q, 4);
  checkRank(op, names.k, k, 4);
  checkRank(op, names.v, v, 4);
  const query = (axis: number) => ({ name: names.q, array: q, axis });
  const key = (axis: number) => ({ name: names.k, array: k, axis });
  const value = (axis: number) => ({ name: names.v, array: v, axis });
  checkSame(op, "B", query(0), key(0));
  checkSame(op, "B", key(0), value(0));
  checkSame(op, "Hkv", key(head), value(head));
  checkSame(op, "S", key(row), value(row));
  checkSame(op, "D", query(3), key(3));
  const [B, , , D] = q.shape as [number, number, number, number];
  const [H, T, Hkv, S] = [q.shape[head]!, q.shape[row]!, k.shape[head]!, k.shape[row]!];
  if (D === 0)
    throw new ShapeError("SHAPE", {
      op,
      rule: "q [B, H, T, D] and k [B, Hkv, S, D] must have a width D of 1 or more",
      got: `shapes ${show(q.shape)} and ${show(k.shape)}`,
      remedy: "queries and keys of no width have no scores",
    });
  if (H % Hkv !== 0 || Hkv === 0) throw new ShapeError("HEADS", unevenHeads({ op, H, Hkv }));
  return { B, T, S, H, Hkv, D, Dv: v.shape[3]! };
}
