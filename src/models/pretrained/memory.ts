/** What a model takes in memory, and what there is, before any of it is read. */
import type { TensorInfo } from "../../checkpoints/checkpoint.ts";
import { DataError } from "../../core/errors.ts";
import { size } from "../../core/notation.ts";
import type { ParameterSpec } from "../parameters.ts";

/** Where WebAssembly's heap ends, which holds every parameter. */
const HEAP_BYTES = 2 ** 32;
const FLOAT_BYTES = 4;

export interface LoadingMemory {
  /** Of the loaded model. */
  readonly resident: number;
  /** Of the model and its largest tensor, which is there as the file has it and as float32 while it is read. */
  readonly peak: number;
}

/** Five bits of a file take ten in memory (kernels/quantized), and no form takes more than that. */
const MOST_STORED = 2;

/**
 * @param tensors those of the file that are read
 * @param weights whether matrices stay as the file has them; then these are upper bounds
 */
export function loadingMemory(
  specs: Readonly<Record<string, Pick<ParameterSpec, "shape">>>,
  tensors: Iterable<TensorInfo>,
  weights: "float32" | "stored" = "float32",
): LoadingMemory {
  let resident = Object.values(specs).reduce((sum, { shape }) => sum + FLOAT_BYTES * size(shape), 0);
  let largest = 0;
  for (const { bytes, shape } of tensors) {
    const floats = FLOAT_BYTES * size(shape);
    largest = Math.max(largest, bytes + floats);
    if (weights === "stored") resident -= Math.max(0, floats - MOST_STORED * bytes);
  }
  return { resident, peak: resident + largest };
}

/** What a process may still take, in bytes: less than the machine has where it was given a limit. Infinity in a page. */
export function freeMemory(): number {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  // macOS counts as free what nobody has used yet, and gives what files are cached in as well.
  if (process?.platform === "darwin") return process.getBuiltinModule?.("node:os").totalmem() ?? Infinity;
  return process?.availableMemory?.() ?? Infinity;
}

/** @throws DataError LIMIT for a model that has no room, before any of it is read */
export function checkMemory(op: string, { resident, peak }: LoadingMemory, mostBytes = freeMemory()): void {
  const isHeap = resident > HEAP_BYTES;
  if (!isHeap && peak <= mostBytes) return;
  throw new DataError("LIMIT", {
    op,
    rule: isHeap
      ? `a model must take at most the ${HEAP_BYTES} bytes that WebAssembly has`
      : `a model must fit in the ${mostBytes} bytes of memory that are free`,
    got: `one that takes ${isHeap ? resident : peak}`,
    remedy: isHeap ? "choose a smaller one" : "close other programs, or choose a smaller one",
    resident,
    peak,
    ...(isHeap ? {} : { free: mostBytes }),
  });
}
