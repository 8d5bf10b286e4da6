// Long self-attention as language models have it: eight query heads share two key heads, each token reads its last
// 64, and a learned sink takes what no token deserves. Run: node examples/07-grouped-window.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import { groupedQueryAttention } from "heed";
import { attentionCost } from "heed/kernels";

await tf.setBackend("heed");

const [B, H, Hkv, T, D] = [1, 8, 2, 4096, 32];
const q = tf.randomNormal([B, H, T, D], 0, 1, "float32", 1);
const k = tf.randomNormal([B, Hkv, T, D], 0, 1, "float32", 2);
const v = tf.randomNormal([B, Hkv, T, D], 0, 1, "float32", 3);

const window = { left: 63, right: 0 };
const { output } = groupedQueryAttention(q, k, v, { window, causal: true, sink: tf.zeros([H]) });
console.log(`output: ${output.shape}`);

const sizes = { B, H, Hkv, T, S: T, D };
const [full, local] = [attentionCost(sizes), attentionCost(sizes, { window })];
console.log(`work: ${((100 * local.forward) / full.forward).toFixed(1)} % of full attention's`);
console.log(`weights never stored: ${full.denseBytes / 2 ** 20} MiB`);

// Prints:
// output: 1,8,4096,32
// work: 1.6 % of full attention's
// weights never stored: 512 MiB
