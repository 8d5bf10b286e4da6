// A recurrent attention model sees small crops of an image, never the whole, and is told only whether its answer was right:
// from that it learns where to look. A spatial transformer learns by its gradient which window to bring before a classifier, and
// DRAW paints images again through windows that it moves. Run: node examples/26-glimpse-models.mjs
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { RandomStream } from "heed";
import { capture } from "heed/capture";
import { Draw, RecurrentAttentionModel, SpatialTransformerClassifier } from "heed/models";
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

function right(model) {
  const guesses = tf.tidy(() => tf.argMax(model.classify(held.images), 1).dataSync());
  return held.labels.filter((label, n) => label === guesses[n]).length / held.labels.length;
}

function learn(model, { steps, batch, learningRate }, loss) {
  const { variables } = model.parameters;
  const adam = new Adam({ learningRate });
  const random = new RandomStream(1, 1);
  for (let step = 0; step < steps; step++) {
    const { images, labels } = draw(random, batch);
    const { grads } = namedGradients(variables, () => loss(images, tf.tensor1d(labels, "int32"), step));
    adam.apply(grads, variables);
    tf.dispose([images, grads]);
  }
}

console.log(`before: ${right(model) < 0.5 ? "guesses" : "reads"}`);
learn(model, { steps: 400, batch: 64, learningRate: 0.01 }, (...given) => model.loss(...given));
console.log(`after: ${right(model) < 0.8 ? "guesses" : "reads four in five, or more"}`);

// What each looked at in the first image: a box for each glimpse, and beside it what was seen there.
const first = tf.slice(held.images, 0, 1);
function picture(name, run) {
  const trace = capture(run, first);
  const file = path.join(tmpdir(), `${name}.svg`);
  writeFileSync(file, drawTrace(trace, { view: "glimpse" }));
  console.log(`${trace.glimpses.length} glimpses, drawn in ${file}`);
}
picture("glimpses", (image) => model.classify(image));

// Its window has four numbers, from which a gradient leads back: it begins as the whole image.
const window = { image: [SIDE, SIDE], glimpse: [6, 6], transform: "crop" };
const transformer = new SpatialTransformerClassifier(
  { ...window, features: 8, hidden: 32, classes: GLYPHS.length },
  1,
);
const shown = () =>
  [...tf.slice(transformer.locate(first), 0, 1).dataSync()].map((x) => x.toFixed(2)).join(" ");
console.log(`window before: ${shown()}`);
learn(transformer, { steps: 300, batch: 32, learningRate: 0.005 }, (images, labels) =>
  transformer.loss(images, labels),
);
console.log(`after: ${right(transformer) < 0.65 ? "guesses" : "reads two in three, or more"}`);
picture("window", (image) => transformer.classify(image));

// Four times it reads 3 × 3 numbers of what is missing, and adds a patch to its canvas.
const sizes = { encoder: 32, decoder: 32, latent: 6, pixels: "normal" };
const painter = new Draw({ image: [SIDE, SIDE], steps: 4, read: [3, 3], write: [3, 3], ...sizes }, 1);
const missing = () =>
  tf.tidy(() => {
    const left = tf.sub(held.images, painter.run(held.images).at(-1).canvas);
    return tf.div(tf.sum(tf.square(left)), tf.sum(tf.square(held.images))).dataSync()[0];
  });
const before = missing();
learn(painter, { steps: 130, batch: 32, learningRate: 0.01 }, (images, _, step) =>
  painter.loss(images, step),
);
console.log(
  `missing of an image: ${before > 0.9 ? "all" : "some"}, then ${missing() < 0.6 ? "half" : "more"}`,
);
picture("painting", (image) => painter.run(image).at(-1).canvas);

// Prints:
//   before: guesses
//   after: reads four in five, or more
//   6 glimpses, drawn in …glimpses.svg
//   window before: 1.00 0.00 0.00 0.00 1.00 0.00
//   after: reads two in three, or more
//   1 glimpses, drawn in …window.svg
//   missing of an image: all, then half
//   4 glimpses, drawn in …painting.svg
