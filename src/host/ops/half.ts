import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { HalfType } from "../../core/half.ts";
import type { Heap } from "../heap.ts";
import type { HeedKernel } from "../register.ts";

interface HalfAttributes {
  readonly type: HalfType;
  /** Of what was packed. */
  readonly shape: number[];
}

const KERNELS = {
  pack: { float16: "packFloat16", bfloat16: "packBfloat16" },
  unpack: { float16: "unpackFloat16", bfloat16: "unpackBfloat16" },
  round: { float16: "roundFloat16", bfloat16: "roundBfloat16" },
} as const;

/** Runs a kernel of assembly/half.ts from one tensor to another, or in place, on numbers of this shape. */
export function runHalf(
  act: keyof typeof KERNELS,
  type: HalfType,
  { from, to, shape }: { from: TensorInfo; to: TensorInfo; shape: number[] },
  heap: Heap,
): void {
  heap.kernels[KERNELS[act][type]]!(heap.address(from), heap.address(to), util.sizeFromShape(shape));
}

/** Two 16-bit numbers in each word. */
export const packHalf: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x!;
  const { type } = attrs as unknown as HalfAttributes;
  const words = heap.output("packHalf", [Math.ceil(util.sizeFromShape(x.shape) / 2)], "int32");
  runHalf("pack", type, { from: x, to: words, shape: x.shape }, heap);
  return words;
};

/** Their float32. */
export const unpackHalf: HeedKernel = ({ inputs, attrs, heap }) => {
  const { type, shape } = attrs as unknown as HalfAttributes;
  const out = heap.output("unpackHalf", shape);
  runHalf("unpack", type, { from: inputs.words!, to: out, shape }, heap);
  return out;
};

/** float32 rounded to what 16 bits hold. */
export const roundHalf: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x!;
  const out = heap.output("roundHalf", x.shape);
  runHalf("round", (attrs as unknown as HalfAttributes).type, { from: x, to: out, shape: x.shape }, heap);
  return out;
};
