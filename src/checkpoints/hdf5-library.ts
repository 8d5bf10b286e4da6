/** The HDF5 library, compiled by NIST to WebAssembly: what heed uses of h5wasm, loaded when the first file needs it. */
import { OptionError } from "../core/errors.ts";

/** What a data set is made of. */
export interface Hdf5Metadata {
  /** The number of its class of types. */
  readonly type: number;
  /** Bytes of one element. */
  readonly size: number;
  readonly signed: boolean;
  readonly littleEndian: boolean;
  /** null where there is no value at all. */
  readonly shape: readonly number[] | null;
}

interface Stream {
  readonly path?: string;
  stream_ops: object;
}

interface Node {
  /** Where Emscripten looks for the size of a file. */
  usedBytes: number;
  stream_ops: object;
}

interface FileSystem {
  readonly ErrnoError: new (errno: number) => Error;
  readFile(path: string): Uint8Array;
  writeFile(path: string, bytes: Uint8Array): void;
  unlink(path: string): void;
  lookupPath(path: string): { node: Node };
  getStream(descriptor: number): Stream;
  readonly streams: readonly (Stream | null | undefined)[];
  close(stream: Stream): void;
}

interface Hdf5Module {
  readonly FS: FileSystem;
  /** Another array after each time that the memory grew. */
  readonly HEAPU8: Uint8Array;
  readonly H5G_GROUP: number;
  readonly H5G_DATASET: number;
  _malloc(bytes: number): number;
  _free(place: number): void;
  get_type(file: bigint, path: string): number;
  get_names(file: bigint, path: string, recursive: boolean): string[];
  get_attribute_names(file: bigint, path: string): string[];
  get_dataset_metadata(file: bigint, path: string): Hdf5Metadata;
  get_dataset_data(
    file: bigint,
    path: string,
    count: readonly bigint[] | null,
    offset: readonly bigint[] | null,
    strides: readonly bigint[] | null,
    place: bigint,
  ): number;
}

interface Group {
  create_group(name: string): Group;
  create_dataset(args: {
    name: string;
    data: ArrayLike<number>;
    shape: readonly number[];
    dtype: string;
  }): unknown;
  create_attribute(name: string, value: string): void;
}

interface OpenFile extends Group {
  readonly file_id: bigint;
  close(): number;
}

/** The parts of h5wasm that heed calls. */
export interface Hdf5Library {
  readonly ready: Promise<unknown>;
  readonly File: new (path: string, mode: "r" | "w", options?: object) => OpenFile;
  readonly Group: new (file: bigint, path: string) => Group;
}

export interface LoadedHdf5 extends Hdf5Library {
  readonly module: Hdf5Module;
}

const STDERR = 2;
// A bundler would stop at a package that is not installed, if this were a literal.
const PACKAGE: string = "h5wasm";
let load = (): Promise<unknown> => import(/* @vite-ignore */ /* webpackIgnore: true */ PACKAGE);
let loaded: Promise<LoadedHdf5> | undefined;

/**
 * Says where Keras' files find the HDF5 library in a page that a bundler made. In Node, where it is installed, and in pages with
 * an import map nobody has to.
 *
 * @param from what the bundler is to see, `() => import("h5wasm")`
 * @example
 * useHdf5(() => import("h5wasm"));
 */
export function useHdf5(from: () => Promise<unknown>): void {
  load = from;
  loaded = undefined;
}

/**
 * The library, the same at each call.
 *
 * @throws OptionError NOT_READY where the package is not there
 */
export function hdf5Library(): Promise<LoadedHdf5> {
  loaded ??= loadLibrary().catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function loadLibrary(): Promise<LoadedHdf5> {
  let library: Hdf5Library;
  try {
    library = (await load()) as Hdf5Library;
  } catch (cause) {
    const fault = {
      op: "hdf5",
      rule: "Keras' files must be read and written by the package h5wasm",
      got: "none",
      remedy: 'run npm install h5wasm; in a bundled page also call useHdf5(() => import("h5wasm"))',
    };
    throw new OptionError("NOT_READY", fault, { cause });
  }
  const module = (await library.ready) as Hdf5Module;
  // It prints a page for each error, also for those that it is asked to expect.
  const stream = module.FS.getStream(STDERR);
  const silent = (_stream: unknown, _buffer: unknown, _offset: number, length: number) => length;
  stream.stream_ops = { ...stream.stream_ops, write: silent };
  return { ready: library.ready, File: library.File, Group: library.Group, module };
}
