// BERT, small: it learns to fill gaps in the sentences of a grammar, and is then asked for a verb whose subject stands
// further away than another noun. Run: node examples/17-bert.mjs
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { capture } from "heed/capture";
import { RandomStream } from "heed/core";
import { maskPieces } from "heed/data";
import { layerMap } from "heed/inspect";
import { bert, Transformer, tokenLoss } from "heed/models";
import { Adam, namedGradients } from "heed/train";
import { heatmap } from "heed/viz";

await tf.setBackend("heed");

const ONE = ["dog", "cat", "bird"]; // [noun of one, noun of many], and verbs that go with them
const nouns = ONE.flatMap((noun) => [noun, `${noun}s`]);
const verbs = ["sleep", "sing", "eat"].flatMap((verb) => [`${verb}s`, verb]);
const SPECIAL = ["[CLS]", "[SEP]", "[MASK]"];
const words = [...SPECIAL, "the", "near", "behind", ...nouns, ...verbs];
const [CLS, SEP, MASK] = [0, 1, 2];
const ids = (text) => text.split(" ").map((word) => words.indexOf(word));

// the dogs near the cat sleep: the verb has the number of the first noun, whatever the second one has.
const all = [];
for (const [n, subject] of nouns.entries())
  for (const other of nouns.filter((_, m) => m >> 1 !== n >> 1))
    for (const where of ["near", "behind"])
      for (const verb of verbs.filter((_, v) => v % 2 === n % 2))
        all.push([CLS, ...ids(`the ${subject} ${where} the ${other} ${verb}`), SEP]);
const ASKED = "the dogs near the cat";
const known = all.filter((sentence) => !`${sentence}`.includes(`${ids(ASKED)}`)); // training never shows these words

const sizes = {
  layers: 2,
  width: 32,
  heads: 2,
  inner: 64,
  vocabulary: words.length,
  positions: 8,
  dropout: 0,
};
const model = new Transformer(bert({ ...sizes, pooler: false }), 1);
const adam = new Adam({ learningRate: 3e-3, clipNorm: 1 });
const matrix = (flat) => tf.tensor2d(flat, [flat.length / 8, 8], "int32");

const random = new RandomStream(1);
for (let step = 0; step < 400; step++) {
  const batch = Array.from({ length: 96 }, () => known[random.integer(known.length)]).flat();
  // 15 % of the words: most become [MASK], some another word, some stay; the labels say what stood there.
  const hidden = maskPieces(batch, { random, vocabulary: words.length, mask: MASK, special: [CLS, SEP] });
  const { grads } = namedGradients(model.parameters.variables, () =>
    tokenLoss(model.logits(model.encode({ tokens: matrix(hidden.ids) })), matrix(hidden.labels)),
  );
  adam.apply(grads, model.parameters.variables);
  tf.dispose(grads);
}

const question = [CLS, ...ids(ASKED), MASK, SEP];
const asked = question.indexOf(MASK);
const chances = tf.tidy(() =>
  tf.softmax(model.logits(model.encode({ tokens: matrix(question) }))).arraySync(),
);
const guesses = [...chances[0][asked].entries()].sort(([, a], [, b]) => b - a).slice(0, 4);
console.log(`${ASKED} [MASK]: ${guesses.map(([id, p]) => `${words[id]} ${p.toFixed(2)}`).join(", ")}`);

// Which word each head looked at from the gap, the head that is surest first.
const trace = capture(() => model.encode({ tokens: matrix(question) }), question);
const heads = trace.layers
  .flatMap((layer, n) => Array.from({ length: layer.H }, (_, head) => ({ n, head, map: layerMap(layer) })))
  .map(({ n, head, map }) => {
    const rows = question.map((_, t) => [...map.row(head, t).values]);
    const weight = Math.max(...rows[asked]);
    return {
      name: `layer ${n + 1}, head ${head + 1}`,
      rows,
      weight,
      word: words[question[rows[asked].indexOf(weight)]],
    };
  })
  .sort((a, b) => b.weight - a.weight);
for (const { name, word, weight } of heads)
  console.log(`${name} looks most at ${word}: ${weight.toFixed(2)}`);

// The surest one as a picture. A folder of its own: the shared one may hold another person's file of that name.
const [surest] = heads;
const tokens = question.map((id) => words[id]);
const svg = heatmap(
  { weights: surest.rows, rowTokens: tokens, columnTokens: tokens },
  { title: `BERT, ${surest.name}`, xTitle: "is looked at", yTitle: "looks" },
);
const file = path.join(mkdtempSync(path.join(tmpdir(), "heed-")), "bert-head.svg");
writeFileSync(file, svg);
console.log(`${surest.name} is drawn in ${path.basename(file)}`);

// Prints:
// the dogs near the cat [MASK]: …, …, …, …s 0.0…
// layer … looks most at dogs: …
// layer … looks most at …
// layer … looks most at …
// layer … looks most at …
// layer … is drawn in bert-head.svg
