/** What fine-tuning.test.ts runs in Node and in a page: a published model from its bytes, trained on, and written. */
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import * as tf from "@tensorflow/tfjs-core";
import { memoryBytes, openCheckpoint } from "../../src/checkpoints/index.ts";
import {
  classLoss,
  encodePretrained,
  LoraAdapter,
  loadPretrained,
  withClassifier,
} from "../../src/models/index.ts";
import { Adam } from "../../src/train/adam.ts";
import { namedGradients } from "../../src/train/named-gradients.ts";

export interface Report {
  /** Ten of the upper layers, ten of an adapter beside them. */
  losses: number[];
  frozen: boolean;
  bytes: number;
  error?: string;
}

export async function fineTune(bytes: Uint8Array, config: Record<string, unknown>): Promise<Report> {
  await tf.setBackend("heed");
  const base = await loadPretrained(await openCheckpoint(memoryBytes(bytes)), config);
  const model = withClassifier(base, 2, 1);
  const rows = [
    [2, 4, 3, 5, 7],
    [2, 7, 3, 8, 9],
  ];
  const loss = () =>
    classLoss(model.classLogits(model.encode({ tokens: tf.tensor2d(rows, [2, 5], "int32") })), [1, 0]);
  const first = () => model.parameters.matrix("encoder/0/feed/in/weight").dataSync();
  const before = first();
  const learn = (variables: Record<string, tf.Variable>) => {
    const adam = new Adam({ learningRate: 0.01 });
    return Array.from({ length: 10 }, () => {
      const { loss: value, grads } = namedGradients(variables, loss);
      adam.apply(grads, variables);
      tf.dispose(grads);
      return value;
    });
  };
  const losses = learn(model.parameters.without("embedding/*", "encoder/0/*", "head/*"));
  const adapter = LoraAdapter.start(model, config, { r: 2 });
  model.adapter = adapter;
  losses.push(...learn({ ...adapter.variables }));
  const after = first();
  const files = encodePretrained(model, config);
  const { length } = files["model.safetensors"];
  adapter.dispose();
  model.dispose();
  return { losses, frozen: after.every((value, n) => value === before[n]), bytes: length };
}
