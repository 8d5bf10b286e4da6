// Where a long sequence looks, without its T × T weights: the largest weight of each query, its entropy, and a map of
// tiles, from q, k and the log-sum-exp. Run: node examples/05-probe.mjs
import { RandomStream } from "heed/core";
import { attention, init, probe } from "heed/kernels";
import { terminalHeatmap } from "heed/viz";

await init();

// A text of 4000 tokens that repeats after 1000. Query i asks for token i, key j answers for the token before it: an
// induction head, which looks at what came next the last time.
const [T, D, period] = [4000, 64, 1000];
const embeddings = new RandomStream(1).fillNormal(new Float32Array(period * D));
const q = Float32Array.from({ length: T * D }, (_, e) => embeddings[e % embeddings.length]);
const k = new Float32Array(T * D);
k.set(q.subarray(0, -D), D);
const { saved } = attention(q, k, k, { B: 1, H: 1, T, S: T, D }, { causal: true, scale: 0.5 });

const { max, entropy, tiles } = probe(saved, { max: true, entropy: true, tiles: [16, 16] });
for (const i of [1500, 2500, 3500]) {
  const [weight, nats] = [max.weight[i].toFixed(2), entropy[i].toFixed(2)];
  console.log(`query ${i}: key ${max.key[i]}, weight ${weight}, entropy ${nats}`);
}
const weights = Array.from({ length: 16 }, (_, r) => Array.from(tiles.means.subarray(r * 16, (r + 1) * 16)));
const names = Array.from({ length: 16 }, (_, at) => `${at * 250}`);
const options = { depth: 1, unicode: true, columns: 60, domain: [0, 0.002] };
console.log(terminalHeatmap({ weights, rowTokens: names, columnTokens: names }, options));

// Prints:
//   query 1500: key 501, weight 1.00, entropy 0.00
//   query 2500: key 501, weight 0.50, entropy 0.69
//   query 3500: key 501, weight 0.33, entropy 1.10
//   Attention Weights
//
//                    1  1  1  1  2  2  2  2  3  3  3  3
//           2  5  7  0  2  5  7  0  2  5  7  0  2  5  7
//           5  0  5  0  5  0  5  0  5  0  5  0  5  0  5
//        0  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0
//      0 …
//    250 …
//    500 …
//    750 …
//   1000 ███
//   1250    ███
//   1500       ███
//   1750          ███
//   2000 ███         ███
//   2250    ███         ███
//   2500       ███         ███
//   2750          ███         ███
//   3000 ▓▓▓         ▓▓▓         ▓▓▓
//   3250    ▓▓▓         ▓▓▓         ▓▓▓
//   3500       ▓▓▓         ▓▓▓         ▓▓▓
//   3750          ▓▓▓         ▓▓▓         ▓▓▓
//
//   weight (0 to 0.002) 0   ░░▒▒▓▓██ 0.002   ↓ Output Sequence
//   → Input Sequence
