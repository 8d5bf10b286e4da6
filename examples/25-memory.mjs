// A memory network learns to read a story twice: to say where the milk is, it must find who took it, and then where that one
// went. What each reading looked at is drawn. Run: node examples/25-memory.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { RandomStream } from "heed/core";
import { EndToEndMemoryNetwork } from "heed/models";
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

// Prints:
//   500 of 500 new stories answered
//   where is milk?       first  then
//   ben went to office
//   eva went to attic
//   ben took milk        █████
//   eva went to garden
//   ben went to kitchen         █████
//   kitchen
