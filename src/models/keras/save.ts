import type { LayersModel } from "@tensorflow/tfjs-layers";
import { zipSync } from "fflate";
import { encodeHdf5, type Hdf5Group } from "../../checkpoints/hdf5-write.ts";
import { keptLayers, placedLayers, variablesOf } from "./variables.ts";
import { checkWritten, writtenModel } from "./write-model.ts";

/** The version of Keras whose files these are; other versions 3 read them too. */
const VERSION = "3.12.0";

/**
 * A model as a `.keras` file, which Keras 3 loads on whichever of its backends, with the same numbers. It may be made of the
 * layers that Keras 3 has: those of TensorFlow.js and heed's attentions and normalisations. How it was compiled is left out, and
 * numbers are float32.
 *
 * @throws OptionError UNSUPPORTED naming every layer that Keras 3 does not have, or what it computes otherwise; NOT_READY where
 *   the package h5wasm is not installed
 * @example
 * await writeFile("model.keras", await saveKeras(model));
 */
export async function saveKeras(model: LayersModel): Promise<Uint8Array> {
  checkWritten(model);
  const config = writtenModel(model);
  const weights = await saveKerasWeights(model);
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const metadata = {
    keras_version: VERSION,
    date_saved: new Date().toISOString().slice(0, 19).replace("T", "@"),
  };
  const members = {
    "metadata.json": text(metadata),
    "config.json": text(config),
    "model.weights.h5": weights,
  };
  // Weights lie in the archive as they are, so that a reader can take one alone.
  return zipSync(members, { level: 0 });
}

/**
 * The variables of a model as a `.weights.h5` file, by the paths that Keras 3 gives them.
 *
 * @throws OptionError UNSUPPORTED, NOT_READY as `saveKeras`
 * @example
 * await writeFile("model.weights.h5", await saveKerasWeights(model));
 */
export async function saveKerasWeights(model: LayersModel): Promise<Uint8Array> {
  checkWritten(model);
  const groups = new Map<string, Hdf5Group>([["vars", { name: model.name, datasets: new Map() }]]);
  for (const one of placedLayers(model, keptLayers)) {
    groups.set(`${one.path}/vars`, { name: one.name, datasets: new Map() });
    for (const [path, variable] of variablesOf(one)) {
      const at = path.lastIndexOf("/");
      const group = path.slice(0, at);
      const datasets = groups.get(group)?.datasets ?? new Map();
      const values = (await variable.read().data()) as Float32Array;
      groups.set(group, {
        name: one.name,
        datasets: new Map([...datasets, [path.slice(at + 1), { values, shape: variable.shape as number[] }]]),
      });
    }
  }
  return encodeHdf5(groups);
}
