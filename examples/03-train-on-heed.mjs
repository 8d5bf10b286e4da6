// TensorFlow.js trains on the `heed` backend: any tf.layers model, nothing else changes.
// Here an embedding learns, which the stock wasm backend cannot do. Run: node examples/03-train-on-heed.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";

await tf.setBackend("heed");

// The task: of three words, say whether the second one is among the words 0 to 4.
const words = Array.from({ length: 300 }, (_, at) => [(at * 7) % 10, (at * 3) % 10, (at * 9) % 10]);
const input = tf.tensor2d(words, [300, 3], "int32");
const truth = tf.tensor2d(
  words.map(([, second]) => [second < 5 ? 1 : 0]),
  [300, 1],
);

const model = layers.sequential();
model.add(
  layers.layers.embedding({
    inputDim: 10,
    outputDim: 4,
    inputLength: 3,
    embeddingsInitializer: layers.initializers.randomUniform({ seed: 1 }),
  }),
);
model.add(layers.layers.flatten());
model.add(
  layers.layers.dense({
    units: 1,
    activation: "sigmoid",
    kernelInitializer: layers.initializers.glorotUniform({ seed: 2 }),
  }),
);
model.compile({ optimizer: tf.train.adam(0.05), loss: "binaryCrossentropy", metrics: ["accuracy"] });

const { history } = await model.fit(input, truth, { epochs: 20, shuffle: false, verbose: 0 });
console.log(`backend: ${tf.getBackend()}`);
console.log(`accuracy: ${history.acc.at(-1).toFixed(2)}`);

// Prints:
// backend: heed
// accuracy: 1.00
