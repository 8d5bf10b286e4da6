/**
 * Marks the largest of a row of scores. Of equal ones the first are kept; NaN counts as the largest, so that it
 * shows.
 *
 * One pass over the scores, with candidates aside: those above the k-th largest so far, which after a while are few.
 * When the room for them is full the best k stay. Expected O(n + k·ln(n/k)).
 */
export class LargestKeeper {
  readonly #keep: number;
  readonly #values: Float32Array;
  readonly #places: Int32Array;
  readonly #spare: Float32Array;
  #count = 0;

  constructor(keep: number) {
    const room = 2 * keep + 64;
    this.#keep = keep;
    this.#values = new Float32Array(room);
    this.#places = new Int32Array(room);
    this.#spare = new Float32Array(room);
  }

  /** Writes 1 to `out` at the places of the largest of scores[first … last). */
  mark(scores: Float32Array, first: number, last: number, out: Uint8Array): void {
    const keep = this.#keep;
    if (last - first <= keep) {
      out.fill(1, first, Math.max(first, last));
      return;
    }
    this.#count = 0;
    for (let j = first; j < first + keep; j++) this.#add(scores[j]!, j);
    let least = this.#least();
    for (let j = first + keep; j < last; j++) {
      // An equal score comes later than those it is equal to. NaN is not below anything.
      if (scores[j]! <= least) continue;
      this.#add(scores[j]!, j);
      if (this.#count === this.#values.length) least = this.#shrink();
    }
    this.#shrink();
    for (let n = 0; n < keep; n++) out[this.#places[n]!] = 1;
  }

  #add(score: number, place: number): void {
    this.#values[this.#count] = Number.isNaN(score) ? Number.POSITIVE_INFINITY : score;
    this.#places[this.#count++] = place;
  }

  /** The k-th largest candidate. */
  #least(): number {
    this.#spare.set(this.#values);
    return kthLargest(this.#spare, this.#count, this.#keep);
  }

  /** Leaves the k largest candidates, in the order of their places, and tells the least of them. */
  #shrink(): number {
    const least = this.#least();
    let room = this.#keep;
    for (let n = 0; n < this.#count; n++) if (this.#values[n]! > least) room--;
    let kept = 0;
    for (let n = 0; n < this.#count; n++) {
      const value = this.#values[n]!;
      if (value < least || (value === least && room-- <= 0)) continue;
      this.#values[kept] = value;
      this.#places[kept++] = this.#places[n]!;
    }
    this.#count = kept;
    return least;
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
