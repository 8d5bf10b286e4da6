// A BERT is trained on to tell two kinds of sentences apart: its lower layers stay as they are, its upper ones and a new
// classifier learn, and the result is a folder that transformers loads.
// Run: node examples/22-fine-tune.mjs                                      # a small BERT with random weights, in seconds
//      node examples/22-fine-tune.mjs all-minilm-l6-v2 tatoeba-en-fr       # a real one, in minutes: are the words of an
//                                                                          # English sentence in order? After Ctrl-C the
//                                                                          # same command goes on; a third argument is the
//                                                                          # number of steps
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import "heed/backend";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "heed/core";
import { padBatch, readPairs } from "heed/data";
import { init } from "heed/kernels";
import { bert, classLoss, Transformer, withClassifier } from "heed/models";
import { loadModel, writePretrained } from "heed/tasks";
import { createProgress, linearSchedule, trainOn } from "heed/train";

await tf.setBackend("heed");
const [place, data, given] = process.argv.slice(2);
const { base, config, frozen, sets, steps, peak } = place ? await real() : toy();

const model = withClassifier(base, 2, 1);
const variables = model.parameters.without("embedding/*", frozen);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
const folder = place ? path.resolve("runs/fine-tune") : mkdtempSync(path.join(tmpdir(), "heed-fine-tune-"));
const perEpoch = Math.floor(sets.train.length / 16);
const count = (all) =>
  Object.values(all)
    .reduce((sum, { size }) => sum + size, 0)
    .toLocaleString("en-US");
console.log(`${count(variables)} of ${count(model.parameters.variables)} numbers are trained`);

const before = tf.tidy(() => model.parameters.matrix("encoder/0/feed/in/weight").dataSync());
const { stopped, step } = await trainOn({
  variables,
  // Another order in every epoch, a function of its number; sentences of like lengths stand together.
  batchAt(k) {
    const order = new RandomStream(1, Math.floor(k / perEpoch)).shuffle(Int32Array.from(sets.train.keys()));
    const at = k % perEpoch;
    const pool = Array.from(
      order.slice(128 * Math.floor(at / 8), 128 * Math.floor(at / 8 + 1)),
      (n) => sets.train[n],
    );
    const batch = pool
      .toSorted((a, b) => a.ids.length - b.ids.length)
      .slice(16 * (at % 8), 16 * ((at % 8) + 1));
    return { batch, tokens: batch.reduce((sum, { ids }) => sum + ids.length, 0) };
  },
  loss: (batch, dropoutSeed) =>
    classLoss(
      logitsOf(batch, dropoutSeed),
      batch.map(({ label }) => label),
    ),
  steps,
  learningRate: linearSchedule({ peak, steps, warmupSteps: Math.ceil(steps / 10) }),
  adam: { clipNorm: 1 },
  recipe: { frozen: String(frozen), steps, peak },
  evaluate: () => 100 * accuracy(sets.valid),
  evaluateEvery: Math.ceil(steps / 2),
  signal: stop.signal,
  ...(place && { progress: createProgress(), checkpoint: { folder, everySeconds: 60, keep: 1 } }),
});
if (stopped === "signal") process.exit(130);

const after = tf.tidy(() => model.parameters.matrix("encoder/0/feed/in/weight").dataSync());
console.log(
  `after ${step} steps the frozen layer 0 is ${after.every((value, n) => value === before[n]) ? "what it was" : "another"}`,
);
const share = (value) => `${(100 * value).toFixed(1)} %`;
console.log(
  `held out: ${share(accuracy(sets.test))} right; by the words and their number alone ${share(bagOfWords())}`,
);
await writePretrained(path.join(folder, "model"), { model, config }, { ...(place && { from: place }) });
console.log(`written: ${readdirSync(path.join(folder, "model")).toSorted().join(", ")}`);
model.dispose();

function logitsOf(batch, dropoutSeed) {
  return tf.tidy(() => {
    const { ids, lengths, rows, width } = padBatch(batch.map(({ ids }) => ids));
    const tokens = tf.tensor2d(ids, [rows, width], "int32");
    return model.classLogits(model.encode({ tokens, lengths }, { dropoutSeed }));
  });
}

function accuracy(given) {
  const set = given.toSorted((a, b) => a.ids.length - b.ids.length);
  let right = 0;
  for (let at = 0; at < set.length; at += 32) {
    const batch = set.slice(at, at + 32);
    const said = tf.tidy(() => tf.argMax(logitsOf(batch), -1).dataSync());
    right += batch.filter(({ label }, n) => said[n] === label).length;
  }
  return right / set.length;
}

/** Logistic regression on which words there are and how many: what can be told without their order. */
function bagOfWords() {
  const weights = new Map();
  const features = ({ ids }) => [[-1, 1], [-2, ids.length / 32], ...[...new Set(ids)].map((id) => [id, 1])];
  const score = (given) => given.reduce((sum, [name, value]) => sum + (weights.get(name) ?? 0) * value, 0);
  for (let epoch = 0; epoch < 20; epoch++) {
    for (const n of new RandomStream(2, epoch).shuffle(Int32Array.from(sets.train.keys()))) {
      const given = features(sets.train[n]);
      const error = sets.train[n].label - 1 / (1 + Math.exp(-score(given)));
      for (const [name, value] of given) weights.set(name, (weights.get(name) ?? 0) + 0.05 * error * value);
    }
  }
  return (
    sets.test.filter((one) => (score(features(one)) > 0 ? 1 : 0) === one.label).length / sets.test.length
  );
}

/** Sentences of seven tokens, of which 5 stands before 6 in one half and after it in the other. */
function toy() {
  const random = new RandomStream(3);
  const draw = (_, n) => {
    const ids = [2, ...Array.from({ length: 5 }, () => 7 + random.integer(6)), 3];
    const at = [1, 2, 3, 4, 5].map((place) => [random.uniform(), place]).toSorted(([a], [b]) => a - b);
    const [one, other] = [at[0][1], at[1][1]].toSorted();
    ids[one] = n % 2 === 0 ? 5 : 6;
    ids[other] = n % 2 === 0 ? 6 : 5;
    return { ids, label: n % 2 };
  };
  const sizes = { layers: 2, width: 32, heads: 4, vocabulary: 13, positions: 11, head: false, dropout: 0 };
  const config = {
    ...{ model_type: "bert", vocab_size: 13, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4 },
    ...{ intermediate_size: 128, hidden_act: "gelu", max_position_embeddings: 11, type_vocab_size: 2 },
  };
  const lists = [640, 100, 200].map((length) => Array.from({ length }, draw));
  const sets = { train: lists[0], valid: lists[1], test: lists[2] };
  return {
    base: new Transformer(bert(sizes), 1),
    config,
    frozen: "encoder/0/*",
    sets,
    steps: 200,
    peak: 5e-3,
  };
}

/** MiniLM, or another BERT; and sentences, of which every second has its words in another order. */
async function real() {
  await init({ threads: 2 });
  const pretrained = await loadModel(place);
  const read = (split, most) => {
    const sentences = new Set(readPairs(path.join(data, `${split}.tsv.gz`)).map(({ source }) => source));
    const chosen = [...sentences]
      .map((text) => text.replace(/[.!?]$/, "").split(" "))
      .filter(({ length }) => length >= 5);
    const some = Array.from(
      new RandomStream(5).shuffle(Int32Array.from(chosen.keys())).slice(0, most),
      (n) => chosen[n],
    );
    return some.map((words, n) => {
      const order = new RandomStream(6, n).shuffle(Int32Array.from(words.keys()));
      const text = n % 2 === 0 ? words.join(" ") : Array.from(order, (at) => words[at]).join(" ");
      return { ids: pretrained.encode(text).ids.slice(0, 32), label: n % 2 };
    });
  };
  const sets = { train: read("train", 8000), valid: read("valid", 200), test: read("test", 800) };
  const steps = Number(given ?? 200);
  return {
    base: pretrained.model,
    config: pretrained.config,
    frozen: /^encoder\/[0-3]\//,
    sets,
    steps,
    peak: 5e-4,
  };
}

// Prints:
// 13,826 of 27,426 numbers are trained
// after 200 steps the frozen layer 0 is what it was
// held out: 100.0 % right; by the words and their number alone 50.0 %
// written: config.json, model.safetensors
