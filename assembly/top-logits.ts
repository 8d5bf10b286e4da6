// The largest of each row of V logits, and the log-sum-exp of the row, while the row is in the cache.
import { logf } from "./math";
import { maxRow } from "./max";
import { at } from "./simd";
import { sumExp } from "./sum-exp";

/**
 * values, columns [N, count]: the largest of each row of x [N, V], largest first, of equal ones the smaller column first; norms [N]:
 * ln Σ eˣ of the row. count is at most V. A row with a NaN has a norm of NaN, and a NaN is never among the largest, unless it is one
 * of the first `count` numbers.
 */
export function topLogits(x: usize, values: usize, columns: usize, norms: usize, N: i32, V: i32, count: i32): void {
  for (let i = 0; i < N; i++) {
    const row = at(x, i * V), values_i = at(values, i * count), columns_i = at(columns, i * count);
    const most = maxRow(row, V);
    // Where all are −Infinity their differences would be NaN.
    f32.store(at(norms, i), most == -Infinity ? most : most + logf(sumExp(row, V, most)));
    for (let j = 0; j < count; j++) insert(values_i, columns_i, j, f32.load(at(row, j)), j);
    let least = f32.load(at(values_i, count - 1)), j = count;
    let least4 = f32x4.splat(least);
    for (; j + 8 <= V; j += 8) {
      const a = v128.load(at(row, j)), b = v128.load(at(row, j), 16);
      if (!v128.any_true(v128.or(f32x4.gt(a, least4), f32x4.gt(b, least4)))) continue;
      for (let k = j; k < j + 8; k++) {
        const value = f32.load(at(row, k));
        if (!(value > least)) continue;
        insert(values_i, columns_i, count - 1, value, k);
        least = f32.load(at(values_i, count - 1));
      }
      least4 = f32x4.splat(least);
    }
    for (; j < V; j++) {
      const value = f32.load(at(row, j));
      if (!(value > least)) continue;
      insert(values_i, columns_i, count - 1, value, j);
      least = f32.load(at(values_i, count - 1));
    }
  }
}

// Puts a number at its place among the first `last` ones, in order; what stood at `last` goes.
function insert(values: usize, columns: usize, last: i32, value: f32, column: i32): void {
  let place = last;
  for (; place > 0; place--) {
    const before = f32.load(at(values, place - 1));
    if (!(value > before)) break;
    f32.store(at(values, place), before);
    i32.store(at(columns, place), i32.load(at(columns, place - 1)));
  }
  f32.store(at(values, place), value);
  i32.store(at(columns, place), column);
}
