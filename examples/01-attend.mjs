// Attention in its four steps, each stage on view: score → mask → normalise → aggregate.
// Run: node examples/01-attend.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import { attend, scaledDotScore } from "heed";

await tf.setBackend("heed");

// Two queries over three keys, in four dimensions: B = 1, T = 2, S = 3, D = 4. The third key is padding.
const queries = tf.tensor3d([
  [
    [2, 0, 0, 0],
    [0, 2, 0, 0],
  ],
]);
const keys = tf.tensor3d([
  [
    [2, 0, 0, 0],
    [0, 2, 0, 0],
    [9, 9, 9, 9],
  ],
]);
const values = tf.tensor3d([
  [
    [10, 0],
    [0, 10],
    [NaN, NaN],
  ],
]);

const { trace } = attend({
  queries,
  keys,
  values,
  score: scaledDotScore(),
  mask: { keyLengths: [2] },
  trace: true,
});

/** A [1, rows, columns] tensor, one line a row. */
const show = (name, tensor) =>
  console.log(
    `${name}: ${tensor
      .arraySync()[0]
      .map((row) => row.map((x) => x.toFixed(2)).join(" "))
      .join(" | ")}`,
  );

show("scores", trace.scores);
show("masked", trace.masked);
show("weights", trace.weights);
show("output", trace.output);

// Prints:
// scores: 2.00 0.00 9.00 | 0.00 2.00 9.00
// masked: 2.00 0.00 -Infinity | 0.00 2.00 -Infinity
// weights: 0.88 0.12 0.00 | 0.12 0.88 0.00
// output: 8.81 1.19 | 1.19 8.81
