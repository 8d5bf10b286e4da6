import { ShapeError } from "./errors.ts";
import type { ArrayInfo, AttentionShapes } from "./notation.ts";

/** Throws RANK unless the array has this rank. */
export function checkRank(op: string, name: string, array: ArrayInfo, rank: number): void {
  if (array.shape.length !== rank)
    throw new ShapeError("RANK", { op, name, rank: `${rank}`, shape: array.shape });
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
  throw new ShapeError("DIMENSION", details);
}

/**
 * The sizes of q [B, H, T, D], k [B, Hkv, S, D] and v [B, Hkv, S, Dv].
 *
 * @throws ShapeError RANK, DIMENSION, HEADS or NO_WIDTH when they do not fit together
 */
export function attentionShapes(op: string, q: ArrayInfo, k: ArrayInfo, v: ArrayInfo): AttentionShapes {
  checkRank(op, "q [B, H, T, D]", q, 4);
  checkRank(op, "k [B, Hkv, S, D]", k, 4);
  checkRank(op, "v [B, Hkv, S, Dv]", v, 4);
  const query = (axis: number) => ({ name: "q [B, H, T, D]", array: q, axis });
  const key = (axis: number) => ({ name: "k [B, Hkv, S, D]", array: k, axis });
  const value = (axis: number) => ({ name: "v [B, Hkv, S, Dv]", array: v, axis });
  checkSame(op, "B", query(0), key(0));
  checkSame(op, "B", key(0), value(0));
  checkSame(op, "Hkv", key(1), value(1));
  checkSame(op, "S", key(2), value(2));
  checkSame(op, "D", query(3), key(3));
  const [B, H, T, D] = q.shape as [number, number, number, number];
  const [, Hkv, S] = k.shape as [number, number, number, number];
  if (D === 0) throw new ShapeError("NO_WIDTH", { op, q: q.shape, k: k.shape });
  if (H % Hkv !== 0 || Hkv === 0) throw new ShapeError("HEADS", { op, H, Hkv });
  return { B, T, S, H, Hkv, D, Dv: v.shape[3]! };
}
