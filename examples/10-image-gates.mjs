// Attention over features: squeeze-and-excitation weighs channels, CBAM also says where to look.
// A bright disc stands in one of four channels. Run: node examples/10-image-gates.mjs
import "heed/backend";
import * as tf from "@tensorflow/tfjs-core";
import { spatialAttention, squeezeExcitation } from "heed";

await tf.setBackend("heed");

const disc = (y, x) => (Math.hypot(y - 3, x - 8) < 2.5 ? 1 : 0);
const pixels = Array.from({ length: 8 * 12 * 4 }, (_, n) =>
  n % 4 === 2 ? disc(Math.floor(n / 48), Math.floor(n / 4) % 12) : 0,
);
const image = tf.tensor4d(pixels, [1, 8, 12, 4]);

const one = tf.eye(4);
const { gate, output } = squeezeExcitation(image, { w1: one, w2: tf.mul(one, 30), b2: tf.fill([4], -2) });
console.log(`channels: ${[...gate.dataSync()].map((g) => g.toFixed(2)).join(" ")}`);

const { map } = spatialAttention(output, { w: tf.fill([3, 3, 2, 1], 0.5), b: tf.tensor1d([-3]) });
for (const row of tf.reshape(map, [8, 12]).arraySync()) {
  console.log(row.map((m) => "·░▒▓█"[Math.floor(4.99 * m)]).join(""));
}

// Prints:
// channels: 0.12 0.12 0.99 0.12
// ········░···
// ······░▒▓▒░·
// ······▒███▒·
// ·····░▓███▓░
// ······▒███▒·
// ······░▒▓▒░·
// ········░···
// ············
