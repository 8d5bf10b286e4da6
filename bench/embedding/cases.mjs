/**
 * What is measured: an encoder of the sizes of all-MiniLM-L6-v2 embeds 256 sentences in batches of 32, as they come or
 * sorted by their length beforehand. Everyone is given the same batches of token ids and answers the means of the last
 * states, of length 1. The weights are random, the lengths those of English sentences; the vocabulary is cut short,
 * because looking up a row takes the same time in any table.
 */
import { normals } from "../random.mjs";

/** @typedef {{ layers: number, width: number, heads: number, inner: number, vocabulary: number, positions: number }} Sizes */
/** @typedef {{ name: string, sizes: Sizes, sentences: number, size: number, sorted: boolean }} Case */

const MINILM = { layers: 6, width: 384, heads: 12, inner: 1536, vocabulary: 2000, positions: 128 };
const SMALL = { layers: 2, width: 16, heads: 2, inner: 32, vocabulary: 50, positions: 128 };
export const EPSILON = 1e-12;

/** @type {Case[]} */
export const EMBEDDING_CASES = [
  { name: "MiniLM, 256 sentences as they come", sizes: MINILM, sentences: 256, size: 32, sorted: false },
  { name: "MiniLM, 256 sentences by length", sizes: MINILM, sentences: 256, size: 32, sorted: true },
];

/** @type {Case[]} */
export const QUICK_EMBEDDING_CASES = [
  { name: "small BERT, 6 sentences", sizes: SMALL, sentences: 6, size: 3, sorted: false },
];

/** The two pieces around a sentence are among its tokens: half of the sentences have 16 or fewer, one in twenty 37 or more. */
const lengthOf = (/** @type {number} */ z, /** @type {Sizes} */ { positions }) =>
  Math.min(positions, Math.max(4, Math.round(Math.exp(2.8 + 0.5 * z))));

/** The batches of a case: the ids of each sentence. @returns {Int32Array[][]} */
export function batchesOf(/** @type {Case} */ { sizes, sentences, size, sorted }) {
  const lengths = Array.from(normals(sentences, 1), (z) => lengthOf(z, sizes));
  if (sorted) lengths.sort((a, b) => a - b);
  const texts = lengths.map((length, n) =>
    Int32Array.from({ length }, (_, t) => (n * 7919 + t * 104_729) % sizes.vocabulary),
  );
  return Array.from({ length: Math.ceil(sentences / size) }, (_, b) => texts.slice(b * size, (b + 1) * size));
}

/** Weights by heed's names; matrices are [out, in]. @returns {Record<string, Float32Array>} */
export function weightsOf(/** @type {Sizes} */ { layers, width: C, inner: F, vocabulary, positions }) {
  let seed = 2;
  const random = (/** @type {number} */ size, /** @type {number} */ deviation, mean = 0) =>
    normals(size, seed++).map((z) => mean + deviation * z);
  const map = (/** @type {string} */ name, /** @type {number} */ out, /** @type {number} */ into) => ({
    [`${name}/weight`]: random(out * into, 1 / Math.sqrt(into)),
    [`${name}/bias`]: random(out, 0.1),
  });
  const norm = (/** @type {string} */ name) => ({
    [`${name}/gamma`]: random(C, 0.1, 1),
    [`${name}/beta`]: random(C, 0.1),
  });
  const layer = (/** @type {string} */ name) => ({
    ...Object.assign({}, ...["query", "key", "value", "output"].map((m) => map(`${name}/self/${m}`, C, C))),
    ...norm(`${name}/self/norm`),
    ...map(`${name}/feed/in`, F, C),
    ...map(`${name}/feed/out`, C, F),
    ...norm(`${name}/feed/norm`),
  });
  return {
    "embedding/token": random(vocabulary * C, 1),
    "embedding/position": random(positions * C, 1),
    "embedding/type": random(2 * C, 1),
    ...norm("embedding/norm"),
    ...Object.assign({}, ...Array.from({ length: layers }, (_, n) => layer(`encoder/${n}`))),
  };
}
