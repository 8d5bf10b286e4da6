/** Numbers as files keep them, to float32. */
import { decodeBfloat16 } from "../core/bfloat16.ts";
import { decodeFloat16 } from "../core/float16.ts";
import { unsupported } from "./bytes.ts";

type Decode = (bytes: Uint8Array) => Float32Array;

/** The bytes at a place where an array of wider numbers may begin. */
function aligned(bytes: Uint8Array, width: number): Uint8Array {
  return bytes.byteOffset % width === 0 ? bytes : bytes.slice();
}

type Numbers<T> = { readonly BYTES_PER_ELEMENT: number; new (b: ArrayBufferLike, at: number, n: number): T };

function view<T>(Type: Numbers<T>, given: Uint8Array): T {
  const bytes = aligned(given, Type.BYTES_PER_ELEMENT);
  return new Type(bytes.buffer, bytes.byteOffset, bytes.length / Type.BYTES_PER_ELEMENT);
}

const numbers =
  (Type: Numbers<ArrayLike<number>>): Decode =>
  (bytes) =>
    Float32Array.from(view(Type, bytes));
const bigNumbers =
  (Type: Numbers<BigInt64Array | BigUint64Array>): Decode =>
  (bytes) =>
    Float32Array.from(view(Type, bytes), Number);

/** Numbers of 8 bits: sign, `exponentBits` with `bias`, the rest a fraction (OCP 8-bit Floating Point 1.0, 2023). */
function decodeFloat8(exponentBits: number, bias: number, hasInfinity: boolean): Decode {
  const fractionBits = 7 - exponentBits;
  const table = Float32Array.from({ length: 256 }, (_, bits) => {
    const sign = bits & 0x80 ? -1 : 1;
    const exponent = (bits & 0x7f) >> fractionBits;
    const fraction = (bits & ((1 << fractionBits) - 1)) / (1 << fractionBits);
    const isLast = exponent === (1 << exponentBits) - 1;
    if (isLast && hasInfinity) return fraction === 0 ? sign * Infinity : NaN;
    if ((bits & 0x7f) === 0x7f) return NaN;
    return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
  });
  return (bytes) => Float32Array.from(bytes, (byte) => table[byte]!);
}

const DECODERS: Readonly<Record<string, Decode>> = {
  F64: numbers(Float64Array),
  F32: (bytes) => view(Float32Array, bytes),
  F16: (bytes) => decodeFloat16(view(Uint16Array, bytes)),
  BF16: (bytes) => decodeBfloat16(view(Uint16Array, bytes)),
  F8_E4M3: decodeFloat8(4, 7, false),
  F8_E5M2: decodeFloat8(5, 15, true),
  I64: bigNumbers(BigInt64Array),
  U64: bigNumbers(BigUint64Array),
  I32: numbers(Int32Array),
  U32: numbers(Uint32Array),
  I16: numbers(Int16Array),
  U16: numbers(Uint16Array),
  I8: numbers(Int8Array),
  U8: numbers(Uint8Array),
  BOOL: numbers(Uint8Array),
};

/** Bytes of one number of each type that is read. */
export const BYTES_OF: Readonly<Record<string, number>> = {
  ...{ F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, U32: 4, F16: 2, BF16: 2, I16: 2, U16: 2 },
  ...{ F8_E4M3: 1, F8_E5M2: 1, I8: 1, U8: 1, BOOL: 1 },
};

/**
 * Little-endian numbers of a type as float32; integers beyond 2²⁴ are rounded.
 *
 * @param name the tensor, for the error
 * @throws DataError UNSUPPORTED naming the type
 */
export function toFloat32(file: string, name: string, dtype: string, bytes: Uint8Array): Float32Array {
  const decode = Object.hasOwn(DECODERS, dtype) ? DECODERS[dtype] : undefined;
  if (decode) return decode(bytes);
  const rule = `the dtype of "${name}" must be one of ${Object.keys(DECODERS).join(", ")}`;
  throw unsupported(file, rule, dtype, "convert that tensor to BF16, F16 or F32");
}
