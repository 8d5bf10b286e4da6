// A memory network learns to read a story twice: to say where the milk is, it must find who took it, and then where that one
// went. What each reading looked at is drawn. Two more memories are looked into: a Transformer-XL's, and a Neural Turing
// Machine's. Run: node examples/25-memory.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { RandomStream } from "heed/core";
import { EndToEndMemoryNetwork, MemoryTransformer, NeuralTuringMachine } from "heed/models";
import { softmaxCrossEntropy } from "heed/ops";
import { Adam, namedGradients } from "heed/train";

await tf.setBackend("heed");

const [people, places] = [
  ["ann", "ben", "eva"],
  ["garden", "kitchen", "office", "attic"],
];
const words = ["", ...people, ...places, "milk", "took", "went", "to", "where", "is"];
const ids = (text) => [...text.split(" "), "", "", ""].slice(0, 4).map((word) => words.indexOf(word));

/** One takes the milk, all walk about; the answer is where the one with the milk went last. */
function story(random) {
  const pick = (list) => list[random.integer(list.length)];
  const at = {};
  const taker = pick(people);
  const when = random.integer(6);
  const sentences = Array.from({ length: 6 }, (_, n) => {
    const who = n === (when === 0 ? 1 : 0) ? taker : pick(people); // the taker goes somewhere
    if (n === when) return `${taker} took milk`;
    at[who] = pick(places);
    return `${who} went to ${at[who]}`;
  });
  return { sentences, answer: at[taker] };
}

const network = new EndToEndMemoryNetwork(
  { vocabulary: words.length, slots: 6, words: 4, width: 32, hops: 2 },
  1,
);
const question = ids("where is milk");
const batchOf = (stories) => ({
  stories: tf.tensor3d(
    stories.map(({ sentences }) => sentences.map(ids)),
    undefined,
    "int32",
  ),
  questions: tf.tensor2d(
    stories.map(() => question),
    undefined,
    "int32",
  ),
});

const random = new RandomStream(1);
const adam = new Adam({ learningRate: 0.01, clipNorm: 10 });
for (let step = 0; step < 500; step++) {
  const stories = Array.from({ length: 32 }, () => story(random));
  const labels = stories.map(({ answer }) => words.indexOf(answer));
  const { grads } = namedGradients(network.parameters.variables, () => {
    // The paper's linear start: without a softmax the hops find what to look for.
    const { logits } = network.answer(batchOf(stories), { linear: step < 250 });
    return tf.mean(softmaxCrossEntropy(logits, tf.tensor1d(labels, "int32")));
  });
  adam.apply(grads, network.parameters.variables);
  tf.dispose(grads);
}

const held = Array.from({ length: 500 }, () => story(random));
const { logits } = network.answer(batchOf(held));
const answers = tf.argMax(logits, 1).dataSync();
const right = held.filter(({ answer }, n) => words[answers[n]] === answer).length;
console.log(`${right} of ${held.length} new stories answered`);

const told = [
  "ben went to office",
  "eva went to attic",
  "ben took milk",
  "eva went to garden",
  "ben went to kitchen",
];
const asked = network.answer(batchOf([{ sentences: told }]));
const [first, second] = asked.weights.map((hop) => hop.dataSync());
const bar = (weight) => "█".repeat(Math.round(5 * weight)).padEnd(5);
console.log(`${"where is milk?".padEnd(20)} first  then`);
for (const [n, sentence] of told.entries())
  console.log(`${sentence.padEnd(20)} ${bar(first[n])}  ${bar(second[n])}`.trimEnd());
console.log(`${words[tf.argMax(asked.logits, 1).dataSync()[0]]}`);

// Transformer-XL keeps the states of segments: a text read in pieces is read as at once, as far as the memory reaches.
const sizes = { vocabulary: 11, width: 16, heads: 2, layers: 2, inner: 32 };
const text = tf.tensor2d([[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]], [1, 12], "int32");
for (const length of [8, 4]) {
  const model = new MemoryTransformer({ ...sizes, memory: { kind: "recurrent", length } }, 1);
  let memory;
  const pieces = tf.split(text, 3, 1).map((segment) => {
    const read = model.read(segment, memory);
    memory = read.memory;
    return read.logits;
  });
  const apart = tf.max(tf.abs(tf.sub(tf.concat(pieces, 1), model.read(text).logits))).dataSync()[0];
  console.log(`memory of ${length} positions: ${apart < 1e-5 ? "as at once" : "the beginning is lost"}`);
}

// A Neural Turing Machine has a head that reads and one that writes. Where they look is a distribution over its slots.
const machine = new NeuralTuringMachine({ inputs: 4, outputs: 2, slots: 7, width: 5, hidden: 11 }, 1);
const ran = machine.run(tf.ones([3, 1, 4]));
console.log(`steps, texts, heads, slots: ${ran.weights.shape.join(" ")}`);
console.log(`weights sum to ${tf.mean(tf.sum(ran.weights, -1)).dataSync()[0].toFixed(3)}`);

// Prints:
//   500 of 500 new stories answered
//   where is milk?       first  then
//   ben went to office
//   eva went to attic
//   ben took milk        █████
//   eva went to garden
//   ben went to kitchen         █████
//   kitchen
//   memory of 8 positions: as at once
//   memory of 4 positions: the beginning is lost
//   steps, texts, heads, slots: 3 1 2 7
//   weights sum to 1.000
