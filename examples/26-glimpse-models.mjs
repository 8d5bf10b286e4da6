// A recurrent attention model sees small crops of an image, never the whole, and is told only whether its answer was right:
// from that it learns where to look. Run: node examples/26-glimpse-models.mjs
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { RandomStream } from "heed";
import { capture } from "heed/capture";
import { RecurrentAttentionModel } from "heed/models";
import { Adam, namedGradients } from "heed/train";
import { drawTrace } from "heed/views";

await tf.setBackend("heed");

const SIDE = 12;
const GLYPHS = ["###.#..#.", "#..#..###", "#.#.#.#.#", ".#.###.#."]; // T, L, a cross and a plus, 3 × 3

/** Images of one glyph each, anywhere. */
function draw(random, count) {
  const pixels = new Float32Array(count * SIDE * SIDE);
  const labels = Int32Array.from({ length: count }, () => random.integer(GLYPHS.length));
  labels.forEach((label, n) => {
    const [y, x] = [random.integer(SIDE - 2), random.integer(SIDE - 2)];
    for (let at = 0; at < 9; at++)
      pixels[(n * SIDE + y + Math.floor(at / 3)) * SIDE + x + (at % 3)] = Number(GLYPHS[label][at] === "#");
  });
  return { images: tf.tensor4d(pixels, [count, SIDE, SIDE, 1]), labels };
}

// Two looks, each through crops of 4 × 4, 8 × 8 and 16 × 16 pixels around one place, all seen as 4 × 4.
const looks = { patch: 4, scales: 3, glimpses: 2, deviation: 0.2 };
const model = new RecurrentAttentionModel(
  { image: [SIDE, SIDE], ...looks, hidden: 32, units: 32, classes: GLYPHS.length },
  1,
);

const held = draw(new RandomStream(1, 2), 300);
function right() {
  const guesses = tf.tidy(() => tf.argMax(model.classify(held.images), 1).dataSync());
  return held.labels.filter((label, n) => label === guesses[n]).length / held.labels.length;
}
console.log(`before: ${right() < 0.5 ? "guesses" : "reads"}`);

const { variables } = model.parameters;
const adam = new Adam({ learningRate: 0.01 });
const random = new RandomStream(1, 1);
for (let step = 0; step < 400; step++) {
  const { images, labels } = draw(random, 64);
  const { grads } = namedGradients(variables, () => model.loss(images, tf.tensor1d(labels, "int32"), step));
  adam.apply(grads, variables);
  tf.dispose([images, grads]);
}
console.log(`after: ${right() < 0.8 ? "guesses" : "reads four in five, or more"}`);

// What it looked at in the first image: a box for each crop of each look, and beside it what was seen there.
const first = tf.slice(held.images, 0, 1);
const trace = capture((image) => model.classify(image), first);
const file = path.join(tmpdir(), "glimpses.svg");
writeFileSync(file, drawTrace(trace, { view: "glimpse" }));
console.log(`${trace.glimpses.length} glimpses, drawn in ${file}`);

// Prints:
//   before: guesses
//   after: reads four in five, or more
//   6 glimpses, drawn in …glimpses.svg
