// Attention alone does not know an order. Three ways to tell it: rotate queries and keys (RoPE), add a bias that falls
// with the distance (ALiBi), or one that is learned for each distance (T5). Run: node examples/12-positions.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import { alibiBias, rope, softAttention, t5Bias } from "heed";

await tf.setBackend("heed");

const x = tf.ones([1, 2, 6, 8]); // six equal tokens: whatever differs is position
const last = (options, q = x) => {
  const { weights } = softAttention(q, q, x, { causal: true, weights: true, ...options });
  return [...tf.slice(weights, [0, 0, 5, 0], [1, 1, 1, 6]).dataSync()].map((w) => w.toFixed(2)).join(" ");
};

console.log(`none   ${last({})}`);
console.log(`RoPE   ${last({}, rope(x))}`);
console.log(`ALiBi  ${last({ bias: alibiBias(2, 6, 6) })}`);
const table = tf.tensor2d(
  Array.from({ length: 32 }, (_, bucket) => [-bucket, 0]),
  [32, 2],
);
console.log(`T5     ${last({ bias: t5Bias({ table }, 6, 6, { bidirectional: false }) })}`);

// Prints:
// none   0.17 0.17 0.17 0.17 0.17 0.17
// RoPE   0.17 0.09 0.07 0.11 0.23 0.32
// ALiBi  0.14 0.15 0.16 0.17 0.18 0.19
// T5     0.00 0.01 0.03 0.09 0.23 0.63
