// How far back should a head look? An adaptive span learns it: here from outputs alone, for two heads that were made
// with spans of 2 and 11 and start at 20. Run: node examples/14-adaptive-span.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { adaptiveSpan } from "heed";

await tf.setBackend("heed");

const T = 48;
const [q, k, v] = [1, 2, 3].map((seed) => tf.randomNormal([1, 2, T, 8], 0, 1, "float32", seed));
const read = (z) => adaptiveSpan(q, k, v, { z }, { ramp: 8, causal: true }).output;
const wanted = read(tf.tensor1d([2, 11]));

const z = tf.variable(tf.tensor1d([20, 20]));
const optimizer = tf.train.adam(0.3);
for (let step = 0; step <= 200; step++) {
  if (step % 100 === 0)
    console.log(`step ${step}: spans ${[...z.dataSync()].map((n) => n.toFixed(1)).join(" and ")}`);
  optimizer.minimize(() => tf.mean(tf.square(tf.sub(read(z), wanted))));
}

// Prints:
// step 0: spans 20.0 and 20.0
// step 100: spans 1.8 and 11.0
// step 200: spans 2.0 and 11.0
