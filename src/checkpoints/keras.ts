/** Keras' files: the archive `.keras` of Keras 3, and HDF5 files of weights. */
import { isObject } from "../core/is-object.ts";
import { jsonCost } from "../core/json-cost.ts";
import { type ByteSource, damaged, memoryBytes, unsupported } from "./bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type Hdf5File, openHdf5 } from "./hdf5.ts";
import { tensorOf } from "./names.ts";
import { toFloat32 } from "./numbers.ts";
import type { ZipMember } from "./zip.ts";

const CONFIG = "config.json";
const METADATA = "metadata.json";
const WEIGHTS = "model.weights.h5";
const MOST_JSON = 64 * 2 ** 20;
const DEEPEST_JSON = 256;

/** Whether an archive is one of Keras. */
export function isKerasArchive(members: ReadonlyMap<string, ZipMember>): boolean {
  return members.has(CONFIG) && (members.has(METADATA) || members.has(WEIGHTS));
}

/**
 * Opens an HDF5 file of weights, `.weights.h5` of Keras 3 or `.h5` of Keras 2. Tensors are called by their paths in it.
 *
 * @throws OptionError NOT_READY without h5wasm · DataError DAMAGED
 */
export async function openKerasWeights(source: ByteSource): Promise<Checkpoint> {
  return checkpointOf(source, await openHdf5(source), new Map());
}

/**
 * Opens a `.keras` archive: its weights, read where they lie, and as metadata what `config.json` and `metadata.json` say. Nothing
 * of it is run.
 *
 * @throws OptionError NOT_READY without h5wasm · DataError DAMAGED, UNSUPPORTED
 */
export async function openKerasArchive(
  source: ByteSource,
  members: ReadonlyMap<string, ZipMember>,
): Promise<Checkpoint> {
  const { name } = source;
  const config = await readJson(name, members.get(CONFIG)!);
  const about = members.get(METADATA);
  const metadata = new Map(Object.entries(about ? await readJson(name, about) : {}));
  metadata.set("config", config);
  const weights = members.get(WEIGHTS);
  if (!weights) {
    const found = [...members.keys()].slice(0, 4).join(", ");
    throw unsupported(name, `a Keras archive must have ${WEIGHTS}`, found, "save it with model.save");
  }
  const inner: ByteSource = weights.isStored
    ? {
        name,
        size: weights.size,
        read: (offset, length) => weights.read(offset, length),
        close: async () => {},
      }
    : memoryBytes(await weights.read(), name);
  return checkpointOf(source, await openHdf5(inner), metadata);
}

function checkpointOf(
  source: ByteSource,
  file: Hdf5File,
  metadata: ReadonlyMap<string, unknown>,
): Checkpoint {
  return {
    format: "keras",
    tensors: file.datasets,
    metadata,
    async read(name) {
      const { dtype } = tensorOf(source.name, file.datasets, name);
      return toFloat32(source.name, name, dtype, await file.read(name));
    },
    async close() {
      await file.close();
      await source.close();
    },
  };
}

async function readJson(file: string, member: ZipMember): Promise<Record<string, unknown>> {
  const { name, size } = member;
  const refuse = (rule: string, got: unknown) => damaged(file, `${name} must ${rule}`, got);
  if (size > MOST_JSON) throw refuse(`have at most ${MOST_JSON} bytes`, size);
  const bytes = await member.read();
  const { depth } = jsonCost(bytes);
  if (depth > DEEPEST_JSON) throw refuse(`nest at most ${DEEPEST_JSON} deep`, depth);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw refuse("be JSON", (error as Error).message);
  }
  if (!isObject(json)) throw refuse("be an object", JSON.stringify(json));
  return json;
}
