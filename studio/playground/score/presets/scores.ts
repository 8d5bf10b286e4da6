import type { ScorePreset } from "../presets.ts";

/** The classics of src/core/expression/presets/scores.ts, as a reader would write them; a test compares the two. */
export const SCORES: readonly ScorePreset[] = [
  {
    name: "alibi",
    title: "ALiBi",
    about:
      "Each head minds distance in its own way: the score falls by a slope for every step between query and key.",
    text: `const H = 2; // 1 to 8
const scoreMod = (score, { h, q, k }) =>
  score.sub(h.add(1).mul((-8 * Math.LN2) / H).exp().mul(k.sub(q).abs()));`,
  },
  {
    name: "learned-alibi",
    title: "ALiBi, slopes learned",
    about: "The slopes are a tensor: they get gradients, and training finds them.",
    text: `const tensors = { slopes: tf.tensor1d([1, 0.1]) };
const scoreMod = (score, { h, q, k }, { slopes }) =>
  score.sub(slopes.at(h).mul(k.sub(q).abs()));`,
  },
  {
    name: "relative",
    title: "Relative positions",
    about:
      "A number for each distance, from a table for each head; what is further away shares the last entry.",
    text: `const most = 2; // 1 to 3
const tensors = {
  table: tf.tensor2d([
    [-2, 0, 2, 0, -2],
    [2, 1, 0, -1, -2],
  ]),
};
const scoreMod = (score, { h, q, k }, { table }) =>
  score.add(table.at(h, k.sub(q).add(most)));`,
  },
  {
    name: "t5",
    title: "T5’s buckets",
    about:
      "Distances fall into buckets, near ones into one each, far ones together; each bucket has a number for each head.",
    text: `const T = 8; // 1 to 16
const tensors = {
  buckets: tf.tensor1d([3, 3, 3, 3, 2, 2, 1, 0, 4, 5, 5, 6, 6, 6, 6], "int32"),
  table: tf.tensor2d([
    [2, 0],
    [1, 1],
    [0, 1],
    [-2, 0],
    [1, -1],
    [0, -2],
    [-2, -3],
  ]),
};
const scoreMod = (score, { h, q, k }, { buckets, table }) => {
  const distance = k.sub(q).add(T - 1);
  return score.add(table.at(buckets.at(distance), h));
};`,
  },
  {
    name: "soft-cap",
    title: "Soft-cap",
    about: "No score passes the cap, and small ones stay as they are. Gemma 2 caps at 50.",
    text: `const cap = 1.5; // 0.25 to 10
const scoreMod = (score) => score.mul(1 / cap).tanh().mul(cap);`,
  },
  {
    name: "temperature",
    title: "A temperature for each head",
    about: "A small temperature makes a head sharp, a large one makes it even.",
    text: `const tensors = { temperature: tf.tensor1d([0.3, 3]) };
const scoreMod = (score, { h }, { temperature }) => score.div(temperature.at(h));`,
  },
  {
    name: "gain",
    title: "One learned factor",
    about: "Keras’ use_scale: a single number that all scores are multiplied by.",
    text: `const tensors = { gain: tf.scalar(2.5) };
const scoreMod = (score, _, { gain }) => score.mul(gain.at());`,
  },
  {
    name: "sigmoid-gate",
    title: "A gate for each head",
    about: "A head whose gate is shut sees all scores as 0, and so all keys alike.",
    text: `const tensors = { gate: tf.tensor1d([4, -4]) };
const scoreMod = (score, { h }, { gate }) => score.mul(gate.at(h).sigmoid());`,
  },
  {
    name: "position",
    title: "A bias of positions",
    about: "Any tensor of heads, queries and keys; an axis of length 1 is repeated.",
    text: `const tensors = {
  bias: tf.tensor3d([[[2, 0, 0, 0, 0, 0, 0, -2]], [[0, 0, 3, 3, 0, 0, 0, 0]]]),
};
const scoreMod = (score, { h, q, k }, { bias }) => score.add(bias.at(h, q, k));`,
  },
  {
    name: "forgetting",
    title: "Forgetting",
    about:
      "Each place keeps a share of what came before; the sums of their logarithms say how much of a key is left.",
    text: `const tensors = {
  decay: tf.tensor2d([[0, -0.1, -0.2, -2.2, -2.3, -2.4, -2.5, -2.6]]),
};
const scoreMod = (score, { b, q, k }, { decay }) =>
  score.add(decay.at(b, q)).sub(decay.at(b, k));
const maskMod = ({ q, k }) => k.lessEqual(q);`,
  },
  {
    name: "kerple",
    title: "KERPLE",
    about: "Scores fall with the logarithm of the distance, at two rates that are learned.",
    text: `const tensors = { r1: tf.tensor1d([2, 0.5]), r2: tf.tensor1d([1, 3]) };
const scoreMod = (score, { h, q, k }, { r1, r2 }) => {
  const distance = q.sub(k).abs().mul(r2.at(h).abs()).add(1);
  return score.sub(r1.at(h).abs().mul(distance.log()));
};`,
  },
  {
    name: "gaussian",
    title: "Luong’s Gaussian window",
    about: "Each query has a place that it looks at; keys count less the further they are from there.",
    text: `const width = 1.5; // 0.3 to 6
const tensors = { centre: tf.tensor2d([[7, 6, 5, 4, 3, 2, 1, 0]]) };
const scoreMod = (score, { b, q, k }, { centre }) =>
  score.sub(k.sub(centre.at(b, q)).square().mul(1 / (2 * width * width)));`,
  },
  {
    name: "log-length",
    title: "Scores that grow with length",
    about:
      "The more keys a query sees, the thinner its weights; scores that grow with the logarithm make up for it.",
    text: `const n = 4; // 2 to 16
const inverse = 1 / Math.log(n);
const scoreMod = (score, { q }) => score.mul(q.add(2).log().mul(inverse));
const maskMod = ({ q, k }) => k.lessEqual(q);`,
  },
];
