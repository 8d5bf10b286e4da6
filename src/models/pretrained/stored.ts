import type { Checkpoint } from "../../checkpoints/checkpoint.ts";
import { HALF, type HalfType } from "../../core/half.ts";
import { columnsOf, type PackedForm, type PackedRows } from "../../kernels/quantized/forms.ts";
import { PACKED_TYPES, packBlocks } from "../../kernels/quantized/pack.ts";
import { hasPackedKernels } from "../../ops/packed.ts";

/** Parameters that are multiplied with, or whose rows are looked up. */
const TABLE = /(^|\/)weight$|^embedding\/token$/;

const HALVES: Readonly<Record<string, { type: HalfType; form: PackedForm }>> = {
  F16: { type: "float16", form: "Float16" },
  BF16: { type: "bfloat16", form: "Bfloat16" },
};

/** Whether a parameter of this shape may stay as a file has it. */
export function mayStayStored(
  parameter: string,
  shape: readonly number[],
): shape is readonly [number, number] {
  return shape.length === 2 && TABLE.test(parameter) && hasPackedKernels();
}

/** A quantised matrix as the file has it; undefined where its type or shape is another. */
export async function storedBlocks(
  checkpoint: Checkpoint,
  name: string,
  shape: readonly [number, number],
): Promise<PackedRows | undefined> {
  const info = checkpoint.tensors.get(name)!;
  if (!(checkpoint.readStored && PACKED_TYPES.includes(info.dtype) && String(info.shape) === String(shape)))
    return undefined;
  return packBlocks(info.dtype, await checkpoint.readStored(name), shape);
}

/** Values that a file has in 16 bits, in 16 bits again; undefined where it has others. Nothing is rounded. */
export function storedHalves(
  dtype: string,
  values: Float32Array,
  [, I]: readonly [number, number],
): PackedRows | undefined {
  const half = Object.hasOwn(HALVES, dtype) ? HALVES[dtype] : undefined;
  if (!half || I % columnsOf(half.form) !== 0 || !areFinite(values)) return undefined;
  const halves = HALF[half.type].encode(values);
  return { form: half.form, words: new Int32Array(halves.buffer, halves.byteOffset, halves.length / 2) };
}

function areFinite(values: Float32Array): boolean {
  for (let n = 0; n < values.length; n++) if (!Number.isFinite(values[n])) return false;
  return true;
}
