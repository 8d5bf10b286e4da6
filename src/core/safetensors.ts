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
import { isObject } from "./is-object.ts";
import { jsonCost } from "./json-cost.ts";

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
/** What a type is called, known or not: F8_E4M3, F4, C64. */
const TYPE_NAME = /^[A-Z][A-Z\d_]{0,15}$/;

const METADATA = "__metadata__";
const MAX_HEADER_BYTES = 100_000_000;

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
  for (const [name, tensor] of entries) {
    const begin = end;
    end += checkTensor(name, tensor);
    const { dtype, shape } = tensor;
    const entry = JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
    fields.push(`${JSON.stringify(name)}:${entry}`);
  }
  const header = new TextEncoder().encode(`{${fields.join(",")}}`);
  const headerBytes = Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerBytes + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, 8, 8 + headerBytes);
  bytes.set(header, 8);
  let at = 8 + headerBytes;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
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

function checkTensor(name: string, { dtype, shape, data }: SafetensorsTensor): number {
  const fail = (rule: string, got: string): never => refuse(name, rule, got);
  if (name === METADATA || name === "__proto__") fail("a tensor's name must not be reserved", name);
  const type = TYPES.get(dtype) ?? fail(`dtype must be one of ${KNOWN}`, String(dtype));
  if (!(data instanceof type.make)) fail(`${dtype} data must be a ${type.make.name}`, data.constructor.name);
  const size = sizeOf(shape) ?? fail("shape must hold whole numbers from 0", `[${shape}]`);
  if (size !== data.length) fail(`shape [${shape}] needs ${size} values`, `${data.length}`);
  return data.byteLength;
}

/** How many values a shape holds; undefined when it is not a shape or too large to count exactly. */
function sizeOf(shape: readonly unknown[]): number | undefined {
  let size = 1;
  for (const length of shape) {
    if (!isWhole(length)) return undefined;
    size *= length;
    if (!Number.isSafeInteger(size)) return undefined;
  }
  return size;
}

const isWhole = (x: unknown): x is number =>
  Number.isSafeInteger(x) && (x as number) >= 0 && !Object.is(x, -0);

function malformed(rule: string, got: string): never {
  const remedy = "the file is damaged or was made by something else, write or download it again";
  throw new DataError("DAMAGED", {
    op: "safetensors",
    rule,
    got: got.length > 80 ? `${got.slice(0, 80)}…` : got,
    remedy,
  });
}

/**
 * @param bytes a whole file
 * @returns its tensors, as views of `bytes` where the alignment allows and copies elsewhere, and its metadata
 * @throws DataError DAMAGED for every kind of damage, LIMIT for a header that takes too much memory, UNSUPPORTED for a type that JavaScript has no array for (F8, F4)
 *
 * @example
 * const { tensors, metadata } = decodeSafetensors(await readFile("model.safetensors"));
 */
export function decodeSafetensors(bytes: Uint8Array, options: DecodeOptions = {}): SafetensorsFile {
  if (bytes.length < 8)
    malformed("a file must begin with the 8 bytes of its header length", `${bytes.length} bytes`);
  const headerBytes = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  const room = Math.min(bytes.length - 8, MAX_HEADER_BYTES);
  if (headerBytes > BigInt(room))
    malformed(`the header must fit in ${room} bytes`, `a length of ${headerBytes}`);
  const dataStart = 8 + Number(headerBytes);
  const header = parseHeader(bytes.subarray(8, dataStart), options);

  const metadata: Record<string, string> = Object.create(null);
  const places: Place[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) Object.assign(metadata, checkMetadata(entry));
    else places.push(checkEntry(name, entry, bytes.length - dataStart));
  }
  checkLayout(places, bytes.length - dataStart);

  const tensors: Record<string, SafetensorsTensor> = Object.create(null);
  for (const { name, dtype, shape, begin, end } of places) {
    const type = TYPES.get(dtype)!;
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

export interface DecodeOptions {
  /** The most memory that the parsed header may take, in bytes; tensors are views and take none. @default 2³⁰ */
  readonly mostBytes?: number | undefined;
}

interface Place {
  name: string;
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

function parseHeader(bytes: Uint8Array, { mostBytes = 2 ** 30 }: DecodeOptions): Record<string, unknown> {
  if (bytes[0] !== 0x7b)
    malformed("the header must begin with {", bytes.length ? `byte ${bytes[0]}` : "no header");
  checkCost(bytes, mostBytes);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    return malformed("the header must be JSON in UTF-8", (error as Error).message);
  }
  checkNames(text);
  return header as Record<string, unknown>;
}

/** Deeper text could exhaust the memory of the parser, and the stack of whoever prints it. */
function checkCost(header: Uint8Array, mostBytes: number): void {
  const { depth, bytes } = jsonCost(header);
  if (depth > 3) malformed("the header must nest at most 3 brackets", "more");
  if (bytes <= mostBytes) return;
  const rule = `the header must take at most ${mostBytes} bytes of memory to read`;
  const remedy = "raise mostBytes where there is room";
  throw new DataError("LIMIT", { op: "safetensors", rule, got: `about ${bytes}`, remedy });
}

/** JSON.parse keeps the last of two equal names and says nothing, so the (valid) text is read once more. */
function checkNames(text: string): void {
  const open: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "{" || c === "[") open.push(new Set());
    else if (c === "}" || c === "]") open.pop();
    else if (c === '"') {
      const begin = i++;
      while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
      const end = i + 1;
      while (isSpace(text[i + 1])) i++;
      if (text[i + 1] === ":") addName(open.at(-1)!, JSON.parse(text.slice(begin, end)));
    }
  }
}

const isSpace = (c: string | undefined): boolean => c === " " || c === "\n" || c === "\r" || c === "\t";

function addName(names: Set<string>, name: string): void {
  if (name === "__proto__") malformed("no name may be __proto__", "one");
  if (names.has(name)) malformed("a name must appear once", `"${name}" twice`);
  names.add(name);
}

function checkMetadata(entry: unknown): Record<string, string> {
  if (!isObject(entry) || Object.values(entry).some((text) => typeof text !== "string"))
    malformed(`${METADATA} must map names to strings`, JSON.stringify(entry));
  return entry as Record<string, string>;
}

function checkEntry(name: string, entry: unknown, dataBytes: number): Place {
  const title = name.length > 60 ? `${name.slice(0, 60)}…` : name;
  if (!isObject(entry)) return malformed(`"${title}" must be an object`, JSON.stringify(entry));
  const { dtype, shape, data_offsets: offsets } = entry;
  const type = typeof dtype === "string" ? TYPES.get(dtype) : undefined;
  if (!type) {
    const rule = `the dtype of "${title}" must be one of ${KNOWN}`;
    if (typeof dtype !== "string" || !TYPE_NAME.test(dtype))
      return malformed(rule, String(JSON.stringify(dtype)));
    const remedy = "convert that tensor to BF16, F16 or F32";
    throw new DataError("UNSUPPORTED", { op: "safetensors", rule, got: dtype, remedy, name, dtype });
  }
  const size = Array.isArray(shape) ? sizeOf(shape) : undefined;
  if (size === undefined)
    return malformed(`the shape of "${title}" must hold whole numbers from 0`, String(JSON.stringify(shape)));
  const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  if (!isWhole(begin) || !isWhole(end) || begin > end || end > dataBytes)
    return malformed(
      `the data_offsets of "${title}" must be two ordered places in ${dataBytes} bytes`,
      String(JSON.stringify(offsets)),
    );
  if (end - begin !== size * type.bytes)
    return malformed(`"${title}" must have ${size} values of ${type.bytes} bytes`, `${end - begin} bytes`);
  return { name, dtype: dtype as string, shape: shape as number[], begin, end };
}

function checkLayout(places: readonly Place[], dataBytes: number): void {
  let at = 0;
  for (const { name, begin, end } of [...places].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      malformed(`tensors must lie back to back: "${name.slice(0, 60)}" must begin at ${at}`, `${begin}`);
    at = end;
  }
  if (at !== dataBytes) malformed(`the tensors must fill the ${dataBytes} bytes of data`, `${at} bytes`);
}
