// What the gradients of convolutions need besides a matrix product. Images are [B, H, W, C]; the output is
// [B, OH, OW, ·]; a filter tap (i, j) of output (y, x) reads input (y·stride − top + i·dilation, likewise across).
import { at, fma } from "./simd";

/** Patches as rows: out[b, y, x, i, j, c], zero where a tap falls outside the image. */
export function im2col(
  x: usize, out: usize, B: i32, H: i32, W: i32, C: i32, OH: i32, OW: i32, FH: i32, FW: i32,
  strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, top: i32, left: i32,
): void {
  const bytes = (<usize>C) << 2;
  for (let b = 0; b < B; b++) {
    for (let y = 0; y < OH; y++) {
      for (let z = 0; z < OW; z++) {
        for (let i = 0; i < FH; i++) {
          const row = y * strideH - top + i * dilationH;
          for (let j = 0; j < FW; j++) {
            const column = z * strideW - left + j * dilationW;
            if (<u32>row < <u32>H && <u32>column < <u32>W) memory.copy(out, at(x, ((b * H + row) * W + column) * C), bytes);
            else memory.fill(out, 0, bytes);
            out += bytes;
          }
        }
      }
    }
  }
}

/** The adjoint of im2col: to x[b, row, column, c] come all patch entries that were read from it. */
export function col2im(
  patches: usize, x: usize, B: i32, H: i32, W: i32, C: i32, OH: i32, OW: i32, FH: i32, FW: i32,
  strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, top: i32, left: i32,
): void {
  for (let b = 0; b < B; b++) {
    for (let y = 0; y < OH; y++) {
      for (let z = 0; z < OW; z++) {
        for (let i = 0; i < FH; i++) {
          const row = y * strideH - top + i * dilationH;
          for (let j = 0; j < FW; j++) {
            const column = z * strideW - left + j * dilationW;
            if (<u32>row < <u32>H && <u32>column < <u32>W) {
              const pixel = at(x, ((b * H + row) * W + column) * C);
              let c = 0;
              for (; c + 4 <= C; c += 4) {
                v128.store(at(pixel, c), f32x4.add(v128.load(at(pixel, c)), v128.load(at(patches, c))));
              }
              for (; c < C; c++) f32.store(at(pixel, c), f32.load(at(pixel, c)) + f32.load(at(patches, c)));
            }
            patches = at(patches, C);
          }
        }
      }
    }
  }
}

/** dFilter[i, j, c, m] = Σ x[b, row, column, c] · dy[b, y, x, c·M + m], M outputs per channel. */
export function depthwiseFilterGradient(
  x: usize, dy: usize, dFilter: usize, B: i32, H: i32, W: i32, C: i32, M: i32, OH: i32, OW: i32, FH: i32, FW: i32,
  strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, top: i32, left: i32,
): void {
  const outputs = C * M;
  memory.fill(dFilter, 0, (<usize>(FH * FW * outputs)) << 2);
  for (let b = 0; b < B; b++) {
    for (let y = 0; y < OH; y++) {
      for (let z = 0; z < OW; z++) {
        const d = at(dy, ((b * OH + y) * OW + z) * outputs);
        for (let i = 0; i < FH; i++) {
          const row = y * strideH - top + i * dilationH;
          if (<u32>row >= <u32>H) continue;
          for (let j = 0; j < FW; j++) {
            const column = z * strideW - left + j * dilationW;
            if (<u32>column >= <u32>W) continue;
            const pixel = at(x, ((b * H + row) * W + column) * C), tap = at(dFilter, (i * FW + j) * outputs);
            let c = 0;
            if (M == 1) {
              for (; c + 4 <= C; c += 4) {
                v128.store(at(tap, c), fma(v128.load(at(pixel, c)), v128.load(at(d, c)), v128.load(at(tap, c))));
              }
            }
            for (; c < C; c++) {
              const value = f32.load(at(pixel, c));
              for (let m = c * M; m < c * M + M; m++) {
                f32.store(at(tap, m), f32.load(at(tap, m)) + value * f32.load(at(d, m)));
              }
            }
          }
        }
      }
    }
  }
}

/** dx[b, row, column, c] = Σ filter[i, j, c, m] · dy[b, y, x, c·M + m]. */
export function depthwiseInputGradient(
  dy: usize, filter: usize, dx: usize, B: i32, H: i32, W: i32, C: i32, M: i32, OH: i32, OW: i32, FH: i32, FW: i32,
  strideH: i32, strideW: i32, dilationH: i32, dilationW: i32, top: i32, left: i32,
): void {
  const outputs = C * M;
  memory.fill(dx, 0, (<usize>(B * H * W * C)) << 2);
  for (let b = 0; b < B; b++) {
    for (let y = 0; y < OH; y++) {
      for (let z = 0; z < OW; z++) {
        const d = at(dy, ((b * OH + y) * OW + z) * outputs);
        for (let i = 0; i < FH; i++) {
          const row = y * strideH - top + i * dilationH;
          if (<u32>row >= <u32>H) continue;
          for (let j = 0; j < FW; j++) {
            const column = z * strideW - left + j * dilationW;
            if (<u32>column >= <u32>W) continue;
            const pixel = at(dx, ((b * H + row) * W + column) * C), tap = at(filter, (i * FW + j) * outputs);
            let c = 0;
            if (M == 1) {
              for (; c + 4 <= C; c += 4) {
                v128.store(at(pixel, c), fma(v128.load(at(tap, c)), v128.load(at(d, c)), v128.load(at(pixel, c))));
              }
            }
            for (; c < C; c++) {
              let sum = f32.load(at(pixel, c));
              for (let m = c * M; m < c * M + M; m++) sum += f32.load(at(tap, m)) * f32.load(at(d, m));
              f32.store(at(pixel, c), sum);
            }
          }
        }
      }
    }
  }
}
