import { customGrad, type Tensor, type Tensor1D, tensor, tidy, util } from "@tensorflow/tfjs-core";
import { checkChoice } from "../core/check-options.ts";
import { HALF, HALF_TYPES, type HalfType } from "../core/half.ts";
import { checkTensors } from "./check.ts";
import { isFused, runKernel } from "./registry.ts";

export type { HalfType } from "../core/half.ts";

const KERNELS = { packHalf: "HeedPackHalf", unpackHalf: "HeedUnpackHalf", roundHalf: "HeedRoundHalf" };

function check(op: string, x: Tensor, type: HalfType): void {
  checkChoice(op, "type", type, HALF_TYPES);
  checkTensors(op, [{ name: "x", tensor: x, letters: "[…]", shape: x.shape }]);
}

/**
 * x in 16 bits a number, two numbers in each word: half the bytes of float32. To nearest, ties to even; NaN stays NaN,
 * and what rounds beyond the format's largest number (65504 in float16) becomes ±Infinity. Not differentiable:
 * it is for storing, `roundHalf` is for computing.
 *
 *     float16    1 sign · 5 exponent · 10 fraction     relative error ≤ 2⁻¹¹, from 6.1e-5 to 65504
 *     bfloat16   1 sign · 8 exponent · 7 fraction      relative error ≤ 2⁻⁸, the range of float32
 *
 * Shapes: x […] of n numbers → int32 [⌈n/2⌉]; of an odd number the last half is 0.
 *
 * @throws OptionError OPTION for another type · ShapeError SHAPE unless x is float32
 * @example
 * const words = packHalf(tf.tensor1d([1, -2, 65520]), "float16");
 * unpackHalf(words, [3], "float16"); // [1, -2, Infinity]
 */
export function packHalf(x: Tensor, type: HalfType): Tensor1D {
  check("packHalf", x, type);
  if (isFused(KERNELS.packHalf)) return runKernel(KERNELS.packHalf, { x }, { type }) as Tensor1D;
  const halves = HALF[type].encode(x.dataSync() as Float32Array);
  const words = new Int32Array(Math.ceil(halves.length / 2));
  new Uint16Array(words.buffer).set(halves);
  return tensor(words, [words.length], "int32");
}

/**
 * What `packHalf` packed, as float32 of the shape that it had, exactly.
 *
 * @throws OptionError OPTION for another type · ShapeError SHAPE unless words are those of this shape
 * @example
 * const x = unpackHalf(packHalf(tf.ones([3, 5]), "bfloat16"), [3, 5], "bfloat16");
 */
export function unpackHalf<T extends Tensor>(words: Tensor1D, shape: number[], type: HalfType): T {
  const op = "unpackHalf";
  checkChoice(op, "type", type, HALF_TYPES);
  const size = util.sizeFromShape(shape);
  const packed = { letters: "[⌈n/2⌉]", shape: [Math.ceil(size / 2)], dtype: "int32" as const };
  checkTensors(op, [{ name: "words", tensor: words, ...packed }]);
  if (isFused(KERNELS.unpackHalf)) return runKernel(KERNELS.unpackHalf, { words }, { type, shape }) as T;
  const halves = new Uint16Array(Int32Array.from(words.dataSync()).buffer, 0, size);
  return tensor(HALF[type].decode(halves), shape, "float32") as T;
}

function rounded<T extends Tensor>(x: T, type: HalfType): T {
  if (isFused(KERNELS.roundHalf)) return runKernel(KERNELS.roundHalf, { x }, { type }) as T;
  return tidy(() => unpackHalf<T>(packHalf(x, type), x.shape, type));
}

/**
 * x as 16 bits hold it, in float32: what a store in that format and a load give.
 *
 *     out = round(x),    dx = round(dout)
 *
 * The rounding itself has the derivative 1 (a straight-through estimator: its own is 0 almost everywhere). The gradient
 * passes through the format as x did, so that one beyond float16's range becomes ±Infinity and one below half of its
 * smallest number, 2⁻²⁵, becomes 0: `LossScale` is there for that.
 *
 * Shapes: x […] → […].
 * Paper: Micikevicius et al. 2018, arxiv.org/abs/1710.03740; straight through, Bengio et al. 2013,
 * arxiv.org/abs/1308.3432.
 *
 * @throws OptionError OPTION for another type · ShapeError SHAPE unless x is float32
 * @example
 * roundHalf(tf.tensor1d([0.1, 70000]), "float16"); // [0.0999755859375, Infinity]
 */
export function roundHalf<T extends Tensor>(x: T, type: HalfType): T {
  const op = "roundHalf";
  check(op, x, type);
  const straight = customGrad((given) => ({
    value: rounded(given as Tensor, type),
    gradFunc: (dout: Tensor) => roundHalf(dout, type),
  }));
  return straight(x) as T;
}
