// C[M, N] = A[M, K] · B[K, N], float32, C row-major with leading dimension N.
//
// Both operands come with element strides (rs = row stride, cs = column stride), so every transposition is a
// choice of strides. Blocked as in Goto & van de Geijn (2008): B is packed in panels of NR columns, A in panels of
// MR rows, and a 6 × 8 tile of C lives in registers.
//
// Ladder (one core, 512³, Node 20, relaxed build; see bench/ for the current figures):
//   stock scalar loop with a transposed operand   0.5–2 GF/s
//   6 × 8 register tile, packed panels            42–52 GF/s
import { at, fma } from "./simd";
import { transpose4x4 } from "./transpose";

const MR: i32 = 6;
const NR: i32 = 8;
const MC: i32 = 96;
const KC: i32 = 256;

// @ts-ignore: decorator
@inline function roundUp(n: i32, to: i32): i32 {
  return ((n + to - 1) / to) * to;
}

/** Bytes of scratch that `gemm` needs for N columns. */
export function gemmScratchBytes(N: i32): i32 {
  return (MC * KC + KC * roundUp(N, NR) + MR * NR) << 2;
}

// One 6 × 8 tile of C from packed panels. Out of line on purpose: inlined, its accumulators spill on V8 11.
function tile(a: usize, b: usize, c: usize, ldc: usize, K: i32, accumulate: bool): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  if (accumulate) {
    let p = c;
    c00 = v128.load(p); c01 = v128.load(p, 16); p += ldc;
    c10 = v128.load(p); c11 = v128.load(p, 16); p += ldc;
    c20 = v128.load(p); c21 = v128.load(p, 16); p += ldc;
    c30 = v128.load(p); c31 = v128.load(p, 16); p += ldc;
    c40 = v128.load(p); c41 = v128.load(p, 16); p += ldc;
    c50 = v128.load(p); c51 = v128.load(p, 16);
  }
  for (let k = 0; k < K; k++) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(a, 4); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    x = v128.load32_splat(a, 8); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(a, 12); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    x = v128.load32_splat(a, 16); c40 = fma(x, b0, c40); c41 = fma(x, b1, c41);
    x = v128.load32_splat(a, 20); c50 = fma(x, b0, c50); c51 = fma(x, b1, c51);
    a += 24; b += 32;
  }
  v128.store(c, c00); v128.store(c, c01, 16); c += ldc;
  v128.store(c, c10); v128.store(c, c11, 16); c += ldc;
  v128.store(c, c20); v128.store(c, c21, 16); c += ldc;
  v128.store(c, c30); v128.store(c, c31, 16); c += ldc;
  v128.store(c, c40); v128.store(c, c41, 16); c += ldc;
  v128.store(c, c50); v128.store(c, c51, 16);
}

// Panels of B: 8 columns side by side, the last one filled with zeros.
function packB(B: usize, rs: i32, cs: i32, panels: usize, N: i32, k0: i32, kc: i32): void {
  for (let j = 0; j < N; j += NR) {
    const panel = at(panels, j * kc), width = min(NR, N - j);
    if (width == NR && cs == 1) {
      for (let k = 0; k < kc; k++) {
        const source = at(B, (k0 + k) * rs + j), target = panel + ((<usize>k) << 5);
        v128.store(target, v128.load(source));
        v128.store(target, v128.load(source, 16), 16);
      }
    } else if (width == NR && rs == 1) {
      let k = 0;
      for (; k + 4 <= kc; k += 4) {
        for (let h = 0; h < NR; h += 4) {
          transpose4x4(at(B, (j + h) * cs + k0 + k), (<usize>cs) << 2, panel + ((<usize>k) << 5) + ((<usize>h) << 2), 32);
        }
      }
      for (; k < kc; k++) {
        for (let h = 0; h < NR; h++) f32.store(panel + ((<usize>k) << 5) + ((<usize>h) << 2), f32.load(at(B, (j + h) * cs + k0 + k)));
      }
    } else {
      for (let k = 0; k < kc; k++) {
        for (let h = 0; h < NR; h++) {
          const value = h < width ? f32.load(at(B, (k0 + k) * rs + (j + h) * cs)) : 0;
          f32.store(panel + ((<usize>k) << 5) + ((<usize>h) << 2), value);
        }
      }
    }
  }
}

// Panels of A: 6 rows side by side, the last one filled with zeros.
function packA(A: usize, rs: i32, cs: i32, panels: usize, i0: i32, mc: i32, k0: i32, kc: i32): void {
  const step = (<usize>cs) << 2;
  for (let i = 0; i < mc; i += MR) {
    const panel = at(panels, i * kc), height = min(MR, mc - i);
    for (let h = 0; h < MR; h++) {
      let target = panel + ((<usize>h) << 2);
      if (h < height) {
        let source = at(A, (i0 + i + h) * rs + k0 * cs);
        for (let k = 0; k < kc; k++) { f32.store(target, f32.load(source)); target += 24; source += step; }
      } else {
        for (let k = 0; k < kc; k++) { f32.store(target, 0); target += 24; }
      }
    }
  }
}

/** C = A·B (or C += A·B), strides in elements. `scratch` has gemmScratchBytes(N) bytes, 16-byte aligned. */
export function gemm(
  A: usize, rsA: i32, csA: i32, B: usize, rsB: i32, csB: i32,
  C: usize, M: i32, N: i32, K: i32, scratch: usize, accumulate: bool,
): void {
  const panelsA = scratch, panelsB = at(scratch, MC * KC), edge = at(panelsB, KC * roundUp(N, NR));
  const ldc = (<usize>N) << 2;
  for (let k0 = 0; k0 < K; k0 += KC) {
    const kc = min(KC, K - k0), add = accumulate || k0 > 0;
    packB(B, rsB, csB, panelsB, N, k0, kc);
    for (let i0 = 0; i0 < M; i0 += MC) {
      const mc = min(MC, M - i0);
      packA(A, rsA, csA, panelsA, i0, mc, k0, kc);
      for (let j = 0; j < N; j += NR) {
        for (let i = 0; i < mc; i += MR) {
          const c = at(C, (i0 + i) * N + j), a = at(panelsA, i * kc), b = at(panelsB, j * kc);
          const height = min(MR, mc - i), width = min(NR, N - j);
          if (height == MR && width == NR) { tile(a, b, c, ldc, kc, add); continue; }
          if (add) {
            for (let y = 0; y < height; y++) {
              for (let x = 0; x < width; x++) f32.store(at(edge, y * NR + x), f32.load(at(c, y * N + x)));
            }
          }
          tile(a, b, edge, 32, kc, add);
          for (let y = 0; y < height; y++) {
            for (let x = 0; x < width; x++) f32.store(at(c, y * N + x), f32.load(at(edge, y * NR + x)));
          }
        }
      }
    }
  }
}

/** The same product over int32, for the rare integer matrix: a plain loop that wraps around like all int32. */
export function gemmInt(
  A: usize, rsA: i32, csA: i32, B: usize, rsB: i32, csB: i32, C: usize, M: i32, N: i32, K: i32,
): void {
  for (let i = 0; i < M; i++) {
    for (let j = 0; j < N; j++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += i32.load(at(A, i * rsA + k * csA)) * i32.load(at(B, k * rsB + j * csB));
      i32.store(at(C, i * N + j), sum);
    }
  }
}
