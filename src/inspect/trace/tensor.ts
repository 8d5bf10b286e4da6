import { decodeBfloat16 } from "../../core/bfloat16.ts";
import { decodeFloat16, encodeFloat16 } from "../../core/float16.ts";
import { size } from "../../core/notation.ts";
import type { SafetensorsTensor } from "../../core/safetensors.ts";
import { checkElements } from "../check.ts";
import { decodeU8Log, encodeU8Log, U8LOG_MASKED, u8logTable } from "../u8log.ts";

/** How numbers are stored, and the array that holds them. */
interface Stored {
  f64: Float64Array;
  f32: Float32Array;
  f16: Uint16Array;
  u8log: Uint8Array;
  bool: Uint8Array;
}
export type Encoding = keyof Stored;

const DTYPES = { f64: "F64", f32: "F32", f16: "F16", u8log: "U8", bool: "BOOL" } as const;

/** Numbers of a trace as they are stored. Nothing is converted before it is asked for, and nothing is kept then. */
export class TraceTensor<E extends Encoding = Encoding> {
  readonly shape: readonly number[];
  readonly encoding: E;
  /** The stored codes, row-major: a view of the file where its bytes are aligned. */
  readonly data: Stored[E];

  constructor(shape: readonly number[], encoding: E, data: Stored[E]) {
    this.shape = shape;
    this.encoding = encoding;
    this.data = data;
  }

  get length(): number {
    return this.data.length;
  }

  /** One number, decoded. */
  at(index: number): number {
    const code = this.data[index]!;
    if (this.encoding === "f16") return decodeFloat16(Uint16Array.of(code))[0]!;
    return this.encoding === "u8log" ? u8logTable()[code]! : code;
  }

  /** Numbers from begin up to end in float32: a view where they are stored so, else decoded for this call. */
  slice(begin = 0, end = this.length): Float32Array {
    const part = this.data.subarray(begin, end);
    if (part instanceof Float32Array) return part;
    if (part instanceof Uint16Array) return decodeFloat16(part);
    if (part instanceof Float64Array || this.encoding === "bool") return Float32Array.from(part);
    return decodeU8Log(part);
  }

  /** Whether this element is a hidden key; only `u8log` can say so. */
  isMasked(index: number): boolean {
    return this.encoding === "u8log" && this.data[index] === U8LOG_MASKED;
  }

  /** As a file of safetensors has it. */
  stored(): SafetensorsTensor {
    return { dtype: DTYPES[this.encoding], shape: [...this.shape], data: this.data } as SafetensorsTensor;
  }
}

/** The tensor of a safetensors file; undefined for a type that no trace has. Bytes are `u8log`, or `bool` in a mask. */
export function fromSafetensors({ dtype, shape, data }: SafetensorsTensor): TraceTensor | undefined {
  if (dtype === "BF16") return new TraceTensor(shape, "f32", decodeBfloat16(data));
  for (const [encoding, name] of Object.entries(DTYPES)) {
    if (name === dtype) return new TraceTensor(shape, encoding as Encoding, data as Stored[Encoding]);
  }
  return undefined;
}

/**
 * Numbers for a trace.
 *
 * @param values row-major; those of `u8log` from 0 to 1; a Float32Array is shared, not copied
 * @param visible for `u8log`: true or 1 where a query may attend
 * @throws ShapeError SHAPE when the values are not as many as the shape says
 * @example
 * const weights = traceTensor([1, 1, 2], [0.25, 0.75], "f16");
 * weights.slice(); // Float32Array [0.25, 0.75]
 */
export function traceTensor(
  shape: readonly number[],
  values: ArrayLike<number>,
  encoding: Encoding = "f32",
  visible?: ArrayLike<number | boolean>,
): TraceTensor {
  checkElements("traceTensor", "values", shape.join("·") || "1", size(shape), values.length);
  const float32 = () => (values instanceof Float32Array ? values : Float32Array.from(values));
  switch (encoding) {
    case "f64":
      return new TraceTensor(shape, encoding, Float64Array.from(values));
    case "f32":
      return new TraceTensor(shape, encoding, float32());
    case "f16":
      return new TraceTensor(shape, encoding, encodeFloat16(float32()));
    case "u8log":
      return new TraceTensor(shape, encoding, encodeU8Log(values, visible));
    case "bool":
      return new TraceTensor(
        shape,
        encoding,
        Uint8Array.from(values, (x) => (x ? 1 : 0)),
      );
  }
}
