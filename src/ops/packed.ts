import {
  add,
  type GradConfig,
  gather,
  matMul,
  type NamedTensorMap,
  range,
  reshape,
  slice,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
  tidy,
} from "@tensorflow/tfjs-core";
import { ShapeError } from "../core/errors.ts";
import { wrongRank } from "../core/faults.ts";
import { columnsOf, type PackedForm, type PackedRows, packedBytes } from "../kernels/quantized/forms.ts";
import { referenceUnpack } from "../kernels/quantized/reference.ts";
import { checkTensors } from "./check.ts";
import { linear } from "./linear.ts";
import { ensureGradient, isFused, runKernel, runKernels } from "./registry.ts";

const LINEAR = "HeedPackedLinear";
const HEADS = "HeedPackedHeads";
const ROWS = "HeedPackedRows";
/** Rows that are floats at a time in a gradient. */
const TILE_ROWS = 512;

/** A matrix [O, I] whose weights stay as a file has them: quantised in blocks, or in 16 bits. */
export interface PackedMatrix {
  readonly form: PackedForm;
  readonly shape: readonly [O: number, I: number];
  readonly words: Tensor1D;
}

/**
 * A matrix of packed words as a tensor, which the caller disposes.
 *
 * @throws ShapeError SHAPE unless the words are those of a matrix of this shape, whose columns are whole blocks
 */
export function packedMatrix({ form, words }: PackedRows, shape: readonly [number, number]): PackedMatrix {
  const columns = columnsOf(form);
  if (shape[1] === 0 || shape[1] % columns !== 0) {
    throw new ShapeError("SHAPE", {
      op: "packedMatrix",
      rule: `a matrix of form ${form} must have a multiple of ${columns} columns`,
      got: shape[1],
      remedy: "keep this one as float32",
    });
  }
  const wanted = packedBytes(form, shape) / 4;
  if (words.length !== wanted) {
    throw new ShapeError("SHAPE", {
      op: "packedMatrix",
      rule: `a matrix [${shape.join(", ")}] of form ${form} must have ${wanted} words`,
      got: words.length,
      remedy: "pack it with its own shape",
    });
  }
  return { form, shape, words: tensor(words, [words.length], "int32") as Tensor1D };
}

/** Whether the current backend multiplies with packed weights; others make floats of them at each call. */
export const hasPackedKernels = (): boolean => isFused(LINEAR);

const attributes = ({ form, shape }: Omit<PackedMatrix, "words">) => ({ form, matrix: [...shape] });

const gradient: GradConfig = {
  kernelName: LINEAR,
  inputsToSave: ["words"],
  gradFunc: (given, [words], attrs) => {
    const dy = given as Tensor;
    const { form, matrix } = attrs as unknown as { form: PackedForm; matrix: [number, number] };
    return {
      x: () => gradInput(dy, { form, shape: matrix, words: words as Tensor1D }),
      b: () =>
        sum(
          dy,
          dy.shape.slice(0, -1).map((_, axis) => axis),
        ),
    };
  },
};

/** dy·W, some rows of W at a time. */
function gradInput(dy: Tensor, matrix: PackedMatrix): Tensor {
  const [O, I] = matrix.shape;
  return tidy(() => {
    const rows = reshape(dy, [-1, O]) as Tensor2D;
    const N = rows.shape[0];
    let dx: Tensor | undefined;
    for (let first = 0; first < O; first += TILE_ROWS) {
      const count = Math.min(TILE_ROWS, O - first);
      const weights = packedRows(matrix, range(first, first + count, 1, "int32"));
      const part = matMul(slice(rows, [0, first], [N, count]), weights);
      dx = dx ? add(dx, part) : part;
    }
    return reshape(dx!, [...dy.shape.slice(0, -1), I]);
  });
}

/**
 * `linear` with a packed matrix, whose weights are never all floats at once:
 *
 *     out[…, o] = Σ_i x[…, i] · W[o, i] + b[o]
 *
 * Few rows of x are multiplied with the packed weights themselves, by quantised ones with x in 16 bits a number (error at
 * most 1.5e-5 of the largest of 32 neighbours); many rows with a tile of W as floats at a time. Differentiable by x and b, not
 * by W.
 *
 * Shapes: x […, I], W [O, I], b [O] → […, O]; rank of x at least 2.
 *
 * @throws ShapeError RANK or SHAPE when the shapes disagree
 * @example
 * const words = new Int32Array(8).fill(0x40003c00); // 1 and 2 in float16, eight times
 * const W = packedMatrix({ form: "Float16", words }, [2, 8]);
 * packedLinear(tf.ones([1, 8]), W); // [[12, 12]]
 */
export function packedLinear<T extends Tensor>(x: T, matrix: PackedMatrix, b?: Tensor1D): T {
  const op = "packedLinear";
  const [O, I] = matrix.shape;
  if (x.shape.length < 2)
    throw new ShapeError("RANK", wrongRank({ op, name: "x", rank: "2 or more", shape: x.shape }));
  checkTensors(op, [
    { name: "x", tensor: x, letters: "[…, I]", shape: [...x.shape.slice(0, -1), I] },
    ...(b ? [{ name: "b", tensor: b, letters: "[O]", shape: [O] }] : []),
  ]);
  if (!isFused(LINEAR)) return tidy(() => linear(x, unpacked(matrix), b, { transposed: true }));
  ensureGradient(gradient);
  const { words } = matrix;
  return runKernel(LINEAR, b ? { x, words, b } : { x, words }, attributes(matrix)) as T;
}

/** One of several maps of one x. */
export interface PackedMap {
  readonly matrix: PackedMatrix;
  readonly bias?: Tensor1D | undefined;
}

/**
 * Several packed maps of one x in one call, each result in heads: what a step of a decoder does for its queries, keys and
 * values. Not differentiable.
 *
 * Shapes: x […, I], each matrix [O, I], O a multiple of `width` → […, O / width, width].
 *
 * @throws ShapeError SHAPE when the shapes disagree
 * @example
 * const words = new Int32Array(8).fill(0x40003c00); // 1 and 2 in float16, eight times
 * const matrix = packedMatrix({ form: "Float16", words }, [2, 8]);
 * const [q] = packedHeads(tf.ones([3, 8]), [{ matrix }], 2);
 * q.shape; // [3, 1, 2]
 */
export function packedHeads(x: Tensor, maps: readonly PackedMap[], width: number): Tensor[] {
  const op = "packedHeads";
  for (const { matrix, bias } of maps) {
    const [O] = matrix.shape;
    checkTensors(op, [
      { name: "x", tensor: x, letters: "[…, I]", shape: [...x.shape.slice(0, -1), matrix.shape[1]] },
      ...(bias ? [{ name: "bias", tensor: bias, letters: "[O]", shape: [O] }] : []),
    ]);
    if (O % width === 0) continue;
    const rule = `the rows of a matrix must be heads of ${width}`;
    throw new ShapeError("SHAPE", { op, rule, got: `${O} rows`, remedy: "use packedLinear" });
  }
  if (!isFused(HEADS)) {
    return maps.map(({ matrix, bias }) => {
      const shape = [...x.shape.slice(0, -1), matrix.shape[0] / width, width];
      return tidy(() => reshape(packedLinear(x, matrix, bias), shape));
    });
  }
  const inputs: NamedTensorMap = { x };
  for (const [n, { matrix, bias }] of maps.entries()) {
    inputs[`words${n}`] = matrix.words;
    if (bias) inputs[`b${n}`] = bias;
  }
  return runKernels(HEADS, inputs, { maps: maps.map(({ matrix }) => attributes(matrix)), width } as never);
}

/**
 * Rows of a packed matrix as floats: ids [n] → [n, I]. Not differentiable.
 *
 * @throws ShapeError SHAPE unless every id is a row's
 * @example
 * const words = new Int32Array(8).fill(0x40003c00, 4); // a row of zeros, then 1 and 2 in float16
 * packedRows(packedMatrix({ form: "Float16", words }, [2, 8]), tf.tensor1d([1], "int32")); // [[1, 2, 1, 2, 1, 2, 1, 2]]
 */
export function packedRows(matrix: PackedMatrix, ids: Tensor1D): Tensor2D {
  const { words } = matrix;
  checkTensors("packedRows", [
    { name: "ids", tensor: ids, letters: "[n]", shape: [ids.size], dtype: "int32" },
  ]);
  if (isFused(ROWS)) return runKernel(ROWS, { words, ids }, attributes(matrix)) as Tensor2D;
  return tidy(() => gather(unpacked(matrix), ids));
}

/** All of it as floats, for backends without the kernels. */
function unpacked({ form, shape, words }: PackedMatrix): Tensor2D {
  const rows = Array.from({ length: shape[0] }, (_, row) => row);
  const values = referenceUnpack({ form, words: Int32Array.from(words.dataSync()) }, shape[1], rows);
  return tensor(values, [...shape], "float32") as Tensor2D;
}
