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
