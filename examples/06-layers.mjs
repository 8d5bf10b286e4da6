// Attention as a layer: a tf.layers model that learns to read a sequence backwards, saved and loaded again.
// Run: node examples/06-layers.mjs
import "heed/backend";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { input, layers, loadLayersModel, model } from "@tensorflow/tfjs-layers";
import { MultiHeadAttention } from "heed/layers"; // also makes loadLayersModel know it, and file:// work

await tf.setBackend("heed");
const [N, T, V] = [256, 6, 5]; // sequences, their length, words

const words = tf.randomUniform([N, T], 0, V, "int32", 1);
const code = (ids, depth) => tf.oneHot(ids, depth, 1, 0, "float32");
const places = tf.tile(tf.expandDims(code(tf.range(0, T, 1, "int32"), T), 0), [N, 1, 1]);
const x = tf.concat([code(words, V), places], 2);
const y = code(tf.reverse(words, 1), V);

const sequence = input({ shape: [T, V + T] });
const attention = new MultiHeadAttention({ numHeads: 1, keyDim: 8, outputShape: [V], seed: 1 });
const softmax = layers.activation({ activation: "softmax" });
const backwards = model({ inputs: sequence, outputs: softmax.apply(attention.apply(sequence)) });
backwards.compile({ optimizer: tf.train.adam(0.02), loss: "categoricalCrossentropy", metrics: ["accuracy"] });
const { history } = await backwards.fit(x, y, { epochs: 30, batchSize: 64, shuffle: false, verbose: 0 });
console.log(`accuracy: ${history.acc.at(-1).toFixed(2)}`);

const folder = pathToFileURL(path.join(tmpdir(), "backwards")).href;
await backwards.save(folder);
const loaded = await loadLayersModel(folder);
const [, weights] = loaded.layers[1].apply(tf.slice(x, 0, 1), { returnAttentionScores: true });
console.log(`looks at: ${tf.argMax(weights, -1).dataSync().join(" ")}`);

// Prints:
// accuracy: 1.00
// looks at: 5 4 3 2 1 0
