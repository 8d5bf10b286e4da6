/**
 * IDX, the format of MNIST and its kin: two zero bytes, the kind of numbers (8: unsigned bytes), the number of axes, the
 * length of each axis as a big-endian 32-bit integer, then the numbers, last axis fastest.
 */
import { DataError } from "../core/errors.ts";
import { type ReadBytesOptions, readBytes } from "./read-bytes.ts";

/** Unsigned bytes in row-major order. */
export interface IdxArray {
  readonly shape: readonly number[];
  /** A view of what was read, no copy. */
  readonly data: Uint8Array;
}

const OP = "readIdx";
const UNSIGNED_BYTES = 8;
const MOST_AXES = 8;

/**
 * The array of an IDX file's bytes. A header is believed only where the file has exactly the bytes that it speaks of.
 *
 * @param path what the errors call the bytes
 * @throws DataError FORMAT where its first bytes are others, DAMAGED where it is cut off or longer than it says
 */
export function parseIdx(bytes: Uint8Array, path: string): IdxArray {
  const [zero = -1, nought = -1, kind = -1, axes = -1] = bytes;
  const begun = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  if (zero !== 0 || nought !== 0 || kind !== UNSIGNED_BYTES || axes < 1 || axes > MOST_AXES) {
    const rule = `an IDX file must begin with 00 00 08 and 1 to ${MOST_AXES} axes`;
    const remedy = "name a file of unsigned bytes, such as train-images-idx3-ubyte.gz";
    throw new DataError("FORMAT", { op: OP, rule, got: `${begun || "no byte"} in ${path}`, remedy, path });
  }
  const header = 4 + 4 * axes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < header) throw damaged(`a header of ${header} bytes`, `${bytes.length} bytes`, path);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const claimed = shape.reduce((product, n) => product * n, 1);
  const data = bytes.subarray(header);
  if (data.length === claimed) return { shape, data };
  throw damaged(`the ${shape.join(" × ")} numbers of its header`, `${data.length} bytes after it`, path);
}

function damaged(must: string, got: string, path: string): DataError<"DAMAGED"> {
  const rule = `an IDX file must have ${must} and nothing more`;
  return new DataError("DAMAGED", { op: OP, rule, got: `${got} in ${path}`, remedy: "fetch it again", path });
}

/**
 * Reads an IDX file of unsigned bytes, gzip or plain.
 *
 * @throws FileError UNREADABLE, DataError FORMAT, DAMAGED, LIMIT
 * @example
 * const folder = locateDataset("fashion-mnist");
 * readIdx(`${folder}/t10k-images-idx3-ubyte.gz`).shape; // [10000, 28, 28]
 */
export function readIdx(path: string, options: ReadBytesOptions = {}): IdxArray {
  return parseIdx(readBytes(OP, path, options), path);
}
