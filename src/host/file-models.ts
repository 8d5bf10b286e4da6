import { io } from "@tensorflow/tfjs-core";
import { DataError, FileError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import { jsonCost } from "../core/json-cost.ts";
import { isFirst } from "./first.ts";

const SCHEME = "file://";
const OP = "loadLayersModel";
/** No model nests its layers deeper; a parser would fill the memory with 100 MB of "[". */
const DEEPEST_JSON = 200;
/** The bytes of one stored number. A string says its own length, so it is in neither list. */
const STORED_BYTES: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, complex64: 8 };
const QUANTIZED_BYTES: Readonly<Record<string, number>> = { uint8: 1, uint16: 2, float16: 2 };
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
    const rule = `${folder} must be a folder that can be written`;
    const details = { op: "LayersModel.save", rule, got: fileReason(error), remedy: "name another one" };
    throw new FileError("UNWRITABLE", { ...details, folder }, { cause: error });
  }
  return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(model) };
}

async function load(path: string): Promise<io.ModelArtifacts> {
  const file = path.endsWith(".json") ? path : paths().join(path, "model.json");
  const json = parse(file, await read(file));
  return io.getModelArtifactsForJSON(json, async (manifest) => {
    checkManifest(file, manifest);
    const specs = manifest.flatMap(({ weights }) => weights);
    const folder = paths().dirname(file);
    const shards = manifest.flatMap((group) => group.paths);
    const stray = shards.find((shard) => !isWithin(folder, shard));
    if (stray !== undefined) {
      throw damaged(file, `weights outside of its folder, ${JSON.stringify(stray)}`);
    }
    const parts = await Promise.all(shards.map((shard) => read(paths().join(folder, shard))));
    const data = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
    const expected = byteLength(specs);
    if (expected !== undefined && data.length !== expected) {
      throw damaged(shards.join(", "), `${data.length} bytes where its weights have ${expected}`);
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

function damaged(file: string, got: string, cause?: unknown): DataError<"DAMAGED"> {
  const rule = `${file} must be what heed wrote`;
  const remedy = "copy or train the model again";
  return new DataError("DAMAGED", { op: OP, rule, got, remedy, file }, { cause });
}

/** TensorFlow.js takes whatever a manifest holds; what is no list there ends in a TypeError without a name. */
function checkManifest(file: string, manifest: unknown): void {
  const must = (holds: boolean, got: string) => {
    if (!holds) throw damaged(file, got);
  };
  must(Array.isArray(manifest), "a weightsManifest that is no list");
  for (const [n, group] of (manifest as unknown[]).entries()) {
    const place = `in entry ${n} of weightsManifest`;
    const { paths: shards, weights } = (group ?? {}) as { paths?: unknown; weights?: unknown };
    must(Array.isArray(shards), `no list of paths ${place}`);
    must(Array.isArray(weights), `no list of weights ${place}`);
    for (const [i, spec] of (weights as unknown[]).entries())
      must(isSpec(spec), `no name, shape and dtype of weight ${i} ${place}`);
  }
}

function isSpec(spec: unknown): boolean {
  const { name, shape, dtype, quantization } = (spec ?? {}) as Record<string, unknown>;
  const isSize = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  const isKnown = typeof dtype === "string" && (Object.hasOwn(STORED_BYTES, dtype) || dtype === "string");
  const isPlain = quantization === undefined || quantization === null;
  const isWhole = typeof name === "string" && Array.isArray(shape) && shape.every(isSize) && isKnown;
  return isWhole && (isPlain || isQuantization(quantization));
}

function isQuantization(quantization: unknown): boolean {
  const { dtype, scale, min } = quantization as Record<string, unknown>;
  if (dtype === "float16") return true;
  return (dtype === "uint8" || dtype === "uint16") && Number.isFinite(scale) && Number.isFinite(min);
}

function parse(file: string, bytes: Uint8Array): io.ModelJSON {
  if (jsonCost(bytes).depth > DEEPEST_JSON) throw damaged(file, `brackets more than ${DEEPEST_JSON} deep`);
  try {
    const json = JSON.parse(new TextDecoder().decode(bytes)) as io.ModelJSON | null;
    if (typeof json?.modelTopology === "object" && json.modelTopology !== null) return json;
  } catch (error) {
    throw damaged(file, (error as Error).message, error);
  }
  throw damaged(file, "no modelTopology");
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await fs().readFile(path);
  } catch (error) {
    const got = `${fileReason(error)} for ${path}`;
    const remedy = "check the path and its permissions";
    const rule = "the file must be readable";
    throw new FileError("UNREADABLE", { op: OP, rule, got, remedy, path }, { cause: error });
  }
}

/** The bytes of weights; undefined where one is text, which says its own length. */
function byteLength(specs: io.WeightsManifestEntry[]): number | undefined {
  let bytes = 0;
  for (const { shape, dtype, quantization } of specs) {
    const each = quantization ? QUANTIZED_BYTES[quantization.dtype] : STORED_BYTES[dtype];
    if (each === undefined) return undefined;
    bytes += each * shape.reduce((product, n) => product * n, 1);
  }
  return bytes;
}
