// A pointer-generator sums an abstract up in a title: it copies what it never saw before, and writes what the abstract does not say.
// The model ships with heed (CC0 data of arXiv). Run: node examples/29-summarize.mjs
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { coverageAfter, drawSummary, loadSummarizer } from "heed/tasks";

const abstract =
  "We present Zorbanet, a neural network for machine translation of Basque. It learns from raw text, needs no dictionary, and " +
  "translates better than systems that were built by hand.";

const summarizer = await loadSummarizer();
const [summary] = summarizer.summarize([abstract], { nBest: 3 });
console.log(`title: ${summary.target}`);
for (const { target } of summary.alternatives) console.log(`or: ${target}`);

// p_gen near 0: the word was copied from where the decoder looked; near 1: it was written from the vocabulary.
for (const [t, word] of summary.targetTokens.entries()) {
  const row = summary.weights[t];
  const s = row.indexOf(Math.max(...row));
  console.log(
    `"${word.trim()}": p_gen ${summary.generate[t].toFixed(2)}, looked most at "${summary.sourceTokens[s]}"`,
  );
}
const own = summary.sourceTokens.filter((_, s) => summary.outside[s]);
console.log(`words that only copying can bring: ${[...new Set(own)].join(", ")}`);
const most = Math.max(...coverageAfter(summary));
console.log(`no word of the abstract was looked at more than ${most.toFixed(1)} times`);

const file = path.join(mkdtempSync(path.join(tmpdir(), "heed-")), "title.svg");
writeFileSync(file, drawSummary(summary));
console.log(`the picture is in ${path.basename(file)}`);
summarizer.dispose();

// Prints:
// title: Zorbanet: a neural network for machine translation of Basque
// or: …
// or: …
// "Zorbanet": p_gen …, looked most at "Zorbanet"
// ":": p_gen …, looked most at ", "
// "a": p_gen …, looked most at "a"
// "neural": p_gen …, looked most at "neural"
// "network": p_gen …, looked most at "network"
// "for": p_gen …, looked most at "for"
// "machine": p_gen …, looked most at "machine"
// "translation": p_gen …, looked most at "translation"
// "of": p_gen …, looked most at "of"
// "Basque": p_gen …, looked most at "Basque"
// words that only copying can bring: Zorbanet
// no word of the abstract was looked at more than … times
// the picture is in title.svg
