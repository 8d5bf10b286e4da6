/**
 * Marks the `keep` largest of scores[first … last) with 1 in `out`, whose places belong to those of `scores`. Of equal
 * ones the first are kept; NaN counts as the largest, so that it shows. `spare` has room for last − first numbers.
 */
export function keepLargest(
  scores: Float32Array,
  first: number,
  last: number,
  keep: number,
  out: Uint8Array,
  spare: Float32Array,
): void {
  const n = last - first;
  if (n <= keep) {
    out.fill(1, first, Math.max(first, last));
    return;
  }
  for (let j = 0; j < n; j++) {
    const score = scores[first + j]!;
    spare[j] = Number.isNaN(score) ? Number.POSITIVE_INFINITY : score;
  }
  const least = kthLargest(spare, n, keep);
  let room = keep;
  for (let j = first; j < last; j++) {
    const score = scores[j]!;
    if (score > least || Number.isNaN(score)) {
      out[j] = 1;
      room--;
    }
  }
  // NaN and the infinity it counts as may be more than there is room for; all NaN stay.
  for (let j = first; j < last && room > 0; j++) {
    if (scores[j] === least) {
      out[j] = 1;
      room--;
    }
  }
}

/** The k-th largest of the first n numbers, which change places (Hoare's selection, expected O(n)). */
function kthLargest(x: Float32Array, n: number, k: number): number {
  let low = 0;
  let high = n - 1;
  const target = n - k;
  while (low < high) {
    const [a, b, c] = [x[low]!, x[(low + high) >> 1]!, x[high]!];
    const pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    let i = low;
    let j = high;
    while (i <= j) {
      while (x[i]! < pivot) i++;
      while (x[j]! > pivot) j--;
      if (i > j) break;
      const swap = x[i]!;
      x[i++] = x[j]!;
      x[j--] = swap;
    }
    if (target <= j) high = j;
    else if (target >= i) low = i;
    else break;
  }
  return x[target]!;
}
