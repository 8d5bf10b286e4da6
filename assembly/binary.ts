// Elementwise operations on two float32 operands that may repeat: a column stride of 0 repeats one element along
// the row, a row stride of 0 repeats a row. Strides in elements, column strides 0 or 1, not both 0.
import { at } from "./simd";

const ADD: i32 = 0;
const SUB: i32 = 1;
const MUL: i32 = 2;
const DIV: i32 = 3;
const MAX: i32 = 4;
const MIN: i32 = 5;
const SQUARED_DIFFERENCE: i32 = 6;

// `op` is a constant wherever this is inlined, so one branch is left.
// @ts-ignore: decorator
@inline function apply(op: i32, x: v128, y: v128): v128 {
  if (op == ADD) return f32x4.add(x, y);
  if (op == SUB) return f32x4.sub(x, y);
  if (op == MUL) return f32x4.mul(x, y);
  if (op == DIV) return f32x4.div(x, y);
  if (op == MAX) return f32x4.max(x, y);
  if (op == MIN) return f32x4.min(x, y);
  const d = f32x4.sub(x, y);
  return f32x4.mul(d, d);
}

// @ts-ignore: decorator
@inline function rows2d(
  op: i32, a: usize, b: usize, out: usize, rows: i32, cols: i32, aRow: i32, aCol: i32, bRow: i32, bCol: i32,
): void {
  for (let r = 0; r < rows; r++) {
    let c = 0;
    if (aCol & bCol) {
      for (; c + 16 <= cols; c += 16) {
        const p = at(a, c), q = at(b, c), o = at(out, c);
        v128.store(o, apply(op, v128.load(p), v128.load(q)));
        v128.store(o, apply(op, v128.load(p, 16), v128.load(q, 16)), 16);
        v128.store(o, apply(op, v128.load(p, 32), v128.load(q, 32)), 32);
        v128.store(o, apply(op, v128.load(p, 48), v128.load(q, 48)), 48);
      }
      for (; c + 4 <= cols; c += 4) v128.store(at(out, c), apply(op, v128.load(at(a, c)), v128.load(at(b, c))));
    } else if (aCol) {
      const y = v128.load32_splat(b);
      for (; c + 4 <= cols; c += 4) v128.store(at(out, c), apply(op, v128.load(at(a, c)), y));
    } else {
      const x = v128.load32_splat(a);
      for (; c + 4 <= cols; c += 4) v128.store(at(out, c), apply(op, x, v128.load(at(b, c))));
    }
    for (; c < cols; c++) {
      const y = apply(op, v128.load32_splat(at(a, c * aCol)), v128.load32_splat(at(b, c * bCol)));
      f32.store(at(out, c), f32x4.extract_lane(y, 0));
    }
    a = at(a, aRow);
    b = at(b, bRow);
    out = at(out, cols);
  }
}

export function add(a: usize, b: usize, o: usize, m: i32, n: i32, ar: i32, ac: i32, br: i32, bc: i32): void {
  rows2d(ADD, a, b, o, m, n, ar, ac, br, bc);
}
export function sub(a: usize, b: usize, o: usize, m: i32, n: i32, ar: i32, ac: i32, br: i32, bc: i32): void {
  rows2d(SUB, a, b, o, m, n, ar, ac, br, bc);
}
export function multiply(a: usize, b: usize, o: usize, m: i32, n: i32, ar: i32, ac: i32, br: i32, bc: i32): void {
  rows2d(MUL, a, b, o, m, n, ar, ac, br, bc);
}
export function divide(a: usize, b: usize, o: usize, m: i32, n: i32, ar: i32, ac: i32, br: i32, bc: i32): void {
  rows2d(DIV, a, b, o, m, n, ar, ac, br, bc);
}
export function maximum(a: usize, b: usize, o: usize, m: i32, n: i32, ar: i32, ac: i32, br: i32, bc: i32): void {
  rows2d(MAX, a, b, o, m, n, ar, ac, br, bc);
}
export function minimum(a: usize, b: usize, o: usize, m: i32, n: i32, ar: i32, ac: i32, br: i32, bc: i32): void {
  rows2d(MIN, a, b, o, m, n, ar, ac, br, bc);
}
export function squaredDifference(
  a: usize, b: usize, o: usize, m: i32, n: i32, ar: i32, ac: i32, br: i32, bc: i32,
): void {
  rows2d(SQUARED_DIFFERENCE, a, b, o, m, n, ar, ac, br, bc);
}
