/** The types whose making is counted. */
const TYPES = [
  "Float32Array",
  "Float64Array",
  "Uint8Array",
  "Uint16Array",
  "Uint32Array",
  "Int32Array",
  "BigInt64Array",
  "ArrayBuffer",
] as const;

/** Runs something and adds up the bytes of all typed arrays that it makes; views of what there is are free. */
export function countAllocations<R>(run: () => R): { bytes: number; result: R } {
  const globals = globalThis as unknown as Record<string, new (...args: unknown[]) => ArrayBuffer>;
  const originals = TYPES.map((name) => globals[name]!);
  let bytes = 0;
  for (const original of originals) {
    globals[original.name] = new Proxy(original, {
      construct: (type, args) => {
        const made = Reflect.construct(type, args) as ArrayBuffer;
        if (!(args[0] instanceof ArrayBuffer)) bytes += made.byteLength;
        return made;
      },
    });
  }
  try {
    const result = run();
    return { result, bytes };
  } finally {
    for (const original of originals) globals[original.name] = original;
  }
}
