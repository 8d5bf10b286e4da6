// What follows a matrix product: the bias of each column and an activation, in place.
import { vexp, vsigmoid } from "./math";
import { at } from "./simd";

const RELU: i32 = 1;
const RELU6: i32 = 2;
const ELU: i32 = 3;
const LEAKY_RELU: i32 = 4;
const SIGMOID: i32 = 5;

// @ts-ignore: decorator
@inline function activate(x: v128, activation: i32, alpha: f32): v128 {
  const zero = f32x4.splat(0);
  if (activation == RELU) return f32x4.max(zero, x);
  if (activation == RELU6) return f32x4.min(f32x4.max(zero, x), f32x4.splat(6));
  if (activation == ELU) return v128.bitselect(x, f32x4.sub(vexp(x), f32x4.splat(1)), f32x4.ge(x, zero));
  if (activation == LEAKY_RELU) return v128.bitselect(f32x4.mul(x, f32x4.splat(alpha)), x, f32x4.lt(x, zero));
  if (activation == SIGMOID) return vsigmoid(x);
  return x;
}

/** x[r, c] = activation(x[r, c] + bias[c]); `bias` 0 means none, `activation` as numbered above, 0 for linear. */
export function biasActivation(x: usize, rows: i32, cols: i32, bias: usize, activation: i32, alpha: f32): void {
  const zero = f32x4.splat(0);
  for (let r = 0; r < rows; r++) {
    let c = 0;
    for (; c + 4 <= cols; c += 4) {
      const b = bias ? v128.load(at(bias, c)) : zero;
      v128.store(at(x, c), activate(f32x4.add(v128.load(at(x, c)), b), activation, alpha));
    }
    for (; c < cols; c++) {
      const b: f32 = bias ? f32.load(at(bias, c)) : 0;
      const y = activate(f32x4.splat(f32.load(at(x, c)) + b), activation, alpha);
      f32.store(at(x, c), f32x4.extract_lane(y, 0));
    }
    x = at(x, cols);
  }
}
