// A Gaussian glimpse has a gradient everywhere, so it can be moved onto a target by descent alone: here onto the spot
// where it sees what a hard crop at (11, 6) sees. Run: node examples/11-glimpse.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { gaussianGlimpse } from "heed";

await tf.setBackend("heed");

const bump = (y, x) => Math.exp(-((y - 14) ** 2 + (x - 9) ** 2) / 20);
const image = tf.tensor4d(
  Array.from({ length: 576 }, (_, n) => bump(Math.floor(n / 24), n % 24)),
  [1, 24, 24, 1],
);
const at = (y, x) => ({ y: axis(tf.tensor1d([y])), x: axis(tf.tensor1d([x])) });
const axis = (u) => ({ u, d: tf.tensor1d([1]), s: tf.tensor1d([1]) });
const target = gaussianGlimpse(image, at(11, 6), [7, 7]).output;

const [y, x] = [2, 15].map((start) => tf.variable(tf.tensor1d([start])));
const optimizer = tf.train.adam(0.3);
for (let step = 0; step <= 120; step++) {
  if (step % 40 === 0)
    console.log(`step ${step}: (${y.dataSync()[0].toFixed(1)}, ${x.dataSync()[0].toFixed(1)})`);
  optimizer.minimize(() => {
    const { output } = gaussianGlimpse(image, { y: axis(y), x: axis(x) }, [7, 7]);
    return tf.sum(tf.square(tf.sub(output, target)));
  });
}

// Prints:
// step 0: (2.0, 15.0)
// step 40: (12.0, 5.0)
// step 80: (11.1, 5.9)
// step 120: (11.0, 6.0)
