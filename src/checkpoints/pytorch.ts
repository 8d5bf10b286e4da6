/** Files of `torch.save`: the zip format, and the one before it. */
import { type ByteSource, damaged, unsupported } from "./bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { tensorOf } from "./names.ts";
import { BYTES_OF, toFloat32 } from "./numbers.ts";
import { type Pickled, PickledName, unpickle } from "./pickle.ts";
import type { ZipMember } from "./zip.ts";

/** torch's storages and dtypes by the names of safetensors. */
const TYPES: Readonly<Record<string, string>> = {
  ...{ DoubleStorage: "F64", FloatStorage: "F32", HalfStorage: "F16", BFloat16Storage: "BF16" },
  ...{ LongStorage: "I64", IntStorage: "I32", ShortStorage: "I16", CharStorage: "I8", ByteStorage: "U8" },
  ...{ BoolStorage: "BOOL", float64: "F64", float32: "F32", float16: "F16", bfloat16: "BF16", int64: "I64" },
  ...{ int32: "I32", int16: "I16", int8: "I8", uint8: "U8", bool: "BOOL", uint16: "U16", uint32: "U32" },
  ...{ uint64: "U64", float8_e4m3fn: "F8_E4M3", float8_e5m2: "F8_E5M2" },
};

/** Numbers that lie one after the other in the file, under a key. */
class Storage {
  readonly dtype: string;
  readonly key: string;
  readonly size: number;
  constructor(dtype: string, key: string, size: number) {
    this.dtype = dtype;
    this.key = key;
    this.size = size;
  }
}

/** A view of a storage. */
class Tensor {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
const product = (shape: readonly number[]) => shape.reduce((all, n) => all * n, 1);

/** What the known functions and classes of torch make; nothing else is called. */
function callsOf(file: string): ReadonlyMap<string, (args: readonly Pickled[]) => Pickled> {
  const tensor = ([storage, offset, shape, strides]: readonly Pickled[], dtype?: Pickled): Tensor => {
    const fits =
      storage instanceof Storage &&
      isCount(offset) &&
      Array.isArray(shape) &&
      Array.isArray(strides) &&
      shape.every(isCount) &&
      strides.every(isCount) &&
      shape.length === strides.length;
    if (!fits) throw damaged(file, "a tensor must have a storage, an offset, a shape and strides", "others");
    const [sizes, steps] = [shape as number[], strides as number[]];
    const last = sizes.reduce((end, n, axis) => end + (n - 1) * steps[axis]!, offset);
    const isEmpty = sizes.some((n) => n === 0);
    const typed =
      dtype instanceof PickledName ? new Storage(typeOf(file, dtype), storage.key, storage.size) : storage;
    // A stride of 0 could make a terabyte out of one number; no state_dict has one but for a single element.
    const count = product(sizes);
    if (!isEmpty && !(last < storage.size && count <= storage.size))
      throw damaged(
        file,
        `a tensor must lie within the ${storage.size} numbers of its storage`,
        `[${sizes}]`,
      );
    return new Tensor(typed, offset, sizes, steps);
  };
  const dict = ([items]: readonly Pickled[]): Map<Pickled, Pickled> => {
    const made = new Map<Pickled, Pickled>();
    if (Array.isArray(items)) {
      for (const item of items) if (Array.isArray(item)) made.set(item[0]!, item[1]!);
    }
    return made;
  };
  return new Map<string, (args: readonly Pickled[]) => Pickled>([
    ["collections.OrderedDict", dict],
    ["torch._utils._rebuild_tensor", (args) => tensor(args)],
    ["torch._utils._rebuild_tensor_v2", (args) => tensor(args)],
    ["torch._utils._rebuild_tensor_v3", (args) => tensor(args, args[6])],
    ["torch._utils._rebuild_parameter", ([data]) => data!],
    ["torch._utils._rebuild_parameter_with_state", ([data]) => data!],
    ["torch.nn.parameter.Parameter", ([data]) => data!],
    ["torch.Size", ([sizes]) => sizes ?? []],
    ["torch.device", ([device]) => String(device)],
    ["builtins.set", ([items]) => items ?? []],
  ]);
}

function typeOf(file: string, { name }: PickledName): string {
  const dtype = TYPES[name.replace(/^torch\.(?:storage\.|cuda\.)?/, "")];
  if (dtype !== undefined) return dtype;
  const known = [...new Set(Object.values(TYPES))].join(", ");
  throw unsupported(file, `a storage must be of ${known}`, name, "save it in float32");
}

/** A persistent id: ("storage", class, key, device, size). */
function storageOf(file: string, id: Pickled): Storage {
  const [tag, type, key, , size] = Array.isArray(id) ? id : [];
  const fits = tag === "storage" && type instanceof PickledName && typeof key === "string" && isCount(size);
  if (!fits) throw damaged(file, "a persistent id must be that of a storage", String(tag));
  return new Storage(typeOf(file, type), key, size);
}

/** Entries that hold the weights among others, such as a step or an optimiser. */
const WRAPPERS = ["state_dict", "model_state_dict", "model", "module"];
const DEEPEST = 16;

/** The tensors of a saved object by their names, nested ones joined with dots. */
function tensorsOf(file: string, saved: Pickled): Map<string, Tensor> {
  const isHolder = (value: Pickled): value is Map<Pickled, Pickled> => value instanceof Map;
  const hasTensors = (value: Pickled) =>
    isHolder(value) && [...value.values()].some((x) => x instanceof Tensor);
  let root = saved;
  const wrapper =
    isHolder(root) &&
    !hasTensors(root) &&
    WRAPPERS.find((key) => hasTensors((saved as Map<Pickled, Pickled>).get(key)!));
  if (wrapper) root = (saved as Map<Pickled, Pickled>).get(wrapper)!;
  if (!isHolder(root))
    throw unsupported(file, "a checkpoint must be a dict of tensors", kindOf(root), "save a state_dict");
  const found = new Map<string, Tensor>();
  const visit = (holder: Map<Pickled, Pickled>, prefix: string, depth: number) => {
    if (depth > DEEPEST) throw damaged(file, `dicts must nest at most ${DEEPEST} deep`, "more");
    for (const [key, value] of holder) {
      const name = `${prefix}${String(key)}`;
      if (value instanceof Tensor) found.set(name, value);
      else if (isHolder(value)) visit(value, `${name}.`, depth + 1);
    }
  };
  visit(root, "", 0);
  if (found.size === 0)
    throw unsupported(file, "a checkpoint must hold tensors", "none", "save a state_dict");
  return found;
}

const kindOf = (value: Pickled) =>
  value instanceof Tensor
    ? "one tensor"
    : value === null
      ? "None"
      : Array.isArray(value)
        ? "a list"
        : typeof value;

/** Numbers of a view in row-major order, out of those from its offset on. */
function gather(values: Float32Array, { shape, strides }: Tensor): Float32Array {
  const size = product(shape);
  let expected = 1;
  const isContiguous = shape.every((_, n) => {
    const axis = shape.length - 1 - n;
    const fits = shape[axis] === 1 || strides[axis] === expected;
    expected *= shape[axis]!;
    return fits;
  });
  if (isContiguous || size === 0) return values.subarray(0, size);
  const out = new Float32Array(size);
  const index = shape.map(() => 0);
  let at = 0;
  for (let n = 0; n < size; n++) {
    out[n] = values[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/** Reads bytes of a storage. */
type ReadStorage = (storage: Storage, offset: number, length: number) => Promise<Uint8Array>;

function checkpointOf(source: ByteSource, saved: Pickled, readStorage: ReadStorage): Checkpoint {
  const { name: file } = source;
  const tensors = tensorsOf(file, saved);
  const width = ({ storage }: Tensor) => BYTES_OF[storage.dtype]!;
  return {
    format: "pytorch",
    tensors: new Map(
      [...tensors].map(([name, tensor]) => {
        const bytes = product(tensor.shape) * width(tensor);
        return [name, { dtype: tensor.storage.dtype, shape: tensor.shape, bytes }];
      }),
    ),
    metadata: new Map(),
    async read(name) {
      const tensor = tensorOf(file, tensors, name);
      const { storage, offset, shape, strides } = tensor;
      if (product(shape) === 0) return new Float32Array(0);
      const span = shape.reduce((end, n, axis) => end + (n - 1) * strides[axis]!, 1);
      const bytes = await readStorage(storage, offset * width(tensor), span * width(tensor));
      return gather(toFloat32(file, name, storage.dtype, bytes), tensor);
    },
    close: () => source.close(),
  };
}

/**
 * Opens a file of `torch.save` in the zip format (since torch 1.6). Nothing of the pickle is run: it may make tensors and
 * containers, and every other name is refused.
 *
 * @throws DataError DAMAGED, UNSUPPORTED
 */
export async function openPytorchZip(
  source: ByteSource,
  members: ReadonlyMap<string, ZipMember>,
): Promise<Checkpoint> {
  const { name: file } = source;
  const pickle = [...members.values()].find(({ name }) => /^(?:[^/]+\/)?data\.pkl$/.test(name));
  if (!pickle) {
    const rule = "a PyTorch archive must have data.pkl";
    throw unsupported(file, rule, [...members.keys()].slice(0, 3).join(", "), "open a file of torch.save");
  }
  const folder = pickle.name.slice(0, -"data.pkl".length);
  const order = members.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(await order.read()) === "big")
    throw unsupported(file, "numbers must be little-endian", "big-endian ones", "save it on another machine");
  const bytes = await pickle.read();
  const calls = callsOf(file);
  const { value } = unpickle(bytes, { file, calls, persistent: (id) => storageOf(file, id) });
  return checkpointOf(source, value, async ({ key }, offset, length) => {
    const member = members.get(`${folder}data/${key}`);
    if (!member) throw damaged(file, `the archive must have data/${key}`, "none");
    return member.read(offset, length);
  });
}

/** The number that begins a file of torch before 1.6: 0x1950a86a20f9469cfc6c. */
const MAGIC = 119547037146038801333356n;
const PROTOCOL = 1001;
/** All that stands before the numbers of the storages. */
const MOST_PICKLES = 64 * 2 ** 20;

/**
 * Opens a file of `torch.save` before torch 1.6: five pickles, then the storages one after the other.
 *
 * @throws DataError DAMAGED, UNSUPPORTED
 */
export async function openPytorchLegacy(source: ByteSource): Promise<Checkpoint> {
  const { name: file, size } = source;
  let bytes = await source.read(0, Math.min(size, 2 ** 20));
  const calls = callsOf(file);
  const storages = new Map<string, Storage>();
  const persistent = (id: Pickled) => {
    const storage = storageOf(file, viewedStorage(file, id));
    storages.set(storage.key, storage);
    return storage;
  };
  const options = { file, calls, persistent };
  let values: Pickled[] = [];
  let at = 0;
  for (;;) {
    try {
      [values, at] = readPickles(bytes, options);
      break;
    } catch (error) {
      if (bytes.length === size || bytes.length >= MOST_PICKLES) throw error;
      bytes = await source.read(0, Math.min(size, 8 * bytes.length));
    }
  }
  const [magic, protocol, , saved, keys] = values as [Pickled, Pickled, Pickled, Pickled, Pickled];
  if (magic !== MAGIC || protocol !== PROTOCOL)
    throw damaged(
      file,
      "the file must begin with torch's magic number and protocol",
      `${magic}, ${protocol}`,
    );
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string"))
    throw damaged(file, "the fifth pickle must name the storages", typeof keys);
  const places = await findStorages(source, storages, keys as string[], at);
  return checkpointOf(source, saved, async ({ key }, offset, length) => {
    const place = places.get(key);
    if (!place || offset + length > place.bytes) throw damaged(file, `storage ${key} must be there`, "less");
    return source.read(place.begin + offset, length);
  });
}

/** A persistent id of the old format has a sixth entry, for views of storages, which torch stopped writing in 2017. */
function viewedStorage(file: string, id: Pickled): Pickled {
  if (!Array.isArray(id) || id.length < 6 || id[5] === null) return id;
  throw unsupported(
    file,
    "storages must be whole",
    "views of storages",
    "load and save it with a newer torch",
  );
}

function readPickles(
  bytes: Uint8Array,
  options: Parameters<typeof unpickle>[1],
): [values: Pickled[], end: number] {
  let at = 0;
  const values = Array.from({ length: 5 }, () => {
    const { value, length } = unpickle(bytes.subarray(at), options);
    at += length;
    return value;
  });
  return [values, at];
}

interface StoragePlace {
  begin: number;
  bytes: number;
}

/** Each storage is its number of elements in 8 bytes, then the elements. */
async function findStorages(
  source: ByteSource,
  storages: ReadonlyMap<string, Storage>,
  keys: readonly string[],
  from: number,
): Promise<ReadonlyMap<string, StoragePlace>> {
  const { name: file } = source;
  const places = new Map<string, StoragePlace>();
  let at = from;
  for (const key of keys) {
    const storage = storages.get(key);
    if (!storage) throw damaged(file, "every storage must be one that the pickle names", key);
    const header = await source.read(at, 8);
    const count = Number(new DataView(header.buffer, header.byteOffset, 8).getBigInt64(0, true));
    if (count !== storage.size)
      throw damaged(file, `storage ${key} must have ${storage.size} numbers`, count);
    const bytes = count * BYTES_OF[storage.dtype]!;
    places.set(key, { begin: at + 8, bytes });
    at += 8 + bytes;
  }
  return places;
}
