import { type Fault, MemoryError } from "../../core/errors.ts";
import { highWater } from "./high-water.ts";

const PAGE = 65536;
/** The kernels may read this far past an array's end, never write there. */
const SLACK = 1024;

/** What does not fit, and what to do about it. */
export type Overflow = Pick<Fault, "rule" | "remedy">;

const OPERANDS: Overflow = {
  rule: "the operands of one group of heads must fit in a WebAssembly memory of at most 4 GiB",
  remedy: "use fewer queries at a time with queryOffset, or free memory",
};

/**
 * Arrays side by side in one WebAssembly memory: `take` them all, `reserve` once, then make views. Nothing is freed;
 * each call starts over, so the memory is as large as the largest call needed.
 */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly #start: number;
  #top = 0;

  /** Arrays begin at `start`, for who keeps something below. */
  constructor(memory: WebAssembly.Memory, start = 0) {
    this.memory = memory;
    this.#start = start;
    this.reset();
  }

  /** Forgets every array. */
  reset(): void {
    this.#top = this.#start + SLACK;
  }

  /** Forgets the array at this address, which was the last one taken. */
  giveBack(address: number): void {
    this.#top = address;
  }

  /** The address of `bytes` new bytes, on a cache line. */
  take(bytes: number): number {
    const address = this.#top;
    this.#top = Math.ceil((address + bytes) / 64) * 64 + 64;
    return address;
  }

  /** The address of n floats. */
  floats(n: number): number {
    return this.take(4 * n);
  }

  /** The bytes taken since the last reset, what may be read past them included. */
  get bytes(): number {
    return this.#top + SLACK - this.#start;
  }

  /**
   * Grows the memory until everything taken fits.
   *
   * @throws MemoryError MEMORY beyond 4 GiB, or when the machine refuses
   */
  reserve(op: string, overflow = OPERANDS): void {
    highWater.bytes = Math.max(highWater.bytes, this.bytes);
    const bytes = this.#top + SLACK;
    const pages = Math.ceil(bytes / PAGE) - this.memory.buffer.byteLength / PAGE;
    if (pages <= 0) return;
    try {
      if (bytes > PAGE * PAGE) throw new RangeError("beyond 4 GiB");
      this.memory.grow(pages);
    } catch (cause) {
      const fault = { op, bytes, ...overflow, got: `${bytes} bytes that could not be had` };
      throw new MemoryError("MEMORY", fault, { cause });
    }
  }

  f32(address: number, n: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, n);
  }

  u8(address: number, n: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, n);
  }
}
