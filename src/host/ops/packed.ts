import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import {
  BLOCK,
  FORMS,
  isQuantized,
  type PackedForm,
  packedBytes,
  ROWS,
} from "../../kernels/quantized/forms.ts";
import type { Heap } from "../heap.ts";
import { multiply } from "../overrides/matmul.ts";
import type { HeedKernel } from "../register.ts";

interface PackedAttributes {
  readonly form: PackedForm;
  /** [O, I] of the matrix. */
  readonly matrix: readonly [number, number];
}

/** Rows of x that are multiplied one by one: reading the weights once costs more than the products of so many. */
const MOST_VECTORS = 6;
/** Bytes of weights that stay in the cache while all vectors pass over them. */
const TILE_BYTES = 2 ** 17;
/** Rows that are made floats at a time for a product of matrices. */
const TILE_ROWS = 512;

/** x·Wᵀ + b with W packed: for few rows of x from the packed weights, for more of them a tile as floats at a time. */
export const packedLinear: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, words, b } = inputs as { x: TensorInfo; words: TensorInfo; b?: TensorInfo };
  const { form, matrix } = attrs as unknown as PackedAttributes;
  const [O, I] = matrix;
  const T = util.sizeFromShape(x.shape) / I;
  const out =
    T <= MOST_VECTORS ? vectors(x, words, form, matrix, T, heap) : tiles(x, words, form, matrix, T, heap);
  if (b && T > 0) heap.kernels.biasActivation!(heap.address(out), T, O, heap.address(b), 0, 0);
  return { ...out, shape: [...x.shape.slice(0, -1), O] };
};

function vectors(
  x: TensorInfo,
  words: TensorInfo,
  form: PackedForm,
  [O, I]: readonly [number, number],
  T: number,
  heap: Heap,
): TensorInfo {
  const { kernels } = heap;
  const quantized = isQuantized(form);
  const bytes = quantized ? Math.ceil(kernels.vectorBytes!(I) / 16) * 16 : 4 * I;
  const scratch = heap.scratch("packedLinear", Math.max(1, T) * bytes);
  const out = heap.output("packedLinear", [T, O]);
  const [from, weights, to] = [heap.address(x), heap.address(words), heap.address(out)];
  for (let t = 0; t < T; t++) {
    const [source, target] = [from + 4 * t * I, scratch + t * bytes];
    if (quantized) kernels.quantizeVector!(source, target, I, FORMS[form].unit);
    else kernels[`spread${form}`]!(source, target, I);
  }
  const row = packedBytes(form, [ROWS, I]) / ROWS;
  const tile = T === 1 ? O : ROWS * Math.max(1, Math.floor(TILE_BYTES / (ROWS * row)));
  const multiplyRows = kernels[`rows${form}`]!;
  const columns = quantized ? I / BLOCK : I;
  for (let first = 0; first < O; first += tile) {
    const count = Math.min(tile, O - first);
    for (let t = 0; t < T; t++)
      multiplyRows(weights + first * row, scratch + t * bytes, to + 4 * (t * O + first), count, columns);
  }
  return out;
}

function tiles(
  x: TensorInfo,
  words: TensorInfo,
  form: PackedForm,
  matrix: readonly [number, number],
  T: number,
  heap: Heap,
): TensorInfo {
  const [O, I] = matrix;
  const a = { ...x, shape: [T, I] };
  const product = (first: number, count: number): TensorInfo => {
    const b = heap.output("packedLinear", [count, I]);
    unpack(words, form, I, first, count, heap.address(b), heap);
    const part = multiply("packedLinear", { a, b, transposeA: false, transposeB: true }, heap);
    heap.dispose(b);
    return part;
  };
  if (O <= TILE_ROWS) return product(0, O);
  const out = heap.output("packedLinear", [T, O]);
  for (let first = 0; first < O; first += TILE_ROWS) {
    const count = Math.min(TILE_ROWS, O - first);
    const part = product(first, count);
    const [from, to] = [heap.view(part), heap.view(out)];
    for (let t = 0; t < T; t++) to.set(from.subarray(t * count, (t + 1) * count), t * O + first);
    heap.dispose(part);
  }
  return out;
}

/** Rows as floats. */
function unpack(
  words: TensorInfo,
  form: PackedForm,
  I: number,
  first: number,
  count: number,
  to: number,
  heap: Heap,
): void {
  const run = heap.kernels[`unpack${form}`]!;
  const weights = heap.address(words);
  if (isQuantized(form)) run(weights, first, count, I / BLOCK, to);
  else run(weights + 2 * first * I, to, count * I);
}

/** Rows of W by their numbers. */
export const packedRows: HeedKernel = ({ inputs, attrs, heap }) => {
  const { words, ids } = inputs as { words: TensorInfo; ids: TensorInfo };
  const { form, matrix } = attrs as unknown as PackedAttributes;
  const [O, I] = matrix;
  const wanted = Array.from(heap.view(ids));
  const wrong = wanted.find((id) => !(id >= 0 && id < O));
  if (wrong !== undefined) {
    throw new ShapeError("SHAPE", {
      op: "packedRows",
      rule: `every id must be at least 0 and below the ${O} rows`,
      got: wrong,
      remedy: "check the ids against the vocabulary",
    });
  }
  const out = heap.output("packedRows", [wanted.length, I]);
  for (const [n, id] of wanted.entries()) unpack(words, form, I, id, 1, heap.address(out) + 4 * n * I, heap);
  return out;
};
