// Hard attention looks at one thing, so no gradient says where to look. The score-function estimator learns it
// from rewards alone: which of eight slots holds what was asked for? Run: node examples/09-hard-attention.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { entropy, logProbability, MovingAverage, sampledAttention, scoreFunctionLoss } from "heed";

await tf.setBackend("heed");

const slots = tf.reshape(tf.eye(8), [1, 1, 8, 8]); // keys and values: slot s holds s
const asked = slots; // eight queries, one for each slot
const w = tf.variable(tf.zeros([8, 8])); // what turns a query into where to look
const look = (options) =>
  sampledAttention(tf.reshape(tf.matMul(tf.reshape(asked, [8, 8]), w), [1, 1, 8, 8]), slots, slots, options);
const rewards = (index) => tf.cast(tf.equal(tf.reshape(index, [8]), tf.range(0, 8, 1, "int32")), "float32");

const optimizer = tf.train.adam(0.2);
const average = new MovingAverage();
for (let step = 0; step < 150; step++) {
  optimizer.minimize(() => {
    const { weights, index } = look({ training: true, seed: step });
    const [alpha, drawn] = [tf.reshape(weights, [8, 8]), tf.reshape(index, [8])];
    const reward = rewards(drawn);
    const baseline = { kind: "movingAverage", value: average.value };
    average.update(reward);
    return scoreFunctionLoss(logProbability(alpha, drawn), reward, { baseline, entropy: entropy(alpha) });
  });
}
console.log(`found: ${rewards(look({}).index).dataSync().join(" ")}`);

// Prints:
// found: 1 1 1 1 1 1 1 1
