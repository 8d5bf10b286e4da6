/** What every script may call: numbers, lists, and the operations of TensorFlow.js that make and turn tensors. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import { withMembers } from "./members.ts";
import { bounded } from "./patterns.ts";
import { Scope } from "./scope.ts";

const MATH = [
  ...([
    "abs",
    "ceil",
    "cos",
    "exp",
    "floor",
    "hypot",
    "log",
    "log2",
    "max",
    "min",
    "pow",
    "round",
    "sign",
  ] as const),
  ...(["sin", "sqrt", "tan", "tanh", "trunc", "PI", "E", "LN2", "LN10", "SQRT2"] as const),
];

const OPERATIONS = {
  ...{ abs: tf.abs, add: tf.add, cast: tf.cast, clipByValue: tf.clipByValue, concat: tf.concat, cos: tf.cos },
  ...{
    cumsum: tf.cumsum,
    diag: tf.diag,
    div: tf.div,
    equal: tf.equal,
    exp: tf.exp,
    expandDims: tf.expandDims,
  },
  ...{ eye: tf.eye, fill: tf.fill, floor: tf.floor, gather: tf.gather, grad: tf.grad, greater: tf.greater },
  ...{
    less: tf.less,
    linspace: tf.linspace,
    log: tf.log,
    matMul: tf.matMul,
    max: tf.max,
    maximum: tf.maximum,
  },
  ...{
    mean: tf.mean,
    min: tf.min,
    minimum: tf.minimum,
    mod: tf.mod,
    mul: tf.mul,
    neg: tf.neg,
    oneHot: tf.oneHot,
  },
  ...{ ones: tf.ones, onesLike: tf.onesLike, outerProduct: tf.outerProduct, pad: tf.pad, pow: tf.pow },
  ...{ randomNormal: tf.randomNormal, randomUniform: tf.randomUniform, range: tf.range, relu: tf.relu },
  ...{ reshape: tf.reshape, reverse: tf.reverse, scalar: tf.scalar, sigmoid: tf.sigmoid, sin: tf.sin },
  ...{
    slice: tf.slice,
    softmax: tf.softmax,
    split: tf.split,
    sqrt: tf.sqrt,
    square: tf.square,
    squeeze: tf.squeeze,
  },
  ...{ stack: tf.stack, sub: tf.sub, sum: tf.sum, tanh: tf.tanh, tensor: tf.tensor, tensor1d: tf.tensor1d },
  ...{ tensor2d: tf.tensor2d, tensor3d: tf.tensor3d, tensor4d: tf.tensor4d, tile: tf.tile },
  ...{ transpose: tf.transpose, where: tf.where, zeros: tf.zeros, zerosLike: tf.zerosLike },
};

/** A list of `length` places, or of what it is made from; `Array` itself stays out of reach. */
function list(...given: unknown[]): unknown[] {
  const [length] = given;
  if (given.length === 1 && typeof length === "number") {
    if (!(length >= 0 && length <= 1e6)) throw new RangeError("a list may have a million places");
    return new Array(length).fill(undefined);
  }
  return bounded([...given]);
}

function from(
  like: { length?: number } & Iterable<unknown>,
  f?: (x: unknown, n: number) => unknown,
): unknown[] {
  const values = Array.isArray(like) ? [...like] : list(Number(like?.length ?? 0));
  return f ? values.map((x, n) => f(x, n)) : values;
}

/** A scope with what every script may call, and more. */
export function scopeWith(more: Readonly<Record<string, unknown>>): Scope {
  const scope = new Scope();
  const all = {
    tf: OPERATIONS,
    // All but random, which nobody could repeat.
    Math: Object.fromEntries(MATH.map((name) => [name, Math[name]])),
    Array: withMembers(list, { from }),
    ...{ Infinity: Number.POSITIVE_INFINITY, NaN: Number.NaN },
    ...more,
  };
  for (const [name, value] of Object.entries(all)) scope.declare(name, value, true);
  return new Scope(scope);
}
