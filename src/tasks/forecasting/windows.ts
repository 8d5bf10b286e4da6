/** How the values of inputs become numbers around 0: (value − mean)/deviation, by those of the training part. */
export interface Scaling {
  readonly means: readonly number[];
  readonly deviations: readonly number[];
}

/** Windows of a series, and what came after each. */
export interface Windows {
  readonly count: number;
  /** [count, T, V], scaled. */
  readonly inputs: Float32Array;
  /** [count], scaled. */
  readonly targets: Float32Array;
}

/** The windows of times `from` to before `to`; the target is the last column, one time after the window. */
export function windowsOf(
  columns: readonly Float64Array[],
  { means, deviations }: Scaling,
  T: number,
  from: number,
  to: number,
): Windows {
  const V = columns.length;
  const count = Math.max(0, to - from - T);
  const inputs = new Float32Array(count * T * V);
  const scaled = (v: number, t: number) => (columns[v]![t]! - means[v]!) / deviations[v]!;
  for (let n = 0; n < count; n++)
    for (let t = 0; t < T; t++)
      for (let v = 0; v < V; v++) inputs[(n * T + t) * V + v] = scaled(v, from + n + t);
  const targets = Float32Array.from({ length: count }, (_, n) => scaled(V - 1, from + n + T));
  return { count, inputs, targets };
}
