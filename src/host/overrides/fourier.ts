/** Fourier transforms of rows of complex numbers, real and imaginary parts in turn, in place and in float64. */

/**
 * X[k] = Σ_n x[n] e^(∓2πikn/N), the inverse divided by N. Rows whose length is a power of 2 in N log N steps; others as a
 * convolution of such a length (Bluestein 1970).
 */
export function transformRows(values: Float64Array, length: number, inverse: boolean): void {
  if (length === 0) return;
  const isPower = (length & (length - 1)) === 0;
  for (let at = 0; at < values.length; at += 2 * length) {
    const row = values.subarray(at, at + 2 * length);
    if (isPower) powerOfTwo(row, inverse);
    else anyLength(row, inverse);
    if (inverse) for (let i = 0; i < row.length; i++) row[i]! /= length;
  }
}

/** Cooley and Tukey's, not divided by the length. */
function powerOfTwo(row: Float64Array, inverse: boolean): void {
  const N = row.length / 2;
  for (let i = 1, j = 0; i < N; i++) {
    let bit = N >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    for (const k of [0, 1]) [row[2 * i + k], row[2 * j + k]] = [row[2 * j + k]!, row[2 * i + k]!];
  }
  for (let size = 2; size <= N; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const angle = ((inverse ? 2 : -2) * Math.PI * k) / size;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (let i = k; i < N; i += size) {
        const [p, q] = [2 * i, 2 * (i + half)];
        const re = row[q]! * c - row[q + 1]! * s;
        const im = row[q]! * s + row[q + 1]! * c;
        row[q] = row[p]! - re;
        row[q + 1] = row[p + 1]! - im;
        row[p]! += re;
        row[p + 1]! += im;
      }
    }
  }
}

/** kn = (k² + n² − (k − n)²)/2 makes the sum a convolution with the chirp e^(±iπn²/N). */
function anyLength(row: Float64Array, inverse: boolean): void {
  const N = row.length / 2;
  let size = 1;
  while (size < 2 * N - 1) size *= 2;
  const [a, b] = [new Float64Array(2 * size), new Float64Array(2 * size)];
  const chirp = (n: number): [number, number] => {
    const angle = ((inverse ? 1 : -1) * Math.PI * ((n * n) % (2 * N))) / N;
    return [Math.cos(angle), Math.sin(angle)];
  };
  for (let n = 0; n < N; n++) {
    const [c, s] = chirp(n);
    a[2 * n] = row[2 * n]! * c - row[2 * n + 1]! * s;
    a[2 * n + 1] = row[2 * n]! * s + row[2 * n + 1]! * c;
    for (const at of new Set([n, (size - n) % size])) b.set([c, -s], 2 * at);
  }
  powerOfTwo(a, false);
  powerOfTwo(b, false);
  for (let i = 0; i < 2 * size; i += 2) {
    const [re, im] = [a[i]! * b[i]! - a[i + 1]! * b[i + 1]!, a[i]! * b[i + 1]! + a[i + 1]! * b[i]!];
    a[i] = re;
    a[i + 1] = im;
  }
  powerOfTwo(a, true);
  for (let k = 0; k < N; k++) {
    const [c, s] = chirp(k);
    const [re, im] = [a[2 * k]! / size, a[2 * k + 1]! / size];
    row[2 * k] = re * c - im * s;
    row[2 * k + 1] = re * s + im * c;
  }
}
