import { type ByteSource, damaged, unsupported } from "./bytes.ts";
import type { TensorInfo } from "./checkpoint.ts";
import { type Hdf5Metadata, hdf5Library, type LoadedHdf5 } from "./hdf5-library.ts";
import { PagedFile } from "./paged-file.ts";

/** Groups nest no deeper in any model; in a file that links a group into itself they would without end. */
const DEEPEST = 64;
const MOST_NAMES = 2 ** 20;
/** Data that is packed, or that no one wrote, may be longer than its file. */
const MOST_GROWTH = 8;
/** What the library copies at once, unless a row is longer. */
const SLICE_BYTES = 8 * 2 ** 20;
/** HDF5's classes of types, in the order of their numbers. */
const CLASSES = "INTEGER FLOAT TIME STRING BITFIELD OPAQUE COMPOUND REFERENCE ENUM VLEN ARRAY".split(" ");

export interface Hdf5File {
  readonly datasets: ReadonlyMap<string, TensorInfo>;
  /** Little-endian elements of a data set. @throws DataError DAMAGED, UNSUPPORTED */
  read(path: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens an HDF5 file: its groups are read now, each data set when it is asked for. Links out of the file are not followed.
 *
 * @throws OptionError NOT_READY · DataError DAMAGED, LIMIT
 */
export async function openHdf5(source: ByteSource): Promise<Hdf5File> {
  const library = await hdf5Library();
  const file = await PagedFile.open(library, source);
  try {
    const found = await new Walk(library, file, source).datasets();
    return {
      datasets: new Map([...found].map(([path, { info }]) => [path, info])),
      read: (path) => readElements(library, file, source, path, found.get(path)!.metadata),
      close: () => file.close(),
    };
  } catch (error) {
    file.release();
    throw error;
  }
}

interface Found {
  readonly info: TensorInfo;
  readonly metadata: Hdf5Metadata;
}

/** Finds what a file has, a group at a time. */
class Walk {
  readonly #library: LoadedHdf5;
  readonly #file: PagedFile;
  readonly #source: ByteSource;
  readonly #found = new Map<string, Found>();
  #names = 0;

  constructor(library: LoadedHdf5, file: PagedFile, source: ByteSource) {
    this.#library = library;
    this.#file = file;
    this.#source = source;
  }

  async datasets(): Promise<ReadonlyMap<string, Found>> {
    await this.#group("", 0);
    return this.#found;
  }

  async #group(path: string, depth: number): Promise<void> {
    const { name } = this.#source;
    if (depth > DEEPEST) throw damaged(name, `groups must nest at most ${DEEPEST} deep`, path);
    const { module } = this.#library;
    const names = await this.#file.ask((id) => module.get_names(id, path || "/", false));
    this.#names += names.length;
    if (this.#names > MOST_NAMES) throw damaged(name, `a file must have at most ${MOST_NAMES} names`, "more");
    for (const own of names) {
      const place = path ? `${path}/${own}` : own;
      const type = await this.#file.ask((id) => module.get_type(id, place));
      if (type === module.H5G_GROUP) await this.#group(place, depth + 1);
      else if (type === module.H5G_DATASET) await this.#dataset(place);
    }
  }

  async #dataset(path: string): Promise<void> {
    const { module } = this.#library;
    const { name, size } = this.#source;
    const metadata = await this.#file.ask((id) => module.get_dataset_metadata(id, path));
    const shape = [...(metadata.shape ?? [0])];
    const bytes = shape.reduce((all, n) => all * n, metadata.size);
    if (![...shape, bytes].every((n) => Number.isSafeInteger(n) && n >= 0))
      throw damaged(name, `"${path}" must have a shape`, shape.join(" × "));
    if (bytes > MOST_GROWTH * size)
      throw damaged(
        name,
        `"${path}" must take at most ${MOST_GROWTH} times the ${size} bytes of the file`,
        bytes,
      );
    this.#found.set(path, { metadata, info: { dtype: await this.#dtype(path, metadata), shape, bytes } });
  }

  /** As safetensors calls it, or as HDF5 calls a class that has no numbers. */
  async #dtype(path: string, { type, size, signed }: Hdf5Metadata): Promise<string> {
    const kind = CLASSES[type] ?? "UNKNOWN";
    const bits = 8 * size;
    // Keras writes bfloat16 as whatever NumPy makes of it, and says so in the only attribute that it gives a data set. Its text
    // is not read: texts lie in a heap, and from one that is damaged the library does not come back.
    if (size === 2 && (await this.#hasAttribute(path, "dtype"))) return "BF16";
    if (kind === "FLOAT") return `F${bits}`;
    if (kind === "INTEGER") return `${signed ? "I" : "U"}${bits}`;
    if (kind === "ENUM" && size === 1) return "BOOL";
    return kind;
  }

  async #hasAttribute(path: string, name: string): Promise<boolean> {
    const { module } = this.#library;
    return this.#file.ask((id) => module.get_attribute_names(id, path).includes(name));
  }
}

/** Rows are taken some at a time, so that the library's own memory, which never shrinks, stays small. */
async function readElements(
  { module }: LoadedHdf5,
  file: PagedFile,
  { name }: ByteSource,
  path: string,
  { type, shape, size, littleEndian }: Hdf5Metadata,
): Promise<Uint8Array> {
  // Of bytes that it knows no order of, which bfloat16 are to it, the library says that they are not little-endian.
  if (!littleEndian && size > 1 && (CLASSES[type] === "INTEGER" || CLASSES[type] === "FLOAT"))
    throw unsupported(name, `"${path}" must have little-endian numbers`, "big-endian ones", "write it again");
  const bytes = (shape ?? [0]).reduce((all, n) => all * n, size);
  const out = new Uint8Array(bytes);
  if (bytes === 0) return out;
  const [rows = 1, ...rest] = shape!;
  const rowBytes = bytes / rows;
  const most = Math.max(1, Math.floor(SLICE_BYTES / rowBytes));
  for (let row = 0; row < rows; row += most) {
    const count = Math.min(most, rows - row);
    const sizes = shape!.length > 0 ? [count, ...rest].map(BigInt) : null;
    const starts = sizes && [BigInt(row), ...rest.map(() => 0n)];
    const steps = sizes?.map(() => 1n) ?? null;
    const part = await file.ask((id) => {
      const place = module._malloc(count * rowBytes);
      if (place === 0) throw new Error(`no room for ${count * rowBytes} bytes`);
      try {
        if (module.get_dataset_data(id, path, sizes, starts, steps, BigInt(place)) < 0)
          throw new Error("no data");
        return module.HEAPU8.slice(place, place + count * rowBytes);
      } finally {
        module._free(place);
      }
    });
    out.set(part, row * rowBytes);
  }
  return out;
}
