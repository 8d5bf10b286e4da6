/**
 * The discrete Fourier transform in place, by halves (Cooley & Tukey 1965).
 *
 *     X[k] = Σ_n x[n] · exp(∓2πi·k·n/N),    N a power of two
 *
 * Symbols: x real and imaginary parts, − forward and + inverse. Conventions: no factor on either way: both after one another
 * give N·x. Cost: O(N log N).
 *
 * @example
 * const [real, imaginary] = [Float64Array.of(1, 2, 3, 4), new Float64Array(4)];
 * transform(real, imaginary);
 * real; // Float64Array [10, -2, -2, -2]
 * imaginary; // Float64Array [0, 2, 0, -2]
 */
export function transform(real: Float64Array, imaginary: Float64Array, inverse = false): void {
  const N = real.length;
  for (let i = 1, j = 0; i < N; i++) {
    let bit = N >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    [real[i], real[j]] = [real[j]!, real[i]!];
    [imaginary[i], imaginary[j]] = [imaginary[j]!, imaginary[i]!];
  }
  const { cosines, sines } = rootsOf(N);
  for (let size = 2; size <= N; size *= 2) {
    const half = size / 2;
    const step = N / size;
    for (let k = 0; k < half; k++) {
      const cosine = cosines[k * step]!;
      const sine = inverse ? sines[k * step]! : -sines[k * step]!;
      for (let a = k; a < N; a += size) {
        const b = a + half;
        const re = real[b]! * cosine - imaginary[b]! * sine;
        const im = real[b]! * sine + imaginary[b]! * cosine;
        real[b] = real[a]! - re;
        imaginary[b] = imaginary[a]! - im;
        real[a]! += re;
        imaginary[a]! += im;
      }
    }
  }
}

interface Roots {
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
}

const known = new Map<number, Roots>();

/** exp(2πi·k/N) for the first half of k. */
function rootsOf(N: number): Roots {
  const found = known.get(N);
  if (found) return found;
  const along = (f: (angle: number) => number) =>
    Float64Array.from({ length: N / 2 }, (_, k) => f((2 * Math.PI * k) / N));
  const roots = { cosines: along(Math.cos), sines: along(Math.sin) };
  known.set(N, roots);
  return roots;
}
