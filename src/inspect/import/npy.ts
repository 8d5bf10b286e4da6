import { decodeFloat16 } from "../../core/float16.ts";
import { shown } from "../trace/fault.ts";
import { refuse } from "./fault.ts";
import { Allowance } from "./options.ts";

/** An array of numpy: numbers, or a list of texts (of dtype `<U…`). */
export interface NpyArray {
  readonly shape: readonly number[];
  /** Row-major, whatever the order in the file. */
  readonly values: Float32Array | readonly string[];
  /** Whether the file has them as floating-point numbers. */
  readonly isFloat: boolean;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const CUT = "copy the file again, or save it again with numpy";

/** What a text takes besides its letters, in bytes. */
const TEXT = 40;

type Read = (view: DataView, at: number, little: boolean) => number;
/** What numpy calls each type, without its byte order. */
const TYPES: Record<string, { bytes: number; read: Read }> = {
  f8: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
  f4: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  f2: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  i8: { bytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  i4: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  i2: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  i1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  u1: { bytes: 1, read: (view, at) => view.getUint8(at) },
  b1: { bytes: 1, read: (view, at) => (view.getUint8(at) ? 1 : 0) },
};

export const isNpy = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);

/**
 * Reads one array of numpy's format 1, 2 or 3 (numpy.lib.format), in C or Fortran order.
 *
 *     \x93NUMPY · version · length of the header · {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} · numbers
 *
 * Objects are refused: reading them would run what the file says.
 *
 * @throws DataError FORMAT
 */
export function readNpy(place: string, bytes: Uint8Array, allowance = new Allowance(bytes.length)): NpyArray {
  if (!isNpy(bytes)) refuse(place, "begin as an array of numpy", "other bytes", CUT);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) refuse(place, "be of format 1, 2 or 3", `${version}`, CUT);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) refuse(place, `have ${start} bytes at least`, `${bytes.length}`, CUT);
  const headerEnd = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (headerEnd > bytes.length)
    refuse(
      place,
      `have a header of ${headerEnd - start} bytes`,
      `${bytes.length - start}: it is cut off`,
      CUT,
    );
  // Longer headers describe records, which are refused anyway.
  const header = new TextDecoder().decode(bytes.subarray(start, Math.min(headerEnd, start + 10_000)));
  const shape = readShape(place, header);
  const length = shape.reduce((product, n) => product * n, 1);
  const room = bytes.length - headerEnd;
  const [, order = "", kind = ""] = /'descr'\s*:\s*'([<>|=]?)([a-zA-Z]\d*)'/.exec(header) ?? [];
  const text = /^U(\d+)$/.exec(kind);
  const type = Object.hasOwn(TYPES, kind) ? TYPES[kind] : undefined;
  if (!type && !text) {
    const objects = /^O/.test(kind);
    const got = objects ? "Python objects, which heed does not unpickle" : kind || "a record";
    const remedy = objects ? "save numpy arrays of numbers, one for each name" : "convert it with astype";
    refuse(place, `be of type ${Object.keys(TYPES).join(", ")} or text`, got, remedy);
  }
  const bytesEach = type ? type.bytes : 4 * Number(text![1]);
  if (!Number.isSafeInteger(length) || length * bytesEach > room) {
    const rule = `have the ${length * bytesEach} bytes of its shape ${shown(shape)}`;
    refuse(place, rule, `${room}: it is cut off`, CUT);
  }
  const little = order !== ">";
  const columns = /'fortran_order'\s*:\s*True/.test(header) ? fortranPlaces(shape) : undefined;
  const from = (element: number) => headerEnd + (columns ? columns(element) : element) * bytesEach;
  if (!type) {
    if (length * Math.max(1, bytesEach) > room)
      refuse(place, "have text in it", "none", "save the tokens as text");
    allowance.take("importTrace", place, length * (TEXT + bytesEach / 2));
    const values = Array.from({ length }, (_, e) => ucs4(place, view, from(e), bytesEach, little));
    return { shape, values, isFloat: false };
  }
  allowance.take("importTrace", place, 4 * length);
  const isFloat = kind.startsWith("f");
  const values = new Float32Array(length);
  if (kind === "f2") {
    const halves = Uint16Array.from(values, (_, e) => type.read(view, from(e), little));
    return { shape, values: decodeFloat16(halves), isFloat };
  }
  for (let e = 0; e < length; e++) values[e] = type.read(view, from(e), little);
  return { shape, values, isFloat };
}

function readShape(place: string, header: string): number[] {
  const [, inside] = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header) ?? [];
  if (inside === undefined) refuse(place, "say its shape in its header", "none", CUT);
  const shape = (inside.match(/\d+/g) ?? []).map(Number);
  if (shape.length > 8 || shape.some((n) => !Number.isSafeInteger(n)))
    refuse(place, "have a shape of at most 8 sizes", shown(shape), CUT);
  return shape;
}

/** Where each element of the row-major order stands in the column-major one. */
function fortranPlaces(shape: readonly number[]): (element: number) => number {
  let stride = 1;
  const strides = shape.map((n) => {
    stride *= n;
    return stride / n;
  });
  return (element) => {
    let [rest, at] = [element, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return at;
  };
}

/** Text of fixed width, four bytes a character, padded by zeros. */
function ucs4(place: string, view: DataView, at: number, bytes: number, little: boolean): string {
  let text = "";
  for (let n = 0; n < bytes; n += 4) {
    const point = view.getUint32(at + n, little);
    if (point > 0x10ffff) refuse(place, "hold Unicode", `0x${point.toString(16)}`, CUT);
    text += point === 0 && n > 0 ? "\0" : String.fromCodePoint(point);
  }
  return text.replace(/\0+$/, "");
}
