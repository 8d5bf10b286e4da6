import {
  getBackend,
  getKernel,
  type KernelConfig,
  type KernelFunc,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { HALF, type HalfType } from "../core/half.ts";
import { type CpuBackend, ensureCpuAttention } from "./cpu-attention.ts";
import { heapOf } from "./heap.ts";
import { runHalf } from "./ops/half.ts";
import { BACKEND, type KernelInputs } from "./register.ts";

/** Products of two operands each: what they multiply, and how many of their results come out rounded. */
const PRODUCTS: Readonly<Record<string, readonly [operands: readonly string[], results: number]>> = {
  HeedLinear: [["x", "w"], 1],
  HeedLinearGradInput: [["w", "dy"], 1],
  HeedLinearGradWeights: [["x", "dy"], 1],
  // The log-sum-exp stays as it is, and so do the gradients of bias and sink.
  HeedAttention: [["q", "k", "v"], 1],
  HeedAttentionGrad: [["q", "k", "v", "dout"], 3],
  HeedAttentionWeights: [["q", "k"], 0],
  BatchMatMul: [["a", "b"], 1],
  _FusedMatMul: [["a", "b"], 1],
  Conv2D: [["x", "filter"], 1],
  FusedConv2D: [["x", "filter"], 1],
  Conv2DBackpropInput: [["dy", "filter"], 1],
  Conv2DBackpropFilter: [["x", "dy"], 1],
};

/** Rounding on one backend, on its own memory. */
interface Rounder {
  copy(x: TensorInfo): TensorInfo;
  inPlace(x: TensorInfo): void;
  free(x: TensorInfo): void;
}

function heedRounder(type: HalfType, backend: unknown): Rounder {
  const heap = heapOf(backend);
  const round = (from: TensorInfo, to: TensorInfo) =>
    runHalf("round", type, { from, to, shape: from.shape }, heap);
  return {
    copy(x) {
      const out = heap.output("autocast", x.shape);
      round(x, out);
      return out;
    },
    inPlace: (x) => round(x, x),
    free: (x) => heap.dispose(x),
  };
}

function cpuRounder(type: HalfType, backend: unknown): Rounder {
  const cpu = backend as CpuBackend & { disposeData(dataId: object): void };
  const { encode, decode } = HALF[type];
  const valuesOf = (x: TensorInfo) => cpu.data.get(x.dataId).values as Float32Array;
  const rounded = (x: TensorInfo) => decode(encode(Float32Array.from(valuesOf(x))));
  return {
    copy: (x) => cpu.makeTensorInfo(x.shape, "float32", rounded(x)),
    inPlace: (x) => valuesOf(x).set(rounded(x)),
    free: ({ dataId }) => cpu.disposeData(dataId),
  };
}

/** A kernel that sees its operands rounded, and gives rounded results; its sums stay as they are. */
function roundedKernel(name: string, kernel: KernelFunc, rounder: (backend: unknown) => Rounder): KernelFunc {
  const [operands, results] = PRODUCTS[name]!;
  return ({ inputs, attrs, backend }) => {
    const { copy, inPlace, free } = rounder(backend);
    const names = (attrs as { names?: readonly string[] } | undefined)?.names;
    const given = Object.fromEntries(Object.entries(inputs)) as KernelInputs;
    const made: TensorInfo[] = [];
    try {
      for (const operand of operands) {
        const key = names ? String(names.indexOf(operand)) : operand;
        if (given[key]?.dtype !== "float32") continue;
        given[key] = copy(given[key]);
        made.push(given[key]);
      }
      const outputs = kernel({ inputs: given, attrs, backend });
      for (const output of [outputs].flat().slice(0, results)) {
        if (output.dtype === "float32") inPlace(output);
      }
      return outputs;
    } finally {
      made.forEach(free);
    }
  };
}

/** Whether `roundProducts` can do so on the current backend. */
export function canRoundProducts(): boolean {
  return getBackend() === BACKEND || getBackend() === "cpu";
}

/**
 * Has every product of the current backend, `heed` or `cpu`, round its operands and its result to a format of 16 bits
 * while `run` runs, forward and backward. It happens below the tape: gradients go straight through, and are rounded
 * by the products that they pass.
 */
export function roundProducts<R>(type: HalfType, run: () => R): R {
  const backend = getBackend();
  if (backend === "cpu") ensureCpuAttention();
  const rounder = (at: unknown) => (backend === "cpu" ? cpuRounder : heedRounder)(type, at);
  const configs: [config: KernelConfig, kernel: KernelFunc][] = [];
  for (const name of Object.keys(PRODUCTS)) {
    const config = getKernel(name, backend);
    if (config) configs.push([config, config.kernelFunc]);
  }
  try {
    for (const [config, kernel] of configs)
      config.kernelFunc = roundedKernel(config.kernelName, kernel, rounder);
    return run();
  } finally {
    for (const [config, kernel] of configs) config.kernelFunc = kernel;
  }
}
