import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { BLOCK, isQuantized, type PackedForm } from "../../kernels/quantized/forms.ts";
import type { Heap } from "../heap.ts";
import { multiply } from "../overrides/matmul.ts";
import type { HeedKernel } from "../register.ts";
import { MOST_VECTORS, PackedVectors } from "./packed-vectors.ts";

interface PackedAttributes {
  readonly form: PackedForm;
  /** [O, I] of the matrix. */
  readonly matrix: readonly [number, number];
}

/** Rows that are made floats at a time for a product of matrices. */
const TILE_ROWS = 512;

/** x·Wᵀ + b with W packed: for few rows of x from the packed weights, for more of them a tile as floats at a time. */
export const packedLinear: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, words, b } = inputs as { x: TensorInfo; words: TensorInfo; b?: TensorInfo };
  const { form, matrix } = attrs as unknown as PackedAttributes;
  const out = product(x, { words, b, form, matrix }, vectorsOf(x, matrix[1], heap), heap);
  return { ...out, shape: [...x.shape.slice(0, -1), matrix[0]] };
};

/** Several matrices with one x, which is prepared once; each result in heads of that width. */
export const packedHeads: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x } = inputs as { x: TensorInfo };
  const { maps, width } = attrs as unknown as { maps: readonly PackedAttributes[]; width: number };
  const vectors = vectorsOf(x, maps[0]!.matrix[1], heap);
  return maps.map(({ form, matrix }, n) => {
    const map = { words: inputs[`words${n}`]!, b: inputs[`b${n}`], form, matrix };
    const out = product(x, map, vectors, heap);
    return { ...out, shape: [...x.shape.slice(0, -1), matrix[0] / width, width] };
  });
};

interface PackedMap extends PackedAttributes {
  readonly words: TensorInfo;
  readonly b: TensorInfo | undefined;
}

function vectorsOf(x: TensorInfo, I: number, heap: Heap): PackedVectors {
  const T = util.sizeFromShape(x.shape) / I;
  return new PackedVectors(heap, heap.address(x), [T, I], (bytes) => heap.scratch("packedLinear", bytes));
}

/** [T, O] */
function product(x: TensorInfo, map: PackedMap, vectors: PackedVectors, heap: Heap): TensorInfo {
  const { words, b, form, matrix } = map;
  const T = util.sizeFromShape(x.shape) / matrix[1];
  const out =
    T <= MOST_VECTORS ? heap.output("packedLinear", [T, matrix[0]]) : tiles(x, words, form, matrix, T, heap);
  if (T <= MOST_VECTORS) vectors.times({ words: heap.address(words), form, O: matrix[0] }, heap.address(out));
  if (b && T > 0) heap.kernels.biasActivation!(heap.address(out), T, matrix[0], heap.address(b), 0, 0);
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
