/**
 * Watches what a WebAssembly heap hands out: new memory holds nonsense, so that a kernel which leaves its output as it
 * was gives itself away, and each piece ends in a mark, so that one which writes past the end does too.
 */
const MARK = 0xcd;
const NONSENSE = 0xab;
const MARK_BYTES = 16;

export class Guard {
  /** @type {Map<number, number>} */
  #pieces = new Map();
  #module;
  #broken = 0;

  constructor(
    /** @type {{ _malloc(bytes: number): number, _free(at: number): void, HEAPU8: Uint8Array }} */ module,
  ) {
    this.#module = module;
    const { _malloc: malloc, _free: free } = module;
    module._malloc = (bytes) => {
      const at = malloc(bytes + MARK_BYTES) >>> 0;
      module.HEAPU8.fill(NONSENSE, at, at + bytes).fill(MARK, at + bytes, at + bytes + MARK_BYTES);
      this.#pieces.set(at, bytes);
      return at;
    };
    module._free = (at) => {
      if (this.#pieces.has(at >>> 0)) this.#look(at >>> 0);
      this.#pieces.delete(at >>> 0);
      free(at);
    };
  }

  #look(/** @type {number} */ at) {
    const end = at + (this.#pieces.get(at) ?? 0);
    const mark = this.#module.HEAPU8.subarray(end, end + MARK_BYTES);
    if (mark.some((byte) => byte !== MARK)) this.#broken++;
    mark.fill(MARK);
  }

  /** How many pieces were written past their end since it was last asked. */
  broken() {
    for (const at of this.#pieces.keys()) this.#look(at);
    const count = this.#broken;
    this.#broken = 0;
    return count;
  }
}
