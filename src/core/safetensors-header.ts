/** The header of a safetensors file: names, types, shapes and places, believed in nothing. */
import { DataError } from "./errors.ts";
import { isObject } from "./is-object.ts";
import { jsonCost } from "./json-cost.ts";

/** Bits of one value of each type of the format. */
const BITS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...{ C64: 64, U64: 64, I64: 64, F64: 64, F32: 32, U32: 32, I32: 32, BF16: 16, F16: 16, U16: 16, I16: 16 },
    ...{ F8_E8M0: 8, F8_E4M3: 8, F8_E5M2: 8, I8: 8, U8: 8, BOOL: 8, F6_E2M3: 6, F6_E3M2: 6, F4: 4 },
  }),
);
/** What a type is called, known or not. */
const TYPE_NAME = /^[A-Z][A-Z\d_]{0,15}$/;

export const METADATA = "__metadata__";
const MAX_HEADER_BYTES = 100_000_000;
/** The bytes before the header, which hold its length. */
export const LENGTH_BYTES = 8;

export interface SafetensorsHeader {
  readonly metadata: Record<string, string>;
  readonly places: readonly SafetensorsPlace[];
}

/** Where a tensor lies, in bytes of the data after the header. */
export interface SafetensorsPlace {
  readonly name: string;
  readonly dtype: string;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

export interface DecodeOptions {
  /** The most memory that the parsed header may take, in bytes; tensors are views and take none. @default 2³⁰ */
  readonly mostBytes?: number | undefined;
}

/** How long the header is, by the first 8 bytes of a file. @throws DataError DAMAGED */
export function safetensorsHeaderBytes(start: Uint8Array, fileBytes: number): number {
  if (start.length < LENGTH_BYTES)
    malformed("a file must begin with the 8 bytes of its header length", `${start.length} bytes`);
  const headerBytes = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  const room = Math.min(fileBytes - LENGTH_BYTES, MAX_HEADER_BYTES);
  if (headerBytes > BigInt(room))
    malformed(`the header must fit in ${room} bytes`, `a length of ${headerBytes}`);
  return Number(headerBytes);
}

/**
 * @param dataBytes what follows the header
 * @throws DataError DAMAGED, LIMIT, UNSUPPORTED for a type that the format does not have
 */
export function parseSafetensorsHeader(
  bytes: Uint8Array,
  dataBytes: number,
  options: DecodeOptions = {},
): SafetensorsHeader {
  const metadata: Record<string, string> = Object.create(null);
  const places: SafetensorsPlace[] = [];
  for (const [name, entry] of Object.entries(parseJson(bytes, options))) {
    if (name === METADATA) Object.assign(metadata, checkMetadata(entry));
    else places.push(checkEntry(name, entry, dataBytes));
  }
  checkLayout(places, dataBytes);
  return { metadata, places };
}

/** The error of a type that is named rightly and that nobody here can hold. */
export function unsupportedType(
  op: string,
  name: string,
  dtype: string,
  known: string,
): DataError<"UNSUPPORTED"> {
  const rule = `the dtype of "${titleOf(name)}" must be one of ${known}`;
  const remedy = "convert that tensor to BF16, F16 or F32";
  return new DataError("UNSUPPORTED", { op, rule, got: dtype, remedy, name, dtype });
}

const titleOf = (name: string) => (name.length > 60 ? `${name.slice(0, 60)}…` : name);

/** How many values a shape holds; undefined when it is not a shape or too large to count exactly. */
export function sizeOf(shape: readonly unknown[]): number | undefined {
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

function parseJson(bytes: Uint8Array, { mostBytes = 2 ** 30 }: DecodeOptions): Record<string, unknown> {
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

function checkEntry(name: string, entry: unknown, dataBytes: number): SafetensorsPlace {
  const title = titleOf(name);
  if (!isObject(entry)) return malformed(`"${title}" must be an object`, JSON.stringify(entry));
  const { dtype, shape, data_offsets: offsets } = entry;
  const known = [...BITS.keys()].join(", ");
  if (typeof dtype !== "string" || !TYPE_NAME.test(dtype))
    return malformed(`the dtype of "${title}" must be one of ${known}`, String(JSON.stringify(dtype)));
  const bits = BITS.get(dtype);
  if (bits === undefined) throw unsupportedType("safetensors", name, dtype, known);
  const size = Array.isArray(shape) ? sizeOf(shape) : undefined;
  if (size === undefined)
    return malformed(`the shape of "${title}" must hold whole numbers from 0`, String(JSON.stringify(shape)));
  const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  if (!isWhole(begin) || !isWhole(end) || begin > end || end > dataBytes)
    return malformed(
      `the data_offsets of "${title}" must be two ordered places in ${dataBytes} bytes`,
      String(JSON.stringify(offsets)),
    );
  if ((end - begin) * 8 !== size * bits)
    return malformed(`"${title}" must have ${size} values of ${bits} bits`, `${end - begin} bytes`);
  return { name, dtype, shape: shape as number[], begin, end };
}

function checkLayout(places: readonly SafetensorsPlace[], dataBytes: number): void {
  let at = 0;
  for (const { name, begin, end } of [...places].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      malformed(`tensors must lie back to back: "${name.slice(0, 60)}" must begin at ${at}`, `${begin}`);
    at = end;
  }
  if (at !== dataBytes) malformed(`the tensors must fill the ${dataBytes} bytes of data`, `${at} bytes`);
}
