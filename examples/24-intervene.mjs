// Attention you can operate on: a circuit of two layers that completes "so the cat sat on the" is taken apart while it runs. Its
// weights are written by hand, so that everything that happens can be followed. Run: node examples/24-intervene.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { headEffects, intervene, record } from "heed/intervene";
import { attention } from "heed/ops";

await tf.setBackend("heed");

const words = ["so", "the", "cat", "sat", "on", "dog"];
const ids = (text) => text.split(" ").map((word) => words.indexOf(word));
const oneHot = (list, width) => tf.cast(tf.oneHot(tf.tensor1d(list, "int32"), width), "float32");
const heads = (...parts) => tf.expandDims(tf.stack(parts), 0); // [1, H, T, D]

/** What follows a text: layer 0 tells each word which one stood before it, layer 1 looks for "after this word" and copies. */
function complete(text) {
  return tf.tidy(() => {
    const list = ids(text);
    const T = list.length;
    const word = oneHot(list, words.length);
    const place = tf.eye(T);
    // Layer 0: one head looks at the word before, the other one, of which nothing is read, at the first.
    const before = oneHot(
      [...list.keys()].map((t) => Math.max(0, t - 1)),
      T,
    );
    const first = oneHot(
      list.map(() => 0),
      T,
    );
    const options = { causal: true, scale: 6 };
    const told = attention(heads(before, first), heads(place, place), heads(word, word), options).output;
    // Layer 1: one head. A word asks for those that were told that it stood before them.
    const known = tf.slice(told, [0, 0, 0, 0], [1, 1, T, words.length]);
    const found = attention(heads(word), known, heads(word), options).output;
    return tf.softmax(tf.mul(5, tf.reshape(tf.slice(found, [0, 0, T - 1, 0], [1, 1, 1, -1]), [-1])));
  });
}

const show = (name, chances) => {
  const best = tf.argMax(chances).dataSync()[0];
  console.log(`${name}: ${words[best]} ${chances.dataSync()[best].toFixed(2)}`);
};
const run = () => complete("so the cat sat on the");
show("as it is", run());

// Which heads does "cat" need? Each is taken out in turn; then to first order, in one run with its gradients.
const cat = (chances) => tf.slice(chances, [2], [1]);
for (const method of ["exact", "gradient"]) {
  const { ranking } = headEffects(run, cat, { method });
  const effects = ranking.map(({ layer, head, effect }) => `${layer}.${head} ${Math.abs(effect).toFixed(2)}`);
  console.log(`effects, ${method}: ${effects.join(", ")}`);
}

// Layer 1 may not look from the last word at "cat"; its weights are put on "on"; and the run goes on with values of another.
show("without an edge", intervene(run, [{ do: "knockOut", layer: 1, edges: [[5, 2]] }]));
const pinned = [{ do: "pin", layer: 1, queries: 5, weights: [0, 0, 0, 0, 1, 0] }];
show("pinned", intervene(run, pinned));
const other = record(() => complete("so the dog sat on the"));
const patched = [{ do: "patch", what: "v", from: "other", layer: 1, keys: 2 }];
show("patched", intervene(run, patched, { runs: { other } }));
other.dispose();

// Interventions are plain JSON: they can be kept, sent and pasted.
console.log(`intervene(run, ${JSON.stringify(pinned)})`);

// Prints:
//   as it is: cat 0.96
//   effects, exact: 0.0 0.82, 1.0 0.80, 0.1 0.00
//   effects, gradient: 1.0 0.17, 0.0 0.02, 0.1 0.00
//   without an edge: the 0.43
//   pinned: on 0.97
//   patched: dog 0.96
//   intervene(run, [{"do":"pin","layer":1,"queries":5,"weights":[0,0,0,0,1,0]}])
