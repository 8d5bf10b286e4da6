/** A memory in which every byte that is nobody's is known. */

const PAGES = 8;
const CANARY_BYTES = 16;
/** Bytes that differ from place to place, so that copying one too many is seen. */
export const CANARIES = Buffer.from(
  Uint8Array.from({ length: PAGES * 65536 }, (_, at) => Math.imul(at + 1, 0x9e3779b1) >>> 24),
);

/** Places inputs of zeros and outputs in a memory full of canaries, at least 16 of them around each. */
export class Area {
  readonly memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
  readonly bytes = Buffer.from(this.memory.buffer);
  readonly outs: [from: number, to: number][] = [];
  #end = CANARY_BYTES;

  constructor() {
    this.bytes.set(CANARIES);
  }

  /** Elements of 4 bytes (or of `width`), all zero. */
  in(elements: number, width = 4): number {
    const at = this.#place(elements * width);
    this.bytes.fill(0, at, at + elements * width);
    return at;
  }

  /** The same, which the kernel may write. */
  out(elements: number, width = 4): number {
    const at = this.in(elements, width);
    this.outs.push([at, at + elements * width]);
    return at;
  }

  #place(bytes: number): number {
    const at = this.#end;
    this.#end = Math.ceil((at + bytes + CANARY_BYTES) / CANARY_BYTES) * CANARY_BYTES;
    return at;
  }
}
