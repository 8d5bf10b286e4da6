import type { Checkpoint, TensorInfo } from "../../src/checkpoints/checkpoint.ts";
import { useHdf5 } from "../../src/checkpoints/hdf5-library.ts";
import { openCheckpoint } from "../../src/checkpoints/open.ts";
import { openSharded, parseIndex } from "../../src/checkpoints/sharded.ts";
import { DataError } from "../../src/core/errors.ts";
import { isObject } from "../../src/core/is-object.ts";
import { size } from "../../src/core/notation.ts";
import type { NamedFile } from "./documents.ts";

/** What a file of trained values is; none of its values is read. */
export interface CheckpointFacts {
  readonly name: string;
  readonly format: Checkpoint["format"];
  /** As config.json, the card of a model of heed's own, or the file itself says. */
  readonly architecture: string | undefined;
  /** What config.json says of the model's shape, in its own words. */
  readonly shape: readonly (readonly [name: string, value: string])[];
  readonly parameters: number;
  readonly bytes: number;
  /** How many tensors there are of each type. */
  readonly dtypes: readonly (readonly [dtype: string, count: number])[];
  readonly tensors: readonly (TensorInfo & { readonly name: string })[];
  /** The files that say how text is read, where they were given too. */
  readonly beside: readonly string[];
}

const WEIGHTS = /\.(safetensors|gguf|keras|h5|hdf5|bin|pt|pth)$/i;
const INDEX = /\.index\.json$/;
const SHAPE = [
  ...[
    "num_hidden_layers",
    "n_layer",
    "num_layers",
    "encoder_layers",
    "decoder_layers",
    "hidden_size",
    "d_model",
    "n_embd",
  ],
  ...[
    "num_attention_heads",
    "n_head",
    "num_key_value_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
  ],
];

/** Whether files are those of a model: one of them has weights by its name. */
export const haveWeights = (files: readonly NamedFile[]): boolean =>
  files.some(({ name }) => WEIGHTS.test(name));

// Four megabytes that only Keras' files need: they lie beside the pages where the package is installed.
useHdf5(() => import(/* @vite-ignore */ new URL("h5wasm/hdf5_hl.js", document.baseURI).href));

/**
 * What a model is, by its files: one file of weights, or several of them with their index, and what stands beside.
 *
 * @throws DataError DAMAGED, UNSUPPORTED
 */
export async function checkpointFacts(name: string, files: readonly NamedFile[]): Promise<CheckpointFacts> {
  const checkpoint = await openFiles(name, files);
  try {
    const config = await jsonOf(files, "config.json");
    const card = await jsonOf(files, "card.json");
    const { format, metadata } = checkpoint;
    const type = config.model_type ?? card.task ?? metadata.get("general.architecture");
    const tensors = [...checkpoint.tensors].map(([name, info]) => ({ name, ...info }));
    const counts = new Map<string, number>();
    for (const { dtype } of tensors) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
    return {
      ...{ name, format, tensors, dtypes: [...counts], shape: shapeOf(config) },
      architecture: typeof type === "string" ? type : undefined,
      parameters: tensors.reduce((sum, { shape }) => sum + size(shape), 0),
      bytes: tensors.reduce((sum, tensor) => sum + tensor.bytes, 0),
      beside: files
        .map((file) => file.name)
        .filter((file) => /\.(json|txt|model)$/.test(file) && !INDEX.test(file)),
    };
  } finally {
    await checkpoint.close();
  }
}

async function openFiles(name: string, files: readonly NamedFile[]): Promise<Checkpoint> {
  const index = files.find((file) => INDEX.test(file.name));
  if (index) {
    const places = parseIndex(index.name, await (await index.blob()).text());
    return openSharded(name, places, async (part) => {
      const file = files.find((one) => one.name === part);
      if (file) return openCheckpoint(file);
      const fault = { op: name, rule: `${part} must be among the files`, got: "none of that name" };
      throw new DataError("MISMATCH", { ...fault, remedy: "open all files of the model at once" });
    });
  }
  const weights = files.find((file) => WEIGHTS.test(file.name)) ?? files[0]!;
  return openCheckpoint(weights);
}

async function jsonOf(files: readonly NamedFile[], name: string): Promise<Readonly<Record<string, unknown>>> {
  const file = files.find((one) => one.name === name);
  if (!file || file.size > MOST_JSON_BYTES) return {};
  try {
    const json: unknown = JSON.parse(await (await file.blob()).text());
    return isObject(json) ? json : {};
  } catch {
    return {};
  }
}

const MOST_JSON_BYTES = 1_000_000;

function shapeOf(config: Readonly<Record<string, unknown>>): [string, string][] {
  return SHAPE.flatMap((name) => {
    const value = config[name];
    return typeof value === "number" ? [[name, value.toLocaleString("en")] as [string, string]] : [];
  });
}
