import type { Segments } from "../../ops/attention/packed.ts";

/** Where the tokens of a call stand: at `first`, `first` + 1, … in every example, or each at a position of its own. */
export type Span =
  | { readonly first: number }
  /** [B·T] */
  | { readonly each: Int32Array };

/** Position of token t of example b. */
export function positionOf(span: Span, T: number, b: number, t: number): number {
  return "first" in span ? span.first + t : span.each[b * T + t]!;
}

/** The position after the last one. */
export function endOf(span: Span, T: number): number {
  return "first" in span ? span.first + T : span.each.reduce((most, n) => Math.max(most, n), -1) + 1;
}

/** Where the tokens of rows of T stand: packed ones each in its sequence, those of padding at 0. */
export function spanOf(T: number, segments: Segments | undefined): Span {
  if (!segments) return { first: 0 };
  const each = new Int32Array(segments.length * T);
  for (const [row, lengths] of segments.entries()) {
    let at = row * T;
    for (const n of lengths) for (let t = 0; t < n; t++) each[at++] = t;
  }
  return { each };
}
