// Additive attention, forward: one row of scores at a time, so memory grows with S and never with T · S · A.
import { at } from "../simd";
import { Additive, ERROR, firstKey, keysOf, lastKey, layout, queriesOf, UNIFORM } from "./problem";
import { dropoutRow, multiplyRow, softmaxRow, transformRow, uniformRow } from "./row";
import { exponentials, prepareKeys, scoreRow } from "./scores";
import { sumValues } from "./values";

/**
 * Output, lse and weights of all examples. Returns −1, or the row b · T + i of a query that sees no key where
 * `onEmpty` says that this is an error.
 */
export function additiveForward(p: Additive): i32 {
  layout(p);
  for (let b = 0; b < p.B; b++) {
    const T = queriesOf(p, b), S = keysOf(p, b), row0 = b * p.T;
    if (T > 0) prepareKeys(p, at(p.key, b * p.S * p.A), S);
    for (let i = 0; i < T; i++) {
      if (forwardRow(p, b, i, S) || p.onEmpty != ERROR) continue;
      return row0 + i;
    }
    for (let i = T; i < p.T; i++) clearRow(p, row0 + i);
  }
  return -1;
}

/** Returns whether query i sees a key. */
function forwardRow(p: Additive, b: i32, i: i32, S: i32): bool {
  const row = b * p.T + i, value = at(p.value, b * p.S * p.Dv), out = at(p.out, row * p.Dv);
  let first = firstKey(p, b, i), last = lastKey(p, b, i, S);
  let seen = false;
  if (first < last) {
    const wild = exponentials(at(p.query, row * p.A), p.A, p.queries);
    scoreRow(p, b, i, p.queries, wild, first, last);
    seen = transformRow(p, b, i, first, last, false);
  }
  if (seen) f32.store(at(p.lse, row), softmaxRow(p, first, last));
  else {
    clearRow(p, row);
    if (p.onEmpty != UNIFORM) return false;
    first = 0;
    last = S;
    uniformRow(p, S);
  }
  if (p.weights) {
    const weights = at(p.weights, row * p.S);
    memory.fill(weights, 0, <usize>p.S << 2);
    memory.copy(at(weights, first), at(p.row, first), <usize>(last - first) << 2);
  }
  if (p.threshold) {
    dropoutRow(p, b, i, first, last);
    multiplyRow(p.row, p.factors, first, last);
  }
  sumValues(p.row, value, first, last, p.Dv, out);
  return seen;
}

function clearRow(p: Additive, row: i32): void {
  memory.fill(at(p.out, row * p.Dv), 0, <usize>p.Dv << 2);
  f32.store(at(p.lse, row), p.sink);
  if (p.weights) memory.fill(at(p.weights, row * p.S), 0, <usize>p.S << 2);
}
