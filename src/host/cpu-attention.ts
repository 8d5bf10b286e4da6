/**
 * The attention kernels of TensorFlow.js' `cpu` backend: the plain loops of the reference, with float64 sums. They are
 * registered when the op first runs there, since importing heed changes no backend.
 */
import {
  type DataType,
  type DataTypeMap,
  getKernel,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { learnedTensors } from "../core/expression/modification.ts";
import type { HostArray } from "../core/notation.ts";
import type { HostProgram } from "../core/program.ts";
import {
  referenceCall,
  referenceCallEmptyRows,
  referenceCallGradients,
} from "../kernels/reference-layouts.ts";
import { type AttentionAttributes, hostProgram, namedInputs } from "./ops/attention.ts";
import type { KernelInputs } from "./register.ts";

/** What we need of the backend, which heed does not depend on. */
export interface CpuBackend {
  readonly data: { get(dataId: object): { values: DataTypeMap[DataType] } };
  makeTensorInfo(shape: number[], dtype: DataType, values: DataTypeMap[DataType]): TensorInfo;
}

/** One call of a kernel: its inputs by name, and the program that reads them. */
class CpuCall {
  readonly program: HostProgram;
  readonly attrs: AttentionAttributes;
  readonly inputs: KernelInputs;
  readonly #backend: CpuBackend;

  constructor({ inputs, attrs, backend }: Parameters<KernelFunc>[0]) {
    this.#backend = backend as CpuBackend;
    this.attrs = attrs as unknown as AttentionAttributes;
    this.inputs = namedInputs(inputs as KernelInputs, this.attrs);
    this.program = hostProgram(this.attrs, this.inputs, ({ dataId, shape, dtype }) => {
      const values = this.#backend.data.get(dataId).values as HostArray["values"];
      return { shape, dtype, values };
    });
  }

  doubles(name: string): Float64Array {
    return Float64Array.from(this.#backend.data.get(this.inputs[name]!.dataId).values as ArrayLike<number>);
  }

  floats(shape: number[], values: Float64Array): TensorInfo {
    return this.#backend.makeTensorInfo(shape, "float32", Float32Array.from(values));
  }

  flags(shape: number[], values: Uint8Array): TensorInfo {
    return this.#backend.makeTensorInfo(shape, "bool", values);
  }
}

const attention: KernelFunc = (given) => {
  const call = new CpuCall(given);
  const { program, attrs } = call;
  const inputs = { q: call.doubles("q"), k: call.doubles("k"), v: call.doubles("v") };
  const { output, lse } = referenceCall(program, attrs.layout, inputs);
  return [
    call.floats(attrs.shapes.output, output),
    call.floats(attrs.shapes.lse, lse),
    // Infinite ones have no rest.
    call.floats(
      attrs.shapes.lse,
      lse.map((x) => (Number.isFinite(x) ? x - Math.fround(x) : 0)),
    ),
    // The oracle finds empty rows by itself; the flags are for gradients made of TensorFlow.js ops.
    ...(program.onEmptyRow === "uniform"
      ? [call.flags(attrs.shapes.lse, referenceCallEmptyRows(program, attrs.layout, inputs))]
      : []),
  ];
};

const attentionGrad: KernelFunc = (given) => {
  const call = new CpuCall(given);
  const { program, attrs, inputs } = call;
  const { q, k, v, bias, sink } = inputs;
  const arrays = { q: call.doubles("q"), k: call.doubles("k"), v: call.doubles("v") };
  const [dout, dlse] = [call.doubles("dout"), call.doubles("dlse")];
  const all = referenceCallGradients(program, attrs.layout, arrays, dout, dlse);
  const { dq, dk, dv, dbias, dsink, dtensors } = all;
  return [
    call.floats(q.shape, dq),
    call.floats(k.shape, dk),
    call.floats(v.shape, dv),
    ...(bias ? [call.floats(bias.shape, dbias!)] : []),
    ...(sink ? [call.floats(sink.shape, dsink!)] : []),
    ...learnedTensors(program.modification).map((name) =>
      call.floats([...program.modification!.tensors[name]!.shape], dtensors![name]!),
    ),
  ];
};

const attentionWeights: KernelFunc = (given) => {
  const call = new CpuCall(given);
  const { program, attrs } = call;
  const { B, Hkv, S, Dv } = program.shapes;
  const inputs = { q: call.doubles("q"), k: call.doubles("k"), v: new Float64Array(B * Hkv * S * Dv) };
  return call.floats(attrs.shapes.weights, referenceCall(program, attrs.layout, inputs).weights);
};

const KERNELS: Record<string, KernelFunc> = {
  HeedAttention: attention,
  HeedAttentionGrad: attentionGrad,
  HeedAttentionWeights: attentionWeights,
};

/** Registers the kernels for the `cpu` backend, once. */
export function ensureCpuAttention(): void {
  if (getKernel("HeedAttention", "cpu")) return;
  for (const [kernelName, kernelFunc] of Object.entries(KERNELS)) {
    registerKernel({ kernelName, backendName: "cpu", kernelFunc });
  }
}
