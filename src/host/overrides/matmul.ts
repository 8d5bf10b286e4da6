import { broadcast_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { runningPool } from "../../kernels/init.ts";
import { type Factor, isWorthThreads, multiplyOnThreads } from "../../kernels/wasm/pool/matmul.ts";
import type { Heap } from "../heap.ts";
import { type HeedKernel, type KernelInputs, runHeedKernel, runStockKernel } from "../register.ts";

interface Product {
  a: TensorInfo;
  b: TensorInfo;
  transposeA: boolean;
  transposeB: boolean;
}

/**
 * For each matrix of the result, the index of the matrix to read from an operand with batch shape `from`:
 * axes of size 1 repeat.
 */
function batchIndices(from: number[], to: number[]): number[] {
  const strides = util.computeStrides([...from, 1]);
  const lead = to.length - from.length;
  const indices: number[] = [];
  for (let i = 0; i < util.sizeFromShape(to); i++) {
    let rest = i;
    let index = 0;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const at = rest % to[axis]!;
      rest = (rest - at) / to[axis]!;
      if (axis >= lead && from[axis - lead] !== 1) index += at * strides[axis - lead]!;
    }
    indices.push(index);
  }
  return indices;
}

function factor(
  heap: Heap,
  tensor: TensorInfo,
  [rowStride, columnStride]: [number, number],
  indices: number[],
  size: number,
): Factor {
  const values = heap.view(tensor) as Float32Array;
  return { values, rowStride, columnStride, starts: indices.map((index) => index * size) };
}

/** out[…, M, N] = op(a) · op(b): batch axes broadcast, either operand transposed by reading it the other way. */
export function multiply(op: string, { a, b, transposeA, transposeB }: Product, heap: Heap): TensorInfo {
  const [rowsA, colsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, colsB] = b.shape.slice(-2) as [number, number];
  const [M, K] = transposeA ? [colsA, rowsA] : [rowsA, colsA];
  const [Kb, N] = transposeB ? [colsB, rowsB] : [rowsB, colsB];
  if (K !== Kb) {
    throw new ShapeError("DIMENSION", {
      op,
      rule: "the inner sizes of a and b must agree",
      got: `${K} and ${Kb} (a [${a.shape}], b [${b.shape}], transposeA=${transposeA}, transposeB=${transposeB})`,
      remedy: "transpose or reshape one of them",
    });
  }
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const batch = broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
  const { kernels } = heap;
  const integer = a.dtype === "int32";
  const scratch = integer ? 0 : heap.scratch(op, kernels.gemmScratchBytes!(N));
  const out = heap.output(op, [...batch, M, N], a.dtype);
  const count = util.sizeFromShape(batch);
  if (count * M * N * K === 0) {
    heap.view(out).fill(0);
    return out;
  }
  const [rsA, csA]: [number, number] = transposeA ? [1, M] : [K, 1];
  const [rsB, csB]: [number, number] = transposeB ? [1, K] : [N, 1];
  const [addressA, addressB, addressOut] = [heap.address(a), heap.address(b), heap.address(out)];
  const oneB = !transposeA && util.sizeFromShape(batchB) === 1;
  const indicesA = oneB ? [0] : batchIndices(batchA, batch);
  const indicesB = oneB ? [0] : batchIndices(batchB, batch);
  const pool = integer ? undefined : runningPool(heap.build);
  if (pool) {
    const products = {
      a: factor(heap, a, [rsA, csA], indicesA, M * K),
      b: factor(heap, b, [rsB, csB], indicesB, N * K),
      out: heap.view(out) as Float32Array,
      ...{ M: oneB ? count * M : M, N, K },
    };
    if (isWorthThreads(products)) {
      multiplyOnThreads(pool, op, products);
      return out;
    }
  }
  const run = (fromA: number, fromB: number, to: number, rows: number) =>
    integer
      ? kernels.gemmInt!(fromA, rsA, csA, fromB, rsB, csB, to, rows, N, K)
      : kernels.gemm!(fromA, rsA, csA, fromB, rsB, csB, to, rows, N, K, scratch, 0);
  if (oneB) {
    // One matrix for the whole batch: the batch is more rows.
    run(addressA, addressB, addressOut, count * M);
    return out;
  }
  for (let i = 0; i < count; i++) {
    run(
      addressA + indicesA[i]! * M * K * 4,
      addressB + indicesB[i]! * N * K * 4,
      addressOut + i * M * N * 4,
      M,
    );
  }
  return out;
}

/** Matrix products in float32 and int32. */
export const batchMatMul: HeedKernel = ({ inputs, attrs, heap }) => {
  const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
  if (a.dtype !== b.dtype || (a.dtype !== "float32" && a.dtype !== "int32")) {
    return runStockKernel("BatchMatMul", inputs, attrs, heap);
  }
  const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
  return multiply("matMul", { a, b, transposeA, transposeB }, heap);
};

/** The activations of assembly/activation.ts, by TensorFlow.js' names. */
const ACTIVATIONS: Record<string, number> = {
  linear: 0,
  relu: 1,
  relu6: 2,
  elu: 3,
  leakyrelu: 4,
  sigmoid: 5,
};

/**
 * Matrix product, bias and activation. The stock kernel is wrong where it is batched or transposed: there it adds
 * the bias once per 48 columns of K and clamps partial sums.
 */
export const fusedMatMul: HeedKernel = ({ inputs, attrs, heap }) => {
  const { a, b, bias, preluActivationWeights: slopes } = inputs as Record<string, TensorInfo | undefined>;
  if (a!.dtype !== "float32" || b!.dtype !== "float32")
    return runStockKernel("_FusedMatMul", inputs, attrs, heap);
  const { transposeA, transposeB, leakyreluAlpha } = attrs as {
    transposeA: boolean;
    transposeB: boolean;
    leakyreluAlpha?: number;
  };
  const activation = (attrs.activation as string | null) ?? "linear";
  const code = activation === "prelu" ? ACTIVATIONS.linear : ACTIVATIONS[activation];
  if (code === undefined) {
    throw new OptionError("OPTION", {
      op: "fused.matMul",
      rule: `activation must be one of ${Object.keys(ACTIVATIONS).join(", ")}, prelu`,
      got: activation,
      remedy: "apply it to the result of a linear product",
    });
  }
  let out = multiply("fused.matMul", { a: a!, b: b!, transposeA, transposeB }, heap);
  const size = util.sizeFromShape(out.shape);
  if (size === 0) return out;
  const N = out.shape.at(-1)!;
  const columnBias =
    bias && util.sizeFromShape(bias.shape) === N && bias.shape.at(-1) === N ? bias : undefined;
  if (bias && !columnBias) out = replace(out, "Add", { a: out, b: bias }, heap);
  if (columnBias || code !== 0) {
    const biasAddress = columnBias ? heap.address(columnBias) : 0;
    heap.kernels.biasActivation!(heap.address(out), size / N, N, biasAddress, code, leakyreluAlpha ?? 0);
  }
  return activation === "prelu" ? replace(out, "Prelu", { x: out, alpha: slopes! }, heap) : out;
};

/** The result of a kernel that reads `old`, which is freed. */
function replace(old: TensorInfo, kernel: string, inputs: KernelInputs, heap: Heap): TensorInfo {
  try {
    return runHeedKernel(kernel, inputs, {}, heap);
  } finally {
    heap.dispose(old);
  }
}
