// C[M, N] = A[M, K] · B[K, N], float32, C row-major with leading dimension N.
//
// Both operands come with element strides (rs = row stride, cs = column stride), so every transposition is a
// choice of strides. Blocked as in Goto & van de Geijn (2008): B is packed in panels of NR columns, A in panels of
// MR rows, a 6 × 8 tile of C lives in registers, and NC columns of packed B (576 KiB) stay in the second cache.
//
// Ladder (GF/s of CPU time on one core, an AMD EPYC of 2 shared ones, Node 20, relaxed build; M × N × K):
//                                                 64×768×256  1024×6000×256  256×6000×1024  6000×256×1024
//   stock scalar loop (any transposed operand)        0.5–2
//   6 × 8 register tile, packed panels                 57          58             53             53
//   panels of A packed four columns at a time,
//   NC = 512 columns of B per pass                     57          60             57             56
//   NC = 2048                                          57          59             55             57
// KC = NC = 384 in place of 256 and 512, on a busy machine, with weights [out, in] as Transformers have them:
// 50.8 → 52.1 at 575×1536×384, 51.2 → 52.1 at 575×384×1536, 37.0 → 39.1 at 12×1536×384, 51.5 → 52.9 at 2000×256×1024,
// 53.3 → 52.7 at 1024×2000×256; two passes over K become one where K is 384, to the same bits.
// All layouts are within 2 GF/s of one another. Few rows pay for packing B: 50 at M = 12, 31 at M = 5, 6 at M = 1.
import { at } from "./simd";
import { tile } from "./tile";
import { transpose4x4 } from "./transpose";

const MR: i32 = 6;
const NR: i32 = 8;
const MC: i32 = 96;
const KC: i32 = 384;
const NC: i32 = 384;

// @ts-ignore: decorator
@inline function roundUp(n: i32, to: i32): i32 {
  return ((n + to - 1) / to) * to;
}

/** Bytes of scratch that `gemm` needs for N columns. */
export function gemmScratchBytes(N: i32): i32 {
  return (MC * KC + KC * roundUp(min(N, NC), NR) + MR * NR) << 2;
}

// Panels of B: 8 columns side by side, the last one filled with zeros.
export function packB(B: usize, rs: i32, cs: i32, panels: usize, N: i32, k0: i32, kc: i32): void {
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

// One full panel of 6 rows of A that are contiguous along K: four columns at a time, transposed in registers.
function packRows(A: usize, stride: usize, panel: usize, kc: i32): void {
  let r0 = A, r1 = A + stride, r2 = r1 + stride, r3 = r2 + stride, r4 = r3 + stride, r5 = r4 + stride;
  let k = 0;
  for (; k + 4 <= kc; k += 4) {
    const a0 = v128.load(r0), a1 = v128.load(r1), a2 = v128.load(r2), a3 = v128.load(r3);
    const t0 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5);
    const t2 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7), t3 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7);
    const a4 = v128.load(r4), a5 = v128.load(r5);
    const low = v128.shuffle<f32>(a4, a5, 0, 4, 1, 5), high = v128.shuffle<f32>(a4, a5, 2, 6, 3, 7);
    v128.store(panel, v128.shuffle<f32>(t0, t1, 0, 1, 4, 5));
    v128.store64_lane(panel, low, 0, 16);
    v128.store(panel, v128.shuffle<f32>(t0, t1, 2, 3, 6, 7), 24);
    v128.store64_lane(panel, low, 1, 40);
    v128.store(panel, v128.shuffle<f32>(t2, t3, 0, 1, 4, 5), 48);
    v128.store64_lane(panel, high, 0, 64);
    v128.store(panel, v128.shuffle<f32>(t2, t3, 2, 3, 6, 7), 72);
    v128.store64_lane(panel, high, 1, 88);
    panel += 96;
    r0 += 16; r1 += 16; r2 += 16; r3 += 16; r4 += 16; r5 += 16;
  }
  for (; k < kc; k++) {
    f32.store(panel, f32.load(r0)); f32.store(panel, f32.load(r1), 4); f32.store(panel, f32.load(r2), 8);
    f32.store(panel, f32.load(r3), 12); f32.store(panel, f32.load(r4), 16); f32.store(panel, f32.load(r5), 20);
    panel += 24;
    r0 += 4; r1 += 4; r2 += 4; r3 += 4; r4 += 4; r5 += 4;
  }
}

// One full panel of 6 rows of A whose columns are contiguous: A read transposed.
function packColumns(A: usize, stride: usize, panel: usize, kc: i32): void {
  for (let k = 0; k < kc; k++) {
    v128.store(panel, v128.load(A));
    i64.store(panel, i64.load(A, 16), 16);
    panel += 24;
    A += stride;
  }
}

// Panels of A: 6 rows side by side, the last one filled with zeros.
export function packA(A: usize, rs: i32, cs: i32, panels: usize, i0: i32, mc: i32, k0: i32, kc: i32): void {
  const rowStep = (<usize>rs) << 2, columnStep = (<usize>cs) << 2;
  for (let i = 0; i < mc; i += MR) {
    const panel = at(panels, i * kc), height = min(MR, mc - i), corner = at(A, (i0 + i) * rs + k0 * cs);
    if (height == MR && cs == 1) { packRows(corner, rowStep, panel, kc); continue; }
    if (height == MR && rs == 1) { packColumns(corner, columnStep, panel, kc); continue; }
    for (let h = 0; h < MR; h++) {
      let target = panel + ((<usize>h) << 2), source = corner + <usize>h * rowStep;
      if (h < height) {
        for (let k = 0; k < kc; k++) { f32.store(target, f32.load(source)); target += 24; source += columnStep; }
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
  multiply(A, rsA, csA, B, rsB, csB, C, N, M, N, K, scratch, accumulate);
}

/** A piece of a product for one thread: C = A·B where the rows of C are `ldc` elements apart. */
export function gemmPart(
  A: usize, rsA: i32, csA: i32, B: usize, rsB: i32, csB: i32,
  C: usize, ldc: i32, M: i32, N: i32, K: i32, scratch: usize,
): void {
  multiply(A, rsA, csA, B, rsB, csB, C, ldc, M, N, K, scratch, false);
}

function multiply(
  A: usize, rsA: i32, csA: i32, B: usize, rsB: i32, csB: i32,
  C: usize, rowC: i32, M: i32, N: i32, K: i32, scratch: usize, accumulate: bool,
): void {
  const panelsA = scratch, panelsB = at(scratch, MC * KC), edge = at(panelsB, KC * roundUp(min(N, NC), NR));
  const ldc = (<usize>rowC) << 2;
  for (let j0 = 0; j0 < N; j0 += NC) {
    const nc = min(NC, N - j0), columnsB = at(B, j0 * csB);
    for (let k0 = 0; k0 < K; k0 += KC) {
      const kc = min(KC, K - k0), add = accumulate || k0 > 0;
      packB(columnsB, rsB, csB, panelsB, nc, k0, kc);
      for (let i0 = 0; i0 < M; i0 += MC) {
        const mc = min(MC, M - i0);
        packA(A, rsA, csA, panelsA, i0, mc, k0, kc);
        block(panelsA, panelsB, at(C, i0 * rowC + j0), ldc, mc, nc, kc, add, edge);
      }
    }
  }
}

// C[mc, nc] from packed panels; tiles that stick out of C are computed in `edge` and copied.
function block(
  panelsA: usize, panelsB: usize, C: usize, ldc: usize, mc: i32, nc: i32, kc: i32, add: bool, edge: usize,
): void {
  for (let j = 0; j < nc; j += NR) {
    for (let i = 0; i < mc; i += MR) {
      const c = at(C, j) + <usize>i * ldc, a = at(panelsA, i * kc), b = at(panelsB, j * kc);
      const height = min(MR, mc - i), width = min(NR, nc - j);
      if (height == MR && width == NR) { tile(a, MR << 2, b, NR << 2, c, ldc, kc, add); continue; }
      if (add) copyTile(c, ldc, edge, NR << 2, height, width);
      tile(a, MR << 2, b, NR << 2, edge, NR << 2, kc, add);
      copyTile(edge, NR << 2, c, ldc, height, width);
    }
  }
}

// @ts-ignore: decorator
@inline function copyTile(from: usize, fromStride: usize, to: usize, toStride: usize, height: i32, width: i32): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) f32.store(at(to, x), f32.load(at(from, x)));
    from += fromStride;
    to += toStride;
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
