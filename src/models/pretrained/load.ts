import type { Checkpoint, TensorInfo } from "../../checkpoints/checkpoint.ts";
import { DataError } from "../../core/errors.ts";
import { hasPackedKernels } from "../../ops/packed.ts";
import { type ParameterSpecs, Parameters } from "../parameters.ts";
import { fullConfig } from "../transformer/config.ts";
import { transformerParameters } from "../transformer/parameters.ts";
import { publishedNames, publishedParameter } from "../transformer/published.ts";
import { Transformer } from "../transformer/transformer.ts";
import type { Architecture, ArchitectureModel, ShapeOf } from "./architecture.ts";
import { albertArchitecture, bertArchitecture, robertaArchitecture } from "./architectures/bert.ts";
import { distilbertArchitecture } from "./architectures/distilbert.ts";
import { ggufModel } from "./architectures/gguf.ts";
import { gpt2Architecture } from "./architectures/gpt2.ts";
import { llamaArchitecture } from "./architectures/llama.ts";
import { marianArchitecture } from "./architectures/marian.ts";
import { t5Architecture } from "./architectures/t5.ts";
import { vitArchitecture } from "./architectures/vit.ts";
import { ConfigJson } from "./config-json.ts";
import { checkMemory, loadingMemory } from "./memory.ts";
import { mayStayStored, storedBlocks, storedHalves } from "./stored.ts";

const ARCHITECTURES: readonly Architecture[] = [
  bertArchitecture,
  robertaArchitecture,
  distilbertArchitecture,
  albertArchitecture,
  gpt2Architecture,
  llamaArchitecture,
  vitArchitecture,
  t5Architecture,
  marianArchitecture,
];

/** Values of `model_type` that heed computes. */
export const MODEL_TYPES: readonly string[] = ARCHITECTURES.flatMap(({ types }) => types);

/** Layers are listed before their tensors are looked for: a number that no model has must not fill the memory. */
const MOST_LAYERS = 4096;

export interface LoadOptions {
  /**
   * How the matrices lie in memory: as float32, which can be trained; or as the file has them, in 16 bits or quantised, where
   * the kernels read them so (five and six bits take eight there). What has another shape or type is float32 in any case.
   *
   * @default "float32"
   */
  readonly weights?: "float32" | "stored";
  /** Called after each parameter with the share that is read. */
  readonly onProgress?: (share: number) => void;
  readonly signal?: AbortSignal;
  /** The most memory that the model may take while it is loaded, in bytes. @default what is free */
  readonly mostBytes?: number;
}

/**
 * A published checkpoint as a `Transformer`: its configuration says which family it is, its tensors which heads it has. Tensors
 * are read one at a time, so that hardly more than the model itself is in memory.
 *
 * @param json the model's config.json, as an object; a GGUF file has its own
 * @throws DataError UNSUPPORTED for a model_type or an entry that heed does not compute, FORMAT, MISSING, MISMATCH; LIMIT for
 *   a model that takes more memory than is free
 * @example
 * const checkpoint = await openCheckpoint(memoryBytes(await readFile("my-model/model.safetensors")));
 * const config = JSON.parse(await readFile("my-model/config.json", "utf8"));
 * const model = await loadPretrained(checkpoint, config);
 * model.encode({ tokens: tf.tensor2d([[2, 4, 3]], [1, 3], "int32") }).shape; // [1, 3, 6]
 * model.dispose();
 */
export async function loadPretrained(
  checkpoint: Checkpoint,
  json: Readonly<Record<string, unknown>> = {},
  { onProgress, signal, mostBytes, weights = "float32" }: LoadOptions = {},
): Promise<Transformer> {
  const { model, find } = readArchitecture(checkpoint, json);
  const specs = transformerParameters(fullConfig(model.config));
  const read = readTensors(checkpoint, { model, find }, specs);
  const kept = weights === "stored" && hasPackedKernels() ? "stored" : "float32";
  checkMemory("loadPretrained", loadingMemory(specs, read.values(), kept), mostBytes);
  const count = Object.keys(specs).length;
  let done = 0;
  const parameters = await Parameters.read(specs, async (parameter, { shape }) => {
    signal?.throwIfAborted();
    const { file, values, isWhole } = publishedParameter(model.names, parameter, shape);
    const name = find(file);
    onProgress?.(++done / count);
    if (name === undefined) return values(undefined);
    const info = checkpoint.tensors.get(name)!;
    const keeps = weights === "stored" && mayStayStored(parameter, shape);
    const blocks = keeps && isWhole ? await storedBlocks(checkpoint, name, shape) : undefined;
    if (blocks) return blocks;
    const read = values({ shape: info.shape, values: await checkpoint.read(name) });
    return (keeps && storedHalves(info.dtype, read, shape)) || read;
  });
  return new Transformer(model.config, parameters);
}

export interface Found {
  model: ArchitectureModel;
  /** The name in this file of a published name. */
  find(name: string): string | undefined;
}

/** @throws DataError UNSUPPORTED */
export function architectureOf(op: string, type: unknown): Architecture {
  const architecture = ARCHITECTURES.find(({ types }) => types.includes(type as string));
  if (architecture) return architecture;
  throw new DataError("UNSUPPORTED", {
    op,
    rule: `model_type must be one of ${MODEL_TYPES.join(", ")}`,
    got: JSON.stringify(type) ?? "none",
    remedy: "choose a model of one of these families",
  });
}

/**
 * What a checkpoint is, without reading a tensor.
 *
 * @throws DataError LIMIT for more layers than any model has, UNSUPPORTED, FORMAT, MISSING, MISMATCH
 */
export function readArchitecture(checkpoint: Checkpoint, json: Readonly<Record<string, unknown>>): Found {
  const found = findArchitecture(checkpoint, json);
  const { encoderLayers, decoderLayers } = found.model.config;
  const layers = Math.max(encoderLayers, decoderLayers);
  if (layers <= MOST_LAYERS) return found;
  const rule = `a model must have at most ${MOST_LAYERS} layers`;
  const remedy = "take the configuration that stands beside the weights";
  throw new DataError("LIMIT", { op: "loadPretrained", rule, got: layers, remedy });
}

function findArchitecture(checkpoint: Checkpoint, json: Readonly<Record<string, unknown>>): Found {
  const { tensors } = checkpoint;
  if (checkpoint.format === "gguf") {
    const find = (name: string) => (tensors.has(name) ? name : undefined);
    return { model: ggufModel(checkpoint.metadata, (name) => tensors.get(name)?.shape), find };
  }
  const architecture = architectureOf("loadPretrained", json.model_type);
  const find = (name: string) => spellings(name, architecture.prefix).find((one) => tensors.has(one));
  const shapeOf: ShapeOf = (name) => {
    const found = find(name);
    return found === undefined ? undefined : tensors.get(found)!.shape;
  };
  return { model: architecture.read(new ConfigJson(json), shapeOf), find };
}

/** The tensors of a checkpoint that parameters are read from, by their names there. */
export function readTensors(
  { tensors }: Checkpoint,
  { model, find }: Found,
  specs: ParameterSpecs,
): Map<string, TensorInfo> {
  const read = Object.values(publishedNames(model.names, specs)).flatMap((name) => find(name) ?? []);
  return new Map(read.map((name) => [name, tensors.get(name)!]));
}

/** What a tensor may be called: a model without a head lacks the prefix, and TensorFlow's first norms had γ and β. */
function spellings(name: string, prefix: string): string[] {
  const bare = prefix !== "" && name.startsWith(prefix) ? [name, name.slice(prefix.length)] : [name];
  return bare.flatMap((one) => [
    one,
    one
      .replace(/(LayerNorm|layer_norm)\.weight$/, "$1.gamma")
      .replace(/(LayerNorm|layer_norm)\.bias$/, "$1.beta"),
  ]);
}
