import { io } from "@tensorflow/tfjs-core";
import { DataError, FileError } from "../core/errors.ts";
import { isFirst } from "./first.ts";

const SCHEME = "file://";
let asksOthers = false;

/**
 * Makes `file://` addresses work in Node: `model.save("file:///tmp/model")` writes model.json and weights.bin into that
 * folder, `tf.loadLayersModel("file:///tmp/model/model.json")`, or of the folder, reads them, and what
 * tensorflowjs_converter wrote. Where something else answers these addresses, as tfjs-node does, it goes on doing so.
 *
 * Done once, however often it is called. Elsewhere than in Node it does nothing.
 */
export function registerFileModels(): void {
  if (typeof process === "undefined" || typeof process.getBuiltinModule !== "function") return;
  if (!isFirst("fileModels")) return;
  io.registerSaveRouter((url) => route(url, io.getSaveHandlers));
  io.registerLoadRouter((url) => route(url, io.getLoadHandlers));
}

function route(url: string | string[], others: (url: string) => io.IOHandler[]): io.IOHandler {
  if (asksOthers || typeof url !== "string" || !url.startsWith(SCHEME))
    return null as unknown as io.IOHandler;
  asksOthers = true;
  try {
    return others(url).length > 0 ? (null as unknown as io.IOHandler) : fileHandler(url);
  } finally {
    asksOthers = false;
  }
}

/** Saves to and loads from a folder of the file system. */
function fileHandler(url: string): io.IOHandler {
  return { save: (model) => save(pathOf(url), model), load: () => load(pathOf(url)) };
}

// Through getBuiltinModule, so that bundlers see no import of a Node module.
const fs = () => process.getBuiltinModule("node:fs/promises");
const paths = () => process.getBuiltinModule("node:path");

/** `file:///tmp/a%20b` is an address; `file://models/a` is a path from here, as tfjs-node reads it. */
function pathOf(url: string): string {
  return url.startsWith(`${SCHEME}/`)
    ? process.getBuiltinModule("node:url").fileURLToPath(url)
    : url.slice(SCHEME.length);
}

async function save(folder: string, model: io.ModelArtifacts): Promise<io.SaveResult> {
  const { modelTopology, weightSpecs = [], weightData, ...rest } = model;
  const bytes = new Uint8Array(io.CompositeArrayBuffer.join(weightData));
  const json = JSON.stringify({
    modelTopology,
    ...rest,
    weightsManifest: [{ paths: ["weights.bin"], weights: weightSpecs }],
  });
  try {
    await fs().mkdir(folder, { recursive: true });
    await fs().writeFile(paths().join(folder, "weights.bin"), bytes);
    await fs().writeFile(paths().join(folder, "model.json"), json);
  } catch (error) {
    const reason = (error as Error).message;
    throw new FileError("MODEL_WRITE", { op: "LayersModel.save", folder, reason }, { cause: error });
  }
  return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(model) };
}

async function load(path: string): Promise<io.ModelArtifacts> {
  const file = path.endsWith(".json") ? path : paths().join(path, "model.json");
  const text = new TextDecoder().decode(await read(file));
  const json = parse(file, text);
  return io.getModelArtifactsForJSON(json, async (manifest) => {
    const specs = manifest.flatMap(({ weights }) => weights);
    const folder = paths().dirname(file);
    const shards = manifest.flatMap((group) => group.paths);
    const stray = shards.find((shard) => !isWithin(folder, shard));
    if (stray !== undefined) {
      const got = `weights outside of its folder, ${JSON.stringify(stray)}`;
      throw new DataError("MODEL_DAMAGED", { op: "loadLayersModel", file, got });
    }
    const parts = await Promise.all(shards.map((shard) => read(paths().join(folder, shard))));
    const data = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
    const expected = byteLength(specs);
    if (expected !== undefined && data.length !== expected) {
      const got = `${data.length} bytes where its weights have ${expected}`;
      throw new DataError("MODEL_DAMAGED", { op: "loadLayersModel", file: shards.join(", "), got });
    }
    return [specs, data.buffer];
  });
}

/** A model that was downloaded may name any file; what it names must lie beside it. */
function isWithin(folder: string, shard: unknown): boolean {
  if (typeof shard !== "string") return false;
  const way = paths().relative(folder, paths().join(folder, shard));
  return !paths().isAbsolute(way) && way.split(paths().sep)[0] !== "..";
}

function parse(file: string, text: string): io.ModelJSON {
  try {
    const json = JSON.parse(text) as io.ModelJSON | null;
    if (typeof json?.modelTopology === "object" && json.modelTopology !== null) return json;
  } catch (error) {
    const got = (error as Error).message;
    throw new DataError("MODEL_DAMAGED", { op: "loadLayersModel", file, got }, { cause: error });
  }
  throw new DataError("MODEL_DAMAGED", { op: "loadLayersModel", file, got: "no modelTopology" });
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await fs().readFile(path);
  } catch (error) {
    const reason = (error as Error).message;
    throw new FileError("UNREADABLE", { op: "loadLayersModel", path, reason }, { cause: error });
  }
}

/** The bytes of weights, where they are stored as they are. */
function byteLength(specs: io.WeightsManifestEntry[]): number | undefined {
  let bytes = 0;
  for (const { shape, dtype, quantization } of specs) {
    if (quantization || (dtype !== "float32" && dtype !== "int32")) return undefined;
    bytes += 4 * shape.reduce((product, n) => product * n, 1);
  }
  return bytes;
}
