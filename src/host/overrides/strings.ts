import { backend_util, broadcast_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { type HeedKernel, runHeedKernel, stock } from "../register.ts";
import { readingOrder } from "./axes.ts";

const COMPARISONS: Record<string, (a: string, b: string) => boolean> = {
  Equal: (a, b) => a === b,
  NotEqual: (a, b) => a !== b,
  Greater: (a, b) => a > b,
  GreaterEqual: (a, b) => a >= b,
  Less: (a, b) => a < b,
  LessEqual: (a, b) => a <= b,
};

/** A comparison of strings too. (The stock kernel ends the whole WebAssembly module on one.) */
function orStrings(kernelName: string, compare: (a: string, b: string) => boolean): HeedKernel {
  const numbers = stock(kernelName);
  return (call) => {
    const [a, b] = [call.inputs.a as TensorInfo, call.inputs.b as TensorInfo];
    if (a.dtype !== "string" || b.dtype !== "string") return numbers(call);
    const { heap } = call;
    const [left, right] = [a, b].map(({ dataId }) =>
      backend_util.fromUint8ToStringArray(heap.backend.readSync(dataId) as unknown as Uint8Array[]),
    ) as [string[], string[]];
    const shape = broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const out = heap.output(kernelName, shape, "bool");
    const to = heap.view(out);
    const [atA, atB] = [readingOrder(a.shape, shape), readingOrder(b.shape, shape)];
    for (let i = 0; i < util.sizeFromShape(shape); i++)
      to[i] = Number(compare(left[atA(i)]!, right[atB(i)]!));
    return out;
  };
}

/** Comparisons, by TensorFlow.js' names. */
export const comparisons: Record<string, HeedKernel> = Object.fromEntries(
  Object.entries(COMPARISONS).map(([name, compare]) => [name, orStrings(name, compare)]),
);

/** A kernel that only moves elements, for strings too: it moves their places, and the strings follow. */
export function movingStrings(kernelName: string, kernel: HeedKernel): HeedKernel {
  return (call) => {
    const x = call.inputs.x as TensorInfo;
    if (x.dtype !== "string") return kernel(call);
    const { heap, attrs } = call;
    const strings = heap.backend.readSync(x.dataId) as unknown as Uint8Array[];
    const places = heap.output(kernelName, x.shape, "int32");
    heap.view(places).forEach((_, i, all) => {
      all[i] = i;
    });
    const moved = runHeedKernel(kernelName, { x: places }, attrs, heap);
    const values = Array.from(heap.view(moved), (place) => strings[place]!);
    for (const tensor of [places, moved]) heap.dispose(tensor);
    return heap.own(heap.backend.makeOutput(moved.shape, "string", undefined, values as never));
  };
}
