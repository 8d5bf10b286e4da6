import { getBackend, type Tensor, type Tensor1D } from "@tensorflow/tfjs-core";
import { checkChoice } from "../core/check-options.ts";
import { HeedError, OptionError } from "../core/errors.ts";
import { HALF_TYPES, type HalfType } from "../core/half.ts";
import { canRoundProducts, roundProducts } from "../host/rounded-products.ts";
import { memoryOfVariables, type SavedCall, type SavedStore, storeSaved } from "../host/saved-tensors.ts";
import { packHalf, unpackHalf } from "../ops/half.ts";
import { requireSettled } from "./options.ts";

const OP = "autocast";

/** Operations whose gradient reads its inputs (or its output): by number among what the tape saves of them. */
const STORED: Readonly<Record<string, readonly number[]>> = {
  HeedLinear: [0],
  HeedLayerNorm: [0],
  HeedRmsNorm: [0],
  HeedGelu: [0],
  HeedSilu: [0],
  HeedGatedSilu: [0, 1],
  HeedSoftmaxCrossEntropy: [0],
  BatchMatMul: [0, 1],
  Conv2D: [0],
  Multiply: [0, 1],
  Square: [0],
  Relu: [0],
  Sigmoid: [0],
  Tanh: [0],
};
/** Operations whose gradient reads the shapes of what was saved, and nothing else. */
const SHAPES = new Set(["Add", "Sub", "Sum", "Mean", "Reshape", "ExpandDims", "Slice", "Concat"]);
/** Smaller tensors are left as they are. */
const LEAST = 256;

let running: HalfType | undefined;

/**
 * Mixed precision: runs `run` with products in 16 bits and all else in float32, and keeps what the backward pass needs in
 * 16 bits. Loss and gradients must both be made within `run`.
 *
 *     products     matMul, linear, attention, conv2d and their gradients see their operands rounded to 16 bits, sum in
 *                  float32, and give a result rounded to 16 bits
 *     kept         what those, norms and activations save for the backward pass lies in memory in 16 bits
 *     float32      weights, softmax, log-sum-exp, norms' statistics, all sums, the loss, the optimiser's moments
 *
 * It saves memory: less than half of what the tape keeps is left, so that a batch may be twice as large. It saves no
 * time: WebAssembly multiplies 32-bit numbers alone, and rounding is a pass over each operand, a tenth of the time of
 * a small decoder's step in bfloat16 and a fifth in float16. Weights are not copied, their variables stay the float32
 * masters. float16 has 11 bits and goes from 6e-8 to 65504: use it with `LossScale`. bfloat16 has 8 bits and the range
 * of float32, and needs none.
 *
 * On `heed` and `cpu`. Nothing stays changed when `run` returns or throws. The same seeds give the same bits.
 * Paper: Micikevicius et al. 2018, arxiv.org/abs/1710.03740; bfloat16, Kalamkar et al. 2019, arxiv.org/abs/1905.12322.
 *
 * @param run runs to its end before it returns
 * @returns what `run` returned
 * @throws OptionError OPTION for another type or where `run` gives a promise, CONFLICT within an autocast to another,
 *   GRADIENT for gradients of gradients · HeedError UNSUPPORTED on other backends
 * @example
 * const w = tf.variable(tf.tensor2d([[1.0001], [2]]));
 * const x = tf.tensor2d([[3, 4]]);
 * // In float16 1.0001 is 1.
 * const { loss } = autocast("float16", () => namedGradients({ w }, () => tf.sum(tf.matMul(x, w))));
 * loss; // 11
 */
export function autocast<R>(type: HalfType, run: () => R): R {
  checkChoice(OP, "type", type, HALF_TYPES);
  if (running === type) return run();
  if (running) {
    const remedy = "let one call of autocast hold the whole step";
    throw new OptionError("CONFLICT", {
      op: OP,
      rule: `type must be ${running} within an autocast to it`,
      got: type,
      remedy,
    });
  }
  if (!canRoundProducts()) {
    throw new HeedError("UNSUPPORTED", {
      op: OP,
      rule: 'the backend must be "heed" or "cpu"',
      got: getBackend(),
      remedy: 'await tf.setBackend("heed") first',
    });
  }
  running = type;
  try {
    return requireSettled(
      OP,
      roundProducts(type, () => storeSaved(storeOf(type), run)),
    );
  } finally {
    running = undefined;
  }
}

function storeOf(type: HalfType): SavedStore {
  const variables = memoryOfVariables();
  const isHeld = ({ dataId, dtype, size }: Tensor) =>
    dtype === "float32" && size >= LEAST && !variables.has(dataId);
  return {
    op: OP,
    plan(call) {
      if (SHAPES.has(call.name)) return call.saved.map((x) => (isHeld(x) ? "shape" : "leave"));
      const stored = storedOf(call);
      return call.saved.map((x, n) =>
        stored.includes(n) && isHeld(x) && isWhole(x, call) ? "pack" : "leave",
      );
    },
    pack: (x) => packHalf(x, type),
    unpack: (words, { shape }) => unpackHalf(words as Tensor1D, shape, type),
  };
}

function storedOf({ name, attrs }: SavedCall): readonly number[] {
  if (name !== "HeedAttention") return STORED[name] ?? [];
  const names = attrs.names as readonly string[];
  // All inputs are saved, then output, lse and what rounding took from it.
  return [...["q", "k", "v"].map((operand) => names.indexOf(operand)), names.length];
}

/** Not a factor that is repeated over others, such as a norm's statistics. */
function isWhole(x: Tensor, { name, outputs }: SavedCall): boolean {
  return name !== "Multiply" || x.size === outputs[0]!.size;
}
