// Show, Attend and Tell captions a scene and shows where it looked for each word (Xu et al. 2015).
// The model ships with heed; the items are of Fashion-MNIST's test part (MIT). Run: node examples/31-caption.mjs
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { writeTrace } from "heed/inspect";
import { captionStrip, captionTrace, exampleScene, loadCaptioner, massInside } from "heed/tasks";

const captioner = await loadCaptioner();
const { pixels, items } = exampleScene(1); // 64 × 64 greys, and what is in them
const [caption] = captioner.caption(pixels);
console.log(caption.caption);

// How much of each noun's map lies inside the box of the item that it names, and the gate β of each word.
const nouns = caption.words.flatMap((word, t) => (items.some(({ name }) => name === word) ? [t] : []));
const shares = nouns.map((t, n) => massInside(caption.weights[t], [8, 8], items[n].box));
console.log(
  `inside its item: ${nouns.map((t, n) => `${caption.words[t]} ${shares[n].toFixed(2)}`).join(", ")}`,
);
console.log(`gate: ${caption.words.map((word, t) => `${word} ${caption.gates[t].toFixed(2)}`).join(", ")}`);

const folder = mkdtempSync(path.join(tmpdir(), "heed-"));
writeFileSync(path.join(folder, "strip.svg"), captionStrip(pixels, caption));
writeFileSync(path.join(folder, "caption.attn"), writeTrace(captionTrace(pixels, caption)));
console.log("the strip is in strip.svg, the trace in caption.attn");
captioner.dispose();

// Prints:
// a …
// inside its item: …
// gate: a 0.…
// the strip is in strip.svg, the trace in caption.attn
