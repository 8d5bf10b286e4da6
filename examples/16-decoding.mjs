// Decoding without TensorFlow.js: keys and values stay where the kernels read them, and a step brings its own token alone.
// Run: node examples/16-decoding.mjs
import { attention, init, KeyValueCache } from "heed/kernels";

await init();

// 4 query heads share 2 heads of keys and values of width 8; a prompt of 5 tokens, then one token after the other.
const [H, Hkv, D, PROMPT, TEXT] = [4, 2, 8, 5, 12];
const numbers = (n, seed) =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(seed + 1.7 * i + 0.3 * i * i));
const [q, k, v] = [numbers(H * TEXT * D, 1), numbers(Hkv * TEXT * D, 2), numbers(Hkv * TEXT * D, 3)];

/** Tokens from `first` up to `end` of x [heads, TEXT, D]. */
function tokens(x, first, end) {
  const heads = Array.from({ length: x.length / (TEXT * D) }, (_, h) => h * TEXT * D);
  return Float32Array.from(heads.flatMap((start) => [...x.subarray(start + first * D, start + end * D)]));
}

const cache = new KeyValueCache({ H, Hkv, D });
const lately = new KeyValueCache({ H, Hkv, D }, { window: 3 }); // a ring: it never grows
const [outputs, windowed] = [[], []];
for (const [first, end] of [
  [0, PROMPT],
  ...Array.from({ length: TEXT - PROMPT }, (_, n) => [PROMPT + n, PROMPT + n + 1]),
]) {
  cache.append(tokens(k, first, end), tokens(v, first, end));
  outputs.push(...tokensOf(cache.attend(tokens(q, first, end)).output));
  lately.append(tokens(k, first, end), tokens(v, first, end));
  if (end > PROMPT) windowed.push(...tokensOf(lately.attend(tokens(q, first, end)).output));
}

/** The output [H, T, D] token by token. */
function tokensOf(output) {
  const T = output.length / (H * D);
  return Array.from({ length: T }, (_, t) =>
    Array.from({ length: H }, (_, h) => [...output.subarray((h * T + t) * D, (h * T + t + 1) * D)]).flat(),
  );
}

const difference = (a, b) => Math.max(...a.map((x, n) => Math.abs(x - b[n])));
const sizes = { B: 1, H, Hkv, T: TEXT, S: TEXT, D };
const whole = tokensOf(attention(q, k, v, sizes, { causal: true }).output);
const near = tokensOf(attention(q, k, v, sizes, { causal: true, window: { left: 2 } }).output).slice(PROMPT);
console.log(`${cache.lengths[0]} tokens, ${outputs.length} outputs`);
console.log(`as the whole text at once: ${difference(outputs.flat(), whole.flat()) < 1e-6}`);
console.log(`the last three tokens alone: ${difference(windowed.flat(), near.flat()) < 1e-6}`);
cache.dispose();
lately.dispose();
console.log(`${cache.bytes} bytes once disposed`);

// Prints:
// 12 tokens, 12 outputs
// as the whole text at once: true
// the last three tokens alone: true
// 0 bytes once disposed
