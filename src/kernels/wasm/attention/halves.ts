/**
 * Operands of 16 bits a number: they cross to the kernels' memory as they are, half the bytes, and become floats there,
 * where the kernels then read them. A call of one thread brings them head by head, into memory that stays in the
 * cache.
 */
import { HALF, type HalfType } from "../../../core/half.ts";
import type { KernelSpace } from "../space.ts";
import type { InputArray } from "./operands.ts";

/** Writes halves as floats to an address of the kernels' memory. */
export function expandInto({ kernels, memory }: KernelSpace, type: HalfType) {
  const unpack = type === "float16" ? kernels.unpackFloat16! : kernels.unpackBfloat16!;
  return (halves: Uint16Array, address: number): void => {
    const n = halves.length;
    // The upper half of the floats' own place: eight halves are read before the eight floats over them are written.
    const from = address + 2 * n;
    new Uint16Array(memory.buffer, from, n).set(halves);
    unpack(from, address, n);
  };
}

export function floatsOf(x: InputArray, half: HalfType | undefined): Float32Array {
  return x instanceof Uint16Array ? HALF[half!].decode(x) : x;
}
