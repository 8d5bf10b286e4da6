// One matrix product on the built backend, compared with its value worked by hand.
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import "heed/backend";

assert.equal(await tf.setBackend("heed"), true);
const a = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
const b = tf.tensor2d([1, 0, 2, 1, 0, 3], [3, 2]);
assert.deepEqual(tf.matMul(a, b).arraySync(), [
  [5, 11],
  [14, 23],
]);
console.log(`heed backend: a matrix product is right on Node ${process.versions.node}`);
