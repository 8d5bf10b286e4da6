import "@tensorflow/tfjs-backend-cpu";
import { test } from "vitest";
import { loadKeras, saveKeras } from "../../../src/models/keras/index.ts";
import { expectOutputs, kerasFile } from "./fixture.ts";

/** Sums of a few hundred float32 numbers, one after the other. */
const FLOAT32 = 1e-5;

test.each([
  "stack",
  "shared",
  "multi_head",
  "attentions",
  "recurrent",
  "states",
  "reset_after",
  "convolutions",
])("%s.keras computes what it does in Keras 3", async (name) => {
  const model = await loadKeras(kerasFile(`${name}.keras`));
  expectOutputs(model, name, FLOAT32);
  const again = await loadKeras(await saveKeras(model));
  expectOutputs(again, name, FLOAT32);
  model.dispose();
  again.dispose();
});
