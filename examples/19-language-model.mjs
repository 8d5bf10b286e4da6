// A language model that ships writes Shakespeare, character by character, and each of its heads shows where it looks.
// Run: node examples/19-language-model.mjs

import * as tf from "@tensorflow/tfjs-core";
import { capture } from "heed/capture";
import { headStatistics, layerMap } from "heed/inspect";
import { loadLanguageModel } from "heed/tasks";

const writer = await loadLanguageModel();
console.log(writer.write("ROMEO:\n", { characters: 60, temperature: 0.5, seed: 4 }));

const line = "Good night, good night! Parting is such sweet sorrow";
console.log(`${writer.bits(line).bits.toFixed(1)} bits a character for ${JSON.stringify(line)}`);
console.log(`${writer.bits([...line].toReversed().join("")).bits.toFixed(1)} bits read backwards`);

// Every head of every layer, as shares of its weight on the character before.
const ids = writer.characters.encode("example", line);
const tokens = tf.tensor2d(ids, [1, ids.length], "int32");
const trace = capture(() => writer.model.decode({ tokens }), tf.scalar(0), { tokens: { text: [...line] } });
const heads = trace.layers.flatMap((layer, n) => {
  const map = layerMap(layer);
  return Array.from({ length: map.H }, (_, head) => {
    const { previousToken } = headStatistics(map, head);
    return { name: `layer ${n} head ${head}`, previousToken };
  });
});
heads.sort((a, b) => b.previousToken - a.previousToken);
for (const { name, previousToken } of heads.slice(0, 3))
  console.log(`${name} gives ${(100 * previousToken).toFixed(0)} % of its weight to the character before`);
writer.dispose();

// Prints:
// And when the honour of my son the fearful of England?
//
// DUKE…
// 1.8 bits a character for "Good night, good night! Parting is such sweet sorrow"
// 7.1 bits read backwards
// layer 3 head 0 gives 66 % of its weight to the character before
// layer 1 head 2 gives 56 % of its weight to the character before
// layer 4 head 3 gives 56 % of its weight to the character before
