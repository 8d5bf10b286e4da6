import type { ScorePreset } from "../presets.ts";

/** The classics of src/core/expression/presets/masks.ts, as a reader would write them; a test compares the two. */
export const MASKS: readonly ScorePreset[] = [
  {
    name: "causal",
    title: "Causal",
    about: "A query sees keys up to its own place. Half of the blocks need no work.",
    text: `const offset = 0; // -4 to 4
const maskMod = ({ q, k }) => k.lessEqual(q.add(offset));`,
  },
  {
    name: "window",
    title: "Window",
    about: "A query sees its neighbours.",
    text: `const left = 2; // 0 to 8
const right = 1; // 0 to 8
const maskMod = ({ q, k }) => k.sub(q).greaterEqual(-left).and(k.sub(q).lessEqual(right));`,
  },
  {
    name: "dilated",
    title: "Dilated window",
    about: "Every second key of a longer stretch.",
    text: `const step = 2; // 1 to 4
const steps = 2; // 1 to 4
const maskMod = ({ q, k }) => {
  const distance = q.sub(k);
  return distance
    .greaterEqual(0)
    .and(distance.lessEqual(step * steps))
    .and(distance.mod(step).equal(0));
};`,
  },
  {
    name: "strided",
    title: "Strides",
    about: "The last keys, and every so many before: the Sparse Transformer.",
    text: `const stride = 3; // 1 to 6
const maskMod = ({ q, k }) => {
  const distance = q.sub(k);
  return distance.greaterEqual(0).and(distance.less(stride).or(distance.mod(stride).equal(0)));
};`,
  },
  {
    name: "document",
    title: "Documents",
    about:
      "Several texts in one row: a query sees its own. Where documents do not decrease, whole blocks are skipped.",
    text: `const tensors = { document: tf.tensor2d([[0, 0, 0, 1, 1, 1, 1, 2]], [1, 8], "int32") };
const maskMod = ({ b, q, k }, { document }) => document.at(b, q).equal(document.at(b, k));`,
  },
  {
    name: "causal-document",
    title: "Documents, causal",
    about: "As documents, and no key after the query.",
    text: `const tensors = { document: tf.tensor2d([[0, 0, 0, 1, 1, 1, 1, 2]], [1, 8], "int32") };
const maskMod = ({ b, q, k }, { document }) =>
  k.lessEqual(q).and(document.at(b, q).equal(document.at(b, k)));`,
  },
  {
    name: "prefix",
    title: "Prefix",
    about: "All see the prompt, the rest is causal.",
    text: `const tensors = { prefix: tf.tensor1d([3], "int32") };
const maskMod = ({ b, q, k }, { prefix }) => k.less(prefix.at(b)).or(k.lessEqual(q));`,
  },
  {
    name: "padding",
    title: "Padding",
    about: "Keys that are really there.",
    text: `const tensors = { lengths: tf.tensor1d([5], "int32") };
const maskMod = ({ b, k }, { lengths }) => k.less(lengths.at(b));`,
  },
  {
    name: "neighbourhood",
    title: "Neighbours in a picture",
    about: "Places are pixels, row by row; a query sees those around it.",
    text: `const width = 4; // 2 to 8
const radius = 1; // 0 to 3
const maskMod = ({ q, k }) => {
  const down = q.div(width).floor().sub(k.div(width).floor()).abs();
  const across = q.mod(width).sub(k.mod(width)).abs();
  return down.lessEqual(radius).and(across.lessEqual(radius));
};`,
  },
  {
    name: "block",
    title: "Blocks",
    about: "Only keys of the query’s own block.",
    text: `const size = 3; // 1 to 8
const maskMod = ({ q, k }) => q.div(size).floor().equal(k.div(size).floor());`,
  },
  {
    name: "streaming",
    title: "Sinks and a window",
    about: "The first keys and the last ones: what StreamingLLM keeps of an endless text.",
    text: `const sinks = 1; // 0 to 4
const window = 3; // 1 to 8
const maskMod = ({ q, k }) => k.lessEqual(q).and(k.less(sinks).or(q.sub(k).less(window)));`,
  },
  {
    name: "global",
    title: "Global tokens",
    about: "A window on both sides, and first tokens that see all and are seen by all.",
    text: `const global = 1; // 0 to 4
const radius = 1; // 0 to 4
const maskMod = ({ q, k }) => q.less(global).or(k.less(global)).or(q.sub(k).abs().lessEqual(radius));`,
  },
  {
    name: "tree",
    title: "A tree of candidates",
    about: "A key is seen where it is an ancestor: several continuations judged at once.",
    text: `const tensors = {
  ancestor: tf.tensor2d(
    [
      [1, 0, 0, 0, 0, 0, 0, 0],
      [1, 1, 0, 0, 0, 0, 0, 0],
      [1, 0, 1, 0, 0, 0, 0, 0],
      [1, 1, 0, 1, 0, 0, 0, 0],
      [1, 1, 0, 0, 1, 0, 0, 0],
      [1, 0, 1, 0, 0, 1, 0, 0],
      [1, 1, 0, 1, 0, 0, 1, 0],
      [1, 0, 1, 0, 0, 1, 0, 1],
    ],
    [8, 8],
    "bool",
  ),
};
const maskMod = ({ q, k }, { ancestor }) => ancestor.at(q, k);`,
  },
];
