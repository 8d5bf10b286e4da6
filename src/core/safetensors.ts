/**
 * The safetensors file format (github.com/huggingface/safetensors, README § Format), both ways.
 *
 *     8 bytes   N, the length of the header: unsigned, little-endian
 *     N bytes   UTF-8 JSON: { "__metadata__"?: {string: string}, name: {dtype, shape, data_offsets: [begin, end]} }
 *     the rest  the tensors' bytes: row-major, little-endian, back to back, no hole and no overlap
 *
 * The writer gives the same bytes for the same content whatever the order of the keys: as in the reference
 * implementation, wide types come first and then names in order, and spaces pad the header to 8 bytes, so every
 * tensor is aligned. The reader believes nothing: any fault is a `DataError`, DAMAGED, or UNSUPPORTED for a type that
 * JavaScript has no array for, and it allocates only in proportion to the bytes it was given.
 */
import { DataError } from "./errors.ts";
import { size } from "./notation.ts";
import {
  type DecodeOptions,
  LENGTH_BYTES,
  METADATA,
  parseSafetensorsHeader,
  safetensorsHeaderBytes,
  sizeOf,
  unsupportedType,
} from "./safetensors-header.ts";

export type { DecodeOptions } from "./safetensors-header.ts";

/**
 * Each type as JavaScript holds it. F16 and BF16 are bit patterns (`decodeFloat16` and `decodeBfloat16` read them), BOOL
 * is 0 or 1.
 */
export interface SafetensorsArrays {
  U64: BigUint64Array;
  I64: BigInt64Array;
  F64: Float64Array;
  F32: Float32Array;
  U32: Uint32Array;
  I32: Int32Array;
  BF16: Uint16Array;
  F16: Uint16Array;
  U16: Uint16Array;
  I16: Int16Array;
  I8: Int8Array;
  U8: Uint8Array;
  BOOL: Uint8Array;
}
export type SafetensorsType = keyof SafetensorsArrays;
/** One tensor; `data.length` is the product of `shape` (1 for a scalar, whose shape is `[]`). */
export type SafetensorsTensor = {
  [K in SafetensorsType]: { dtype: K; shape: number[]; data: SafetensorsArrays[K] };
}[SafetensorsType];
export interface SafetensorsFile {
  /** Has no prototype, so a lookup finds only what the file holds. */
  tensors: Record<string, SafetensorsTensor>;
  metadata: Record<string, string>;
}

/** In the order of the file: widest first, so that alignment needs no padding between tensors. */
const ARRAYS = {
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
  F32: Float32Array,
  U32: Uint32Array,
  I32: Int32Array,
  BF16: Uint16Array,
  F16: Uint16Array,
  U16: Uint16Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;
type MakeArray = new (
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
) => SafetensorsTensor["data"];
const TYPES = new Map(
  Object.entries(ARRAYS).map(([dtype, make], rank) => [
    dtype,
    { rank, bytes: make.BYTES_PER_ELEMENT, make: make as MakeArray },
  ]),
);
const KNOWN = [...TYPES.keys()].join(", ");

/**
 * @param tensors name → type, shape and values
 * @param metadata free text about the file, by name
 * @returns the file's bytes, the same for the same content
 * @throws DataError FORMAT when a shape and its data disagree or a name is reserved
 *
 * @example
 * const bytes = encodeSafetensors({ w: { dtype: "F32", shape: [2, 3], data: new Float32Array(6) } }, { step: "7" });
 */
export function encodeSafetensors(
  tensors: Record<string, SafetensorsTensor>,
  metadata: Record<string, string> = {},
): Uint8Array {
  for (const [name, tensor] of Object.entries(tensors)) checkTensor(name, tensor);
  const { header, order } = safetensorsHead(tensors, metadata);
  const total = order.reduce((sum, name) => sum + tensors[name]!.data.byteLength, header.length);
  const bytes = new Uint8Array(total);
  bytes.set(header);
  let at = header.length;
  for (const name of order) {
    const { data } = tensors[name]!;
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * What a file begins with, for who writes tensors one at a time: the bytes before the first of them, and their order.
 *
 * @throws DataError FORMAT when a name is reserved
 */
export function safetensorsHead(
  tensors: Readonly<Record<string, { readonly dtype: SafetensorsType; readonly shape: readonly number[] }>>,
  metadata: Readonly<Record<string, string>> = {},
): { header: Uint8Array; order: string[] } {
  const entries = Object.entries(tensors).sort(
    ([a, x], [b, y]) => (TYPES.get(x.dtype)?.rank ?? 0) - (TYPES.get(y.dtype)?.rank ?? 0) || (a < b ? -1 : 1),
  );
  const fields: string[] = [];
  const notes = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (notes.length > 0) {
    for (const [name, text] of notes) checkNote(name, text);
    const body = notes.map(([name, text]) => `${JSON.stringify(name)}:${JSON.stringify(text)}`);
    fields.push(`"${METADATA}":{${body.join(",")}}`);
  }
  let end = 0;
  for (const [name, { dtype, shape }] of entries) {
    checkName(name);
    const begin = end;
    end += TYPES.get(dtype)!.bytes * size(shape);
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
  }
  const text = new TextEncoder().encode(`{${fields.join(",")}}`);
  const length = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, LENGTH_BYTES);
  return { header, order: entries.map(([name]) => name) };
}

function refuse(name: string, rule: string, got: string): never {
  const remedy = "correct that entry";
  throw new DataError("FORMAT", {
    op: "encodeSafetensors",
    rule,
    got: `${got} for "${name}"`,
    remedy,
    name,
  });
}

function checkNote(name: string, text: unknown): void {
  if (name === "__proto__" || typeof text !== "string") {
    refuse(name, "metadata must be strings under names other than __proto__", typeof text);
  }
}

function checkName(name: string): void {
  if (name === METADATA || name === "__proto__") refuse(name, "a tensor's name must not be reserved", name);
}

function checkTensor(name: string, { dtype, shape, data }: SafetensorsTensor): void {
  const fail = (rule: string, got: string): never => refuse(name, rule, got);
  checkName(name);
  const type = TYPES.get(dtype) ?? fail(`dtype must be one of ${KNOWN}`, String(dtype));
  if (!(data instanceof type.make)) fail(`${dtype} data must be a ${type.make.name}`, data.constructor.name);
  const size = sizeOf(shape) ?? fail("shape must hold whole numbers from 0", `[${shape}]`);
  if (size !== data.length) fail(`shape [${shape}] needs ${size} values`, `${data.length}`);
}

/**
 * @param bytes a whole file
 * @returns its tensors, as views of `bytes` where the alignment allows and copies elsewhere, and its metadata
 * @throws DataError DAMAGED for every kind of damage, LIMIT for a header that takes too much memory, UNSUPPORTED for a type that JavaScript has no array for: floats below 16 bits, complex numbers
 *
 * @example
 * const { tensors, metadata } = decodeSafetensors(await readFile("model.safetensors"));
 */
export function decodeSafetensors(bytes: Uint8Array, options: DecodeOptions = {}): SafetensorsFile {
  const dataStart = LENGTH_BYTES + safetensorsHeaderBytes(bytes.subarray(0, LENGTH_BYTES), bytes.length);
  const header = bytes.subarray(LENGTH_BYTES, dataStart);
  const { metadata, places } = parseSafetensorsHeader(header, bytes.length - dataStart, options);
  const tensors: Record<string, SafetensorsTensor> = Object.create(null);
  for (const { name, dtype, shape, begin, end } of places) {
    const type = TYPES.get(dtype);
    if (!type) throw unsupportedType("safetensors", name, dtype, KNOWN);
    const at = bytes.byteOffset + dataStart + begin;
    const length = (end - begin) / type.bytes;
    const data =
      at % type.bytes === 0
        ? new type.make(bytes.buffer, at, length)
        : new type.make(new Uint8Array(bytes.subarray(dataStart + begin, dataStart + end)).buffer, 0, length);
    tensors[name] = { dtype, shape, data } as SafetensorsTensor;
  }
  return { tensors, metadata };
}
