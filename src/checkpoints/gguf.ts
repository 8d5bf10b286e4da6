/** GGUF, the format of llama.cpp (github.com/ggml-org/ggml, docs/gguf.md), versions 2 and 3, little-endian. */
import { type ByteSource, damaged, unsupported } from "./bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { BLOCKS, dequantize } from "./gguf-blocks.ts";
import { tensorOf } from "./names.ts";

const MAGIC = 0x46554747;
const VERSIONS = [2, 3];
/** What stands before the tensors: a tokenizer of a few hundred thousand texts, and no more. */
const MOST_HEADER = 256 * 2 ** 20;
const MOST_AXES = 4;
/** Types of tensors by their number; those that are read are in BLOCKS. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  ...{
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    6: "Q5_0",
    7: "Q5_1",
    8: "Q8_0",
    9: "Q8_1",
    10: "Q2_K",
    11: "Q3_K",
  },
  ...{
    12: "Q4_K",
    13: "Q5_K",
    14: "Q6_K",
    15: "Q8_K",
    16: "IQ2_XXS",
    17: "IQ2_XS",
    18: "IQ3_XXS",
    19: "IQ1_S",
  },
  ...{
    20: "IQ4_NL",
    21: "IQ3_S",
    22: "IQ2_S",
    23: "IQ4_XS",
    24: "I8",
    25: "I16",
    26: "I32",
    27: "I64",
    28: "F64",
  },
  ...{ 29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0" },
};

interface Place {
  dtype: string;
  shape: number[];
  begin: number;
  bytes: number;
}

/**
 * Opens a GGUF file: metadata, tokenizer and the tensors' places are read now, each tensor when it is asked for.
 *
 * Shapes are row-major as elsewhere: GGUF writes them from the fastest axis on.
 *
 * @throws DataError DAMAGED, UNSUPPORTED naming a type
 */
export async function openGguf(source: ByteSource): Promise<Checkpoint> {
  const { name: file } = source;
  const { metadata, places } = await readHeader(source);
  const stored = async (name: string) => {
    const { dtype, begin, bytes } = tensorOf(file, places, name);
    if (bytes < 0) throw unreadable(file, name, dtype);
    return source.read(begin, bytes);
  };
  return {
    format: "gguf",
    tensors: new Map([...places].map(([name, { dtype, shape, bytes }]) => [name, { dtype, shape, bytes }])),
    metadata,
    read: async (name) => dequantize(tensorOf(file, places, name).dtype, await stored(name)),
    readStored: stored,
    close: () => source.close(),
  };
}

const unreadable = (file: string, name: string, dtype: string) =>
  unsupported(
    file,
    `the type of "${name}" must be one of ${Object.keys(BLOCKS).join(", ")}`,
    dtype,
    "quantise the model to one of these",
  );

interface Header {
  metadata: Map<string, unknown>;
  places: Map<string, Place>;
}

/** How long a header is, nobody says: it is read in growing pieces until it is whole. */
async function readHeader(source: ByteSource): Promise<Header> {
  for (let length = 2 ** 20; ; length *= 4) {
    const bytes = await source.read(0, Math.min(length, source.size));
    try {
      return parse(source, new Reader(source.name, bytes));
    } catch (error) {
      if (!(error instanceof Short)) throw error;
      if (bytes.length === source.size || length >= MOST_HEADER)
        throw damaged(source.name, "the header must be whole", `an end after ${bytes.length} bytes`);
    }
  }
}

/** The bytes end before what is asked for. */
class Short extends Error {}

type Value = number | bigint | string | boolean | Value[] | ArrayLike<number>;

class Reader {
  readonly #file: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(file: string, bytes: Uint8Array) {
    this.#file = file;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  take(length: number): number {
    if (this.at + length > this.#bytes.length) throw new Short();
    this.at += length;
    return this.at - length;
  }

  u32(): number {
    return this.#view.getUint32(this.take(4), true);
  }

  /** An integer that is a count or a place: exact as a number. */
  count(what: string): number {
    const value = this.#view.getBigUint64(this.take(8), true);
    const count = Number(value);
    if (!Number.isSafeInteger(count))
      throw damaged(this.#file, `${what} must be a number of this world`, value);
    return count;
  }

  text(): string {
    const length = this.count("the length of a text");
    if (length > MOST_HEADER)
      throw damaged(this.#file, `a text must have at most ${MOST_HEADER} bytes`, length);
    const from = this.take(length);
    return new TextDecoder().decode(this.#bytes.subarray(from, from + length));
  }

  value(type: number, depth = 0): Value {
    const view = this.#view;
    switch (type) {
      case 0:
        return view.getUint8(this.take(1));
      case 1:
        return view.getInt8(this.take(1));
      case 2:
        return view.getUint16(this.take(2), true);
      case 3:
        return view.getInt16(this.take(2), true);
      case 4:
        return view.getUint32(this.take(4), true);
      case 5:
        return view.getInt32(this.take(4), true);
      case 6:
        return view.getFloat32(this.take(4), true);
      case 7:
        return view.getUint8(this.take(1)) !== 0;
      case 8:
        return this.text();
      case 9:
        return this.#list(depth);
      case 10:
        return exact(view.getBigUint64(this.take(8), true));
      case 11:
        return exact(view.getBigInt64(this.take(8), true));
      case 12:
        return view.getFloat64(this.take(8), true);
      default:
        throw damaged(this.#file, "the type of a value must be from 0 to 12", type);
    }
  }

  #list(depth: number): Value[] {
    if (depth > 2) throw damaged(this.#file, "lists must nest at most 3 deep", "more");
    const type = this.u32();
    const length = this.count("the length of a list");
    const values: Value[] = [];
    // Every value takes a byte at least, so that a length that is too large ends with the bytes.
    for (let n = 0; n < length; n++) values.push(this.value(type, depth + 1));
    return values;
  }
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function parse(source: ByteSource, reader: Reader): Header {
  const { name: file } = source;
  if (reader.u32() !== MAGIC) throw damaged(file, "a GGUF file must begin with GGUF", "other bytes");
  const version = reader.u32();
  if (!VERSIONS.includes(version)) {
    const isBigEndian = version > 0xffff;
    const got = isBigEndian ? "a big-endian file" : `version ${version}`;
    throw unsupported(file, "a GGUF file must be little-endian, of version 2 or 3", got, "convert it again");
  }
  const tensorCount = reader.count("the number of tensors");
  const valueCount = reader.count("the number of values");
  const metadata = new Map<string, unknown>();
  for (let n = 0; n < valueCount; n++) metadata.set(reader.text(), reader.value(reader.u32()));
  const places = new Map<string, Place>();
  for (let n = 0; n < tensorCount; n++) {
    const name = reader.text();
    if (places.has(name)) throw damaged(file, "a tensor must appear once", name);
    places.set(name, readPlace(file, name, reader));
  }
  const alignment = metadata.get("general.alignment") ?? 32;
  const isPower = Number.isSafeInteger(alignment) && (alignment as number) >= 1;
  if (!isPower) throw damaged(file, "general.alignment must be an integer from 1", alignment);
  const start = Math.ceil(reader.at / (alignment as number)) * (alignment as number);
  for (const [name, place] of places) {
    place.begin += start;
    if (place.begin + Math.max(0, place.bytes) > source.size)
      throw damaged(
        file,
        `"${name}" must end within the ${source.size} bytes of the file`,
        place.begin + place.bytes,
      );
  }
  return { metadata, places };
}

/** A tensor's entry; `bytes` is −1 where its type is not read. */
function readPlace(file: string, name: string, reader: Reader): Place {
  const axes = reader.u32();
  if (axes > MOST_AXES) throw damaged(file, `"${name}" must have at most ${MOST_AXES} axes`, axes);
  const shape = Array.from({ length: axes }, () => reader.count(`a length of "${name}"`)).reverse();
  const type = reader.u32();
  const begin = reader.count(`the place of "${name}"`);
  const dtype = TYPE_NAMES[type] ?? `type ${type}`;
  const block = BLOCKS[dtype];
  if (!block) return { dtype, shape, begin, bytes: -1 };
  const size = shape.reduce((all, n) => all * n, 1);
  if ((shape.at(-1) ?? 1) % block.values !== 0 || !Number.isSafeInteger(size)) {
    const rule = `a row of "${name}" must have a multiple of the ${block.values} values of a ${dtype} block`;
    throw damaged(file, rule, `[${shape}]`);
  }
  return { dtype, shape, begin, bytes: (size / block.values) * block.bytes };
}
