// A Vision Transformer names four pieces of clothing, and shows which patches its answers came from: attention rollout.
// The model ships with heed; the images are of Fashion-MNIST's test part (MIT). Run: node examples/18-vit.mjs
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { readIdx } from "heed/data";
import { drawRollouts, loadClassifier } from "heed/tasks";

const images = fileURLToPath(new URL("data/fashion-mnist/four-images-idx3-ubyte.gz", import.meta.url));
const { data: pixels } = readIdx(images); // [4, 28, 28], one byte a pixel
const classifier = await loadClassifier();

for (const { probabilities } of classifier.classify(pixels)) {
  const best = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, 2);
  console.log(best.map((n) => `${classifier.card.labels[n]} ${probabilities[n].toFixed(2)}`).join(", "));
}

const file = path.join(mkdtempSync(path.join(tmpdir(), "heed-")), "rollout.svg");
writeFileSync(file, drawRollouts(classifier, pixels));
console.log(`the picture is in ${path.basename(file)}`);
classifier.dispose();

// Prints:
// Ankle boot 0.8…, Sneaker 0.0…
// Trouser 0.9…, Coat 0.0…
// Dress 0.9…, Trouser 0.0…
// Bag 0.9…, T-shirt/top 0.0…
// the picture is in rollout.svg
