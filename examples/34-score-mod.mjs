// Scores changed and hidden by functions that you write: traced once, compiled to WebAssembly, differentiated. A head learns
// how far to look, documents do not see each other, and a mistake is told with its line. Run: node examples/34-score-mod.mjs
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // It registers the gradients of TensorFlow.js ops.
import "heed/backend";
import { causalDocumentMaskMod } from "heed/core";
import { attention } from "heed/ops";

await tf.setBackend("heed");

// 1. A score function of one line: the farther, the less. `slope` is a captured tensor, so it has a gradient.
const recency = (score, { q, k }, { slope }) => score.sub(q.sub(k).mul(slope.at()));
const [T, D] = [256, 16];
const x = tf.randomNormal([1, 1, T, D], 0, 1, "float32", 1);
const y = tf.tidy(
  () => attention(x, x, x, { causal: true, scoreMod: recency, tensors: { slope: tf.scalar(0.2) } }).output,
);

// Learn the slope back from what it did.
const slope = tf.variable(tf.scalar(0));
const loss = () =>
  tf.losses.meanSquaredError(
    y,
    attention(x, x, x, { causal: true, scoreMod: recency, tensors: { slope } }).output,
  );
const adam = tf.train.adam(0.02);
for (let step = 0; step <= 80; step++) {
  const value = adam.minimize(loss, true, [slope]);
  if (step % 20 === 0) {
    console.log(
      `step ${step}: loss ${value.dataSync()[0].toFixed(5)}, slope ${slope.dataSync()[0].toFixed(2)}`,
    );
  }
  value.dispose();
}

// 2. Packed documents of 5, 3 and 4 tokens, causal within each. Blocks of other documents are never computed.
const document = tf.tensor2d([[0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2]], [1, 12], "int32");
const few = tf.slice(x, [0, 0, 0, 0], [1, 1, 12, D]);
const options = { maskMod: causalDocumentMaskMod, tensors: { document }, weights: true };
const weights = attention(few, few, few, options).weights.arraySync()[0][0];
for (const row of weights) console.log(row.map((w) => (w > 0 ? "█" : "·")).join(""));

// 3. Operators of JavaScript cannot be traced, and say so.
try {
  attention(x, x, x, { maskMod: ({ q, k }) => q >= k });
} catch (error) {
  console.log(error.message);
}

// Prints:
//   step 0: loss 0.17322, slope 0.02
//   step 20: loss 0.00014, slope 0.18
//   step 40: loss 0.00002, slope 0.21
//   step 60: loss 0.00003, slope 0.21
//   step 80: loss 0.00002, slope 0.21
//   █···········
//   ██··········
//   ███·········
//   ████········
//   █████·······
//   ·····█······
//   ·····██·····
//   ·····███····
//   ········█···
//   ········██··
//   ········███·
//   ········████
//   attention: maskMod must not use +, -, <, Math or text on a traced value, got one of them at …; write methods: x.add(y), x.less(y), x.exp(), condition.select(a, b)
