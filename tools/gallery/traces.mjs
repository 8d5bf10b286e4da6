// What the figures of docs/VIEWS.md show: attention that was computed, of inputs made so that each view has
// something to tell.
import "../../dist/host/backend.js";
import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../../dist/capture/index.js";
import { attend, sinusoidalEncoding } from "../../dist/index.js";
import { createTrace, traceTensor } from "../../dist/inspect/index.js";
import { attention } from "../../dist/ops/index.js";
import { encodePng } from "../../dist/viz/index.js";

const WORDS = ["the", "cat", "saw", "the", "dog", "and", "the", "dog", "saw", "the", "cat"];
const [H, D] = [4, 32];

/** Two layers of four heads: in the first head h looks h words back; in the second ever more at equal words. */
export function sentenceTrace() {
  const T = WORDS.length;
  const kinds = [...new Set(WORDS)];
  return tf.tidy(() => {
    const encoded = tf.reshape(sinusoidalEncoding(T + H, D), [T + H, D]);
    const from = (/** @type {number} */ start) => tf.slice(encoded, [start, 0], [T, D]);
    const keys = from(H);
    const vectors = tf.mul(tf.randomNormal([kinds.length, D], 0, 1, "float32", 1), D ** -0.5);
    const words = tf.gather(
      vectors,
      WORDS.map((word) => kinds.indexOf(word)),
    );
    const heads = (/** @type {(h: number) => tf.Tensor} */ of) =>
      tf.expandDims(tf.stack([0, 1, 2, 3].map(of)), 0);
    return capture(
      () => {
        const places = heads(() => keys);
        attention(
          heads((h) => from(H - h)),
          places,
          places,
          { scale: 1.5 },
        );
        const meanings = heads(() => words);
        attention(
          heads((h) => tf.mul(words, h)),
          meanings,
          meanings,
          { scale: 1 },
        );
      },
      undefined,
      { tokens: { words: WORDS } },
    );
  });
}

/** Brightness from 0 to 1 of a picture of 32 × 48: a bright disc on a ground that grows lighter. */
const [ROWS, COLUMNS, PATCH] = [32, 48, 8];
const bright = (/** @type {number} */ y, /** @type {number} */ x) =>
  Math.hypot(y - 13, x - 17) < 8 ? 0.95 : 0.15 + (0.35 * x) / COLUMNS;
const pixels = Array.from({ length: ROWS * COLUMNS }, (_, n) => bright(Math.floor(n / COLUMNS), n % COLUMNS));
const image = encodePng({
  width: COLUMNS,
  height: ROWS,
  channels: 1,
  data: Uint8Array.from(pixels, (level) => Math.round(255 * level)),
});

/** Words that attend to patches by their brightness. */
export function imageTrace() {
  const grid = { height: ROWS / PATCH, width: COLUMNS / PATCH, patch: PATCH, cls: 0 };
  const S = grid.height * grid.width;
  const means = Array.from({ length: S }, (_, s) => {
    let sum = 0;
    for (let y = 0; y < PATCH; y++)
      for (let x = 0; x < PATCH; x++)
        sum += bright(Math.floor(s / grid.width) * PATCH + y, (s % grid.width) * PATCH + x);
    return sum / PATCH ** 2;
  });
  const levels = [0.15, 0.45, 0.95];
  const weights = tf.tidy(() => {
    const distance = tf.sub(tf.tensor2d(levels, [3, 1]), tf.tensor2d(means, [1, S]));
    return tf.softmax(tf.mul(tf.square(distance), -60)).dataSync();
  });
  const patches = Array.from({ length: S }, (_, s) => `patch ${s}`);
  const attn = traceTensor([1, 3, S], Float32Array.from(weights));
  return createTrace({
    tokens: { words: ["dark", "grey", "bright"], patches },
    layers: [{ name: "words", alignQ: "words", alignK: "patches", attn }],
    image,
    grid,
  });
}

/** Two glimpses of a spatial transformer: half the picture, then the disc. */
export function glimpseTrace() {
  const glimpses = [
    traceTensor([2, 3], Float32Array.of(0.5, 0, -0.2, 0, 0.5, 0)),
    traceTensor([2, 3], Float32Array.of(0.3, 0, -0.28, 0, 0.45, -0.16)),
  ];
  return createTrace({ tokens: {}, layers: [], image, glimpses });
}

/** A Gaussian glimpse of the disc. */
export function gaussianTrace() {
  const glimpses = [traceTensor([6], Float32Array.of(6, 3, 1.2, 9, 3, 0.8))];
  return createTrace({ tokens: {}, layers: [], image, glimpses, glimpseSizes: [[5, 5]] });
}

/** The sigmoid of twelve numbers. */
export function gateTrace() {
  const numbers = tf.tidy(() => tf.sigmoid(tf.mul(tf.sin(tf.range(1, 13)), 3)).dataSync());
  return createTrace({
    tokens: {},
    layers: [],
    gates: { channels: traceTensor([12], Float32Array.from(numbers)) },
  });
}

/** One call of attention with its steps, for the pipeline. */
export function pipelineCall() {
  return tf.tidy(() => {
    const queries = tf.ones([1, 5, 16]);
    const keys = tf.ones([1, 7, 16]);
    const { trace } = attend({ queries, keys, values: keys, trace: true });
    return { input: { shape: [1, 7] }, queries, trace };
  });
}
