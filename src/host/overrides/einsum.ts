import { backend_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runHeedKernel } from "../register.ts";

/** A tensor and the letter of each of its axes. */
interface Lettered {
  tensor: TensorInfo;
  letters: string[];
}

const reshaped = (tensor: TensorInfo, shape: number[]): TensorInfo => ({ ...tensor, shape });
const sizeOf = ({ tensor, letters }: Lettered, wanted: string[]) =>
  wanted.map((letter) => tensor.shape[letters.indexOf(letter)]!);

/** Runs kernels one after the other; each result is freed once the next is there. */
class Chain {
  readonly heap: Heap;
  readonly #made = new Set<TensorInfo["dataId"]>();

  constructor(heap: Heap) {
    this.heap = heap;
  }

  run(name: string, inputs: Record<string, TensorInfo>, attrs: object): TensorInfo {
    const out = runHeedKernel(name, inputs, attrs, this.heap);
    for (const tensor of Object.values(inputs)) this.#free(tensor);
    this.#made.add(out.dataId);
    return out;
  }

  #free(tensor: TensorInfo): void {
    if (this.#made.delete(tensor.dataId)) this.heap.dispose(tensor);
  }

  /** Without the letters that are not wanted, which are summed over. */
  sum({ tensor, letters }: Lettered, wanted: (letter: string) => boolean): Lettered {
    const axis = letters.flatMap((letter, i) => (wanted(letter) ? [] : [i]));
    if (axis.length === 0) return { tensor, letters };
    return {
      tensor: this.run("Sum", { x: tensor }, { axis, keepDims: false }),
      letters: letters.filter(wanted),
    };
  }

  /** The axes in this order; always a tensor that the chain has made, or x as it is. */
  order({ tensor, letters }: Lettered, wanted: string[]): Lettered {
    const perm = wanted.map((letter) => letters.indexOf(letter));
    if (perm.every((axis, i) => axis === i)) return { tensor, letters };
    return { tensor: this.run("Transpose", { x: tensor }, { perm }), letters: wanted };
  }

  /** What the kernel returns: its own elements, also where nothing was to be done. */
  result(tensor: TensorInfo): TensorInfo {
    return this.#made.has(tensor.dataId) ? tensor : this.heap.share(tensor);
  }
}

/**
 * Einstein's sums of one or two tensors: letters that the output lacks are summed over. Two tensors are one batched matrix
 * product, batch letters × (left × shared) · (shared × right), whatever the order in which they come.
 */
export const einsum: HeedKernel = ({ inputs, attrs, heap }) => {
  const tensors = Object.values(inputs);
  const equation = (attrs.equation as string).replace(/\s/g, "");
  const { allDims, idDims } = backend_util.decodeEinsumEquation(equation, tensors.length);
  backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors as never);
  const [left, output] = equation.split("->") as [string, string];
  const terms = left.split(",").map((letters, i) => ({ tensor: tensors[i]!, letters: [...letters] }));
  const wanted = [...output];
  const chain = new Chain(heap);
  const [a, b] = terms as [Lettered, Lettered | undefined];
  if (!b)
    return chain.result(
      chain.order(
        chain.sum(a, (letter) => wanted.includes(letter)),
        wanted,
      ).tensor,
    );
  return chain.result(product(chain, a, b, wanted));
};

function product(chain: Chain, first: Lettered, second: Lettered, wanted: string[]): TensorInfo {
  const a = chain.sum(first, (letter) => second.letters.includes(letter) || wanted.includes(letter));
  const b = chain.sum(second, (letter) => first.letters.includes(letter) || wanted.includes(letter));
  const both = a.letters.filter((letter) => b.letters.includes(letter));
  const batch = both.filter((letter) => wanted.includes(letter));
  const shared = both.filter((letter) => !wanted.includes(letter));
  const rows = a.letters.filter((letter) => !both.includes(letter));
  const columns = b.letters.filter((letter) => !both.includes(letter));
  const [batchShape, rowShape, columnShape] = [sizeOf(a, batch), sizeOf(a, rows), sizeOf(b, columns)];
  const [B, M, N] = [batchShape, rowShape, columnShape].map(util.sizeFromShape) as [number, number, number];
  const K = util.sizeFromShape(sizeOf(a, shared));
  const left = reshaped(chain.order(a, [...batch, ...rows, ...shared]).tensor, [B, M, K]);
  const right = reshaped(chain.order(b, [...batch, ...shared, ...columns]).tensor, [B, K, N]);
  const out = chain.run("BatchMatMul", { a: left, b: right }, { transposeA: false, transposeB: false });
  const letters = [...batch, ...rows, ...columns];
  const whole = { tensor: reshaped(out, [...batchShape, ...rowShape, ...columnShape]), letters };
  return chain.order(whole, wanted).tensor;
}
