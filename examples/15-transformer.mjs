// A decoder-only Transformer learns to write a word backwards, then writes: its keys and values are kept between tokens.
// The same class is BERT, GPT-2, Llama, T5 and the rest, by its configuration. Run: node examples/15-transformer.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { generate, llama, Transformer, tokenLoss } from "heed/models";
import { Adam, namedGradients } from "heed/train";

await tf.setBackend("heed");

const [LENGTH, LETTERS] = [4, 6]; // a word of four of six letters, a colon, and the word backwards
const COLON = LETTERS;
const sizes = { layers: 2, width: 32, heads: 4, keyValueHeads: 2, inner: 64, vocabulary: LETTERS + 1 };
const model = new Transformer(llama({ ...sizes, tied: true }), 1);
const adam = new Adam({ learningRate: 3e-3, clipNorm: 1 });

const word = (n) => Array.from({ length: LENGTH }, (_, i) => Math.floor(n / LETTERS ** i) % LETTERS);
const line = (letters) => [...letters, COLON, ...letters.toReversed()];
const held = [...Array(LETTERS ** LENGTH).keys()].filter((n) => n % 7 === 0); // words that training never shows

for (let step = 0; step < 250; step++) {
  const rows = Array.from({ length: 64 }, (_, i) => (step * 64 + i) * 5 + 1).map((n) =>
    line(word((n % 7 ? n : n + 1) % LETTERS ** LENGTH)),
  );
  const { grads } = namedGradients(model.parameters.variables, () => {
    const tokens = tf.tensor2d(
      rows.map((row) => row.slice(0, -1)),
      undefined,
      "int32",
    );
    const next = rows.map((row) => row.map((id, t) => (t > LENGTH ? id : -1)).slice(1)); // the word itself is not asked
    return tokenLoss(model.logits(model.decode({ tokens })), tf.tensor2d(next, undefined, "int32"));
  });
  adam.apply(grads, model.parameters.variables);
  tf.dispose(grads);
}

const written = generate(
  model,
  held.map((n) => [...word(n), COLON]),
  { maxTokens: LENGTH },
);
const right = held.filter((n, i) => `${written[i]}` === `${word(n).toReversed()}`);
console.log(`${model.parameters.size} parameters, ${right.length} of ${held.length} new words backwards`);

// Prints:
// 18816 parameters, 1… of 186 new words backwards
