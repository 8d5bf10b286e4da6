/** How kernels take many numbers at once: fields of four bytes each, in order; "f" is a float32, "i" an integer or an address. */
export type Fields = Record<string, "f" | "i">;

/** Writes the fields of a struct that a kernel reads. */
export class Struct<F extends Fields> {
  readonly fields: F;
  readonly #places: ReadonlyMap<string, { kind: "f" | "i"; index: number }>;

  constructor(fields: F) {
    this.fields = fields;
    this.#places = new Map(Object.entries(fields).map(([name, kind], index) => [name, { kind, index }]));
  }

  get bytes(): number {
    return 4 * this.#places.size;
  }

  /** Writes these fields of the struct at `address`; the others keep their values. */
  write(buffer: ArrayBufferLike, address: number, values: Partial<Record<keyof F, number>>): void {
    const integers = new Int32Array(buffer, address, this.#places.size);
    const floats = new Float32Array(buffer, address, this.#places.size);
    for (const name in values) {
      const { kind, index } = this.#places.get(name)!;
      if (kind === "f") floats[index] = values[name]!;
      else integers[index] = values[name]!;
    }
  }
}
