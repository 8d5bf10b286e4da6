import { type DataType, findBackend, getKernel, type TensorInfo } from "@tensorflow/tfjs-core";
import { HeedError } from "../../core/errors.ts";
import type { Heap } from "../heap.ts";
import { metered } from "../meter.ts";
import type { HeedKernel } from "../register.ts";

type Values = Float32Array | Int32Array | Uint8Array | Uint8Array[];

/** What we need of the `cpu` backend, which heed does not depend on. */
interface CpuBackend {
  readonly data: { get(dataId: object): { values: Values } };
  makeTensorInfo(shape: number[], dtype: DataType, values: Values): TensorInfo;
  disposeIntermediateTensorInfo(tensor: TensorInfo): void;
}

/** The names under which people call these kernels. */
const FORWARDED: Record<string, string> = {
  RaggedGather: "raggedGather",
  RaggedRange: "raggedRange",
  RaggedTensorToTensor: "raggedTensorToTensor",
  StaticRegexReplace: "string.staticRegexReplace",
  Draw: "browser.draw",
};

/** The kernel of the `cpu` backend, run on copies of the inputs. Its outputs come back. */
function forward(kernelName: string, op: string): HeedKernel {
  return ({ inputs, attrs, heap }) => {
    const cpu = findBackend("cpu") as unknown as CpuBackend | null;
    const kernel = getKernel(kernelName, "cpu");
    if (!cpu || !kernel) {
      throw new HeedError("UNSUPPORTED", {
        op,
        rule: `the backend "heed" runs ${kernelName} on the "cpu" backend, which must be there`,
        got: "none",
        remedy: 'import "@tensorflow/tfjs-backend-cpu"',
      });
    }
    const made: TensorInfo[] = [];
    const copy = (given: unknown): unknown => {
      if (Array.isArray(given)) return given.map(copy);
      if (!isTensor(given)) return given;
      const { shape, dtype, dataId } = given;
      const values = heap.backend.readSync(dataId) as Values;
      const tensor = cpu.makeTensorInfo(shape, dtype, values);
      made.push(tensor);
      return tensor;
    };
    const copies = Object.fromEntries(Object.entries(inputs).map(([name, given]) => [name, copy(given)]));
    const call = { inputs: copies as never, attrs: attrs as never, backend: cpu };
    const results = metered(kernelName, false, () => kernel.kernelFunc(call));
    const outs = [results].flat().map((result) => bring(result, cpu, heap, op));
    for (const tensor of [...made, ...[results].flat()]) cpu.disposeIntermediateTensorInfo(tensor);
    return Array.isArray(results) ? outs : outs[0]!;
  };
}

const isTensor = (x: unknown): x is TensorInfo => typeof x === "object" && x !== null && "dataId" in x;

function bring({ dataId, shape, dtype }: TensorInfo, cpu: CpuBackend, heap: Heap, op: string): TensorInfo {
  const { values } = cpu.data.get(dataId);
  if (dtype === "string") return heap.own(heap.backend.makeOutput(shape, dtype, undefined, values as never));
  const out = heap.output(op, shape, dtype);
  heap.view(out).set(values as Float32Array);
  return out;
}

/** Kernels that only the `cpu` backend has, by TensorFlow.js' names. */
export const forwarded: Record<string, HeedKernel> = Object.fromEntries(
  Object.entries(FORWARDED).map(([name, op]) => [name, forward(name, op)]),
);
