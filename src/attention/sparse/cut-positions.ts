/** Sequences cut into pieces that stand beside each other as examples, and put together again. */
import * as tf from "@tensorflow/tfjs-core";

/**
 * How a sequence is cut: into phases t mod n, each with its positions in order, or into blocks of neighbours.
 * `count` pieces of `size` positions; the last ones may be padding.
 */
export interface Cut {
  readonly kind: "phases" | "blocks";
  readonly count: number;
  readonly size: number;
}

/** Every n-th position: n phases of ⌈T/n⌉. */
export function phasesOf(T: number, n: number): Cut {
  return { kind: "phases", count: n, size: Math.ceil(T / n) };
}

/** Neighbours, n at a time: ⌈T/n⌉ blocks of n. */
export function blocksOf(T: number, n: number): Cut {
  return { kind: "blocks", count: Math.ceil(T / n), size: n };
}

/** Zeros after the positions of x [B, H, T, D], up to `length`. */
export function padPositions(x: tf.Tensor4D, length: number): tf.Tensor4D {
  const missing = length - x.shape[2];
  if (missing === 0) return x;
  return tf.pad(x, [
    [0, 0],
    [0, 0],
    [0, missing],
    [0, 0],
  ]);
}

/** x [B, H, T, D] → [B·count, H, size, D]. */
export function cut(x: tf.Tensor4D, { kind, count, size }: Cut): tf.Tensor4D {
  const [B, H, , D] = x.shape;
  const padded = padPositions(x, count * size);
  const [axes, order] =
    kind === "phases"
      ? [
          [B, H, size, count, D],
          [0, 3, 1, 2, 4],
        ]
      : [
          [B, H, count, size, D],
          [0, 2, 1, 3, 4],
        ];
  return tf.reshape(tf.transpose(tf.reshape(padded, axes), order), [B * count, H, size, D]);
}

/** The way back to T positions: x [B·count, H, size, …] → [B, H, T, …]. */
export function joined<X extends tf.Tensor3D | tf.Tensor4D>(x: X, { kind, count, size }: Cut, T: number): X {
  const [BN, H, , ...rest] = x.shape as number[];
  const B = BN! / count;
  const pieces = tf.reshape(x, [B, count, H!, size, ...rest]);
  const axes = rest.map((_, n) => 4 + n);
  const order = kind === "phases" ? [0, 2, 3, 1, ...axes] : [0, 2, 1, 3, ...axes];
  const all = tf.reshape(tf.transpose(pieces, order), [B, H!, size * count, ...rest]);
  return (size * count === T ? all : tf.slice(all, [0, 0, 0], [B, H!, T])) as X;
}

/** How many positions of each piece are below its example's length: B·count numbers. */
export function pieceLengths({ kind, count, size }: Cut, lengths: ArrayLike<number>): number[] {
  return Array.from(lengths).flatMap((length) =>
    Array.from({ length: count }, (_, n) => {
      const own = kind === "phases" ? Math.ceil((length - n) / count) : length - n * size;
      return Math.min(size, Math.max(0, own));
    }),
  );
}
