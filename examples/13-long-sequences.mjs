// Longer than T × T allows: linear attention sums keys and values once, Longformer keeps a window and a few global
// tokens; both read 8,192 tokens on one core in moments. Run: node examples/13-long-sequences.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import {
  blockMask,
  linearAttention,
  linearAttentionStep,
  longformerAttention,
  longformerPattern,
} from "heed";

await tf.setBackend("heed");

const [T, D] = [8192, 16];
const [q, k, v] = [1, 2, 3].map((seed) => tf.randomNormal([1, 1, T, D], 0, 1, "float32", seed));

const { output, state } = linearAttention(q, k, v, { causal: true, returnState: true });
console.log(`linear: output ${output.shape}, everything read so far in ${state.shape}`);
const next = tf.ones([1, 1, 1, D]);
console.log(`next token: ${linearAttentionStep(next, next, next, state).output.shape}`);

const window = { left: 128, right: 128 };
const global = { positions: [0], q: tf.slice(q, [0, 0, 0, 0], [1, 1, 1, D]), k, v };
const long = longformerAttention(q, k, v, { window, global });
const { share } = blockMask(T, T, longformerPattern({ window, global: [0] }), { block: 128 });
console.log(`Longformer: output ${long.output.shape}, ${(100 * share).toFixed(1)} % of the blocks`);

// Prints:
// linear: output 1,1,8192,16, everything read so far in 1,1,16,17
// next token: 1,1,1,16
// Longformer: output 1,1,8192,16, 7.7 % of the blocks
