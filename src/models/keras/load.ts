import { ready, tensor } from "@tensorflow/tfjs-core";
import type { LayersModel, LayerVariable } from "@tensorflow/tfjs-layers";
import { type ByteSource, memoryBytes } from "../../checkpoints/bytes.ts";
import type { Checkpoint } from "../../checkpoints/checkpoint.ts";
import { openCheckpoint } from "../../checkpoints/open.ts";
import { DataError } from "../../core/errors.ts";
import { show } from "../../core/notation.ts";
import { checkKnown, kindOf, readEntry } from "./entries.ts";
import { notComputed, READ } from "./faults.ts";
import { type Made, readModel } from "./read-model.ts";
import { keptLayers, placedLayers, variablesOf } from "./variables.ts";

export interface KerasOptions {
  /** Called after each variable with the share that is read. */
  readonly onProgress?: (share: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * A `.keras` file of Keras 3 as a model of TensorFlow.js, its weights found by their paths. Its layers must be those that
 * TensorFlow.js or heed has; heed's are registered now. No code of the file is run, and how it was compiled is left out. Half and
 * mixed precision are computed in float32.
 *
 * @param source the bytes of the file, or where they are read
 * @throws DataError UNSUPPORTED naming every layer that there is not, or the option of a layer that would compute something else;
 *   FORMAT, DAMAGED, MISMATCH · OptionError NOT_READY where the package h5wasm is not installed
 * @example
 * const model = await loadKeras(await readFile("model.keras"));
 * model.predict(tf.zeros([2, 7])).shape; // [2, 3]
 */
export async function loadKeras(
  source: ByteSource | Uint8Array,
  options: KerasOptions = {},
): Promise<LayersModel> {
  const checkpoint = await opened(source);
  try {
    const config = checkpoint.metadata.get("config");
    if (checkpoint.format !== "keras" || config === undefined) {
      const got = checkpoint.format === "keras" ? "weights alone" : checkpoint.format;
      throw notComputed(
        "a file must be .keras, a model with its weights",
        got,
        "give weights alone to loadKerasWeights",
      );
    }
    const entry = readEntry(config);
    checkKnown(entry);
    if (kindOf(entry) !== "functional" && kindOf(entry) !== "sequential")
      throw notComputed("a model must be Functional or Sequential", entry.className, "build it of layers");
    await import("../../layers/index.ts");
    await ready();
    const made: Made = { orders: new Map(), layers: [] };
    try {
      const model = readModel(entry, made);
      const placed = placedLayers(model, (one) => made.orders.get(one)!);
      await setVariables(checkpoint, placed.flatMap(variablesOf), options);
      return model;
    } catch (error) {
      for (const variable of made.layers.flatMap(({ weights }) => weights)) variable.dispose();
      throw error;
    }
  } finally {
    await checkpoint.close();
  }
}

/**
 * Sets the variables of a model to those of a file of weights, `.weights.h5` or `.keras`, which belong to a model of the same
 * layers: they are found by their paths, as Keras 3 makes them of the classes of layers. Nothing is set where one is missing.
 *
 * @throws DataError MISMATCH naming what is missing, of another shape, or left over; DAMAGED · OptionError NOT_READY where the
 *   package h5wasm is not installed
 * @example
 * await loadKerasWeights(model, await readFile("model.weights.h5"));
 */
export async function loadKerasWeights(
  model: LayersModel,
  source: ByteSource | Uint8Array,
  options: KerasOptions = {},
): Promise<void> {
  const checkpoint = await opened(source);
  try {
    await setVariables(checkpoint, placedLayers(model, keptLayers).flatMap(variablesOf), options);
  } finally {
    await checkpoint.close();
  }
}

const opened = (source: ByteSource | Uint8Array) =>
  openCheckpoint(source instanceof Uint8Array ? memoryBytes(source, READ) : source);

/** What a file has beside the variables of layers. */
const ASIDE = /^(optimizer|_?metrics|_?loss_tracker)\/|\/(seed_generator|_?dropout_layer)\//;
const MOST_SHOWN = 8;

async function setVariables(
  checkpoint: Checkpoint,
  variables: readonly (readonly [path: string, variable: LayerVariable])[],
  { onProgress, signal }: KerasOptions,
): Promise<void> {
  const wanted = new Map(variables);
  const faults = [...wanted].flatMap(([path, { shape }]) => {
    const found = checkpoint.tensors.get(path)?.shape;
    if (!found) return [`no ${path}`];
    const sizes = shape.map((n) => n ?? -1);
    return show(found) === show(sizes) ? [] : [`${path} ${show(found)} for ${show(sizes)}`];
  });
  const more = [...checkpoint.tensors.keys()].filter((path) => !wanted.has(path) && !ASIDE.test(path));
  faults.push(...more.map((path) => `${path} too`));
  if (faults.length > 0) {
    throw new DataError("MISMATCH", {
      op: READ,
      rule: `the file must have the ${wanted.size} variables of the model, and no others`,
      got: faults.slice(0, MOST_SHOWN).join(", ") + (faults.length > MOST_SHOWN ? ", …" : ""),
      remedy: "take the file of this model",
    });
  }
  let done = 0;
  for (const [path, variable] of wanted) {
    signal?.throwIfAborted();
    const values = tensor(await checkpoint.read(path), checkpoint.tensors.get(path)!.shape as number[]);
    try {
      variable.write(values);
    } finally {
      values.dispose();
    }
    onProgress?.(++done / wanted.size);
  }
}
