// How scores become weights is a choice: the same four scores under six normalisers.
// Sparse ones give exact zeros, softmax plus one may say "nothing here". Run: node examples/08-normalizers.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import { attend } from "heed";

await tf.setBackend("heed");

// One query of width 1, four keys: the scores are 2, 1, 0 and −1.
const queries = tf.tensor3d([[[1]]]);
const keys = tf.tensor3d([[[2], [1], [0], [-1]]]);
const values = tf.ones([1, 4, 1]);

for (const normalize of ["softmax", "entmax15", "sparsemax", "hardmax", "softmaxPlusOne", "sigmoid"]) {
  const { weights } = attend({ queries, keys, values, normalize, weights: true });
  const shown = [...weights.dataSync()].map((weight) => weight.toFixed(2)).join("  ");
  console.log(`${normalize.padEnd(15)} ${shown}`);
}

// Prints:
// softmax         0.64  0.24  0.09  0.03
// entmax15        0.83  0.17  0.00  0.00
// sparsemax       1.00  0.00  0.00  0.00
// hardmax         1.00  0.00  0.00  0.00
// softmaxPlusOne  0.59  0.22  0.08  0.03
// sigmoid         0.65  0.40  0.20  0.08
