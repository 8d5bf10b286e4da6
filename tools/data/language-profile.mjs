/**
 * Makes src/tasks/translation/text/language-profile.ts from the training rows of the translation data sets:
 *
 *     node tools/build.mjs && node tools/data/language-profile.mjs && node tools/build.mjs
 *
 * The trigrams that say most (frequent in one language, and much more so than in another), each with log₂ of its probability
 * in every language, in whole bits above 2⁻¹⁷ as one figure to the base 16.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** @param {string} place */
const built = (place) => import(pathToFileURL(path.join(root, "build", place)).href);
const { locateDataset } = await built("data/locate.js");
const { readPairs } = await built("data/tsv.js");
const { PROFILE_LANGUAGES, trigrams } = await built("tasks/translation/text/detect-language.js");

const FLOOR = -17;
const TRIGRAMS = 1800;
/** Sentences of each language. */
const SENTENCES = 90_000;
/** Half of the corpora's names are these, in every language. */
const NAMES = /\b(?:Tom|Mary|Maria|María|Marie|Boston|John|Johannes)\b/g;

/** @type {Map<string, Set<string>>} */
const texts = new Map(PROFILE_LANGUAGES.map((/** @type {string} */ language) => [language, new Set()]));
for (const language of PROFILE_LANGUAGES.slice(1))
  for (const { source, target } of readPairs(
    path.join(locateDataset(`tatoeba-en-${language}`), "train.tsv.gz"),
  )) {
    texts.get("en")?.add(source);
    texts.get(language)?.add(target);
  }

/** log₂ p of each trigram of some sentences spread over a language's. */
function logProbabilities(/** @type {string[]} */ sentences) {
  const counts = new Map();
  let total = 0;
  const step = Math.max(1, Math.floor(sentences.length / SENTENCES));
  for (let i = 0; i < sentences.length; i += step)
    for (const trigram of trigrams(sentences[i].replace(NAMES, " "))) {
      counts.set(trigram, (counts.get(trigram) ?? 0) + 1);
      total++;
    }
  return new Map([...counts].map(([trigram, n]) => [trigram, Math.max(FLOOR, Math.log2(n / total))]));
}

const tables = [...texts.values()].map((set) => logProbabilities([...set].sort()));
const all = new Set(tables.flatMap((table) => [...table.keys()]));
const scored = [...all].map((trigram) => {
  const logs = tables.map((table) => table.get(trigram) ?? FLOOR);
  const [least, most] = [Math.min(...logs), Math.max(...logs)];
  return { trigram, logs, score: 2 ** most * (1 + (most - least) / 4) };
});
scored.sort((a, b) => b.score - a.score || (a.trigram < b.trigram ? -1 : 1));
const entries = scored
  .slice(0, TRIGRAMS)
  .map(
    ({ trigram, logs }) =>
      trigram + logs.map((log) => Math.min(15, Math.round(log - FLOOR)).toString(16)).join(""),
  )
  .sort();

const lines = [];
for (let i = 0; i < entries.length; i += 12) lines.push(entries.slice(i, i + 12).join(" "));
const file = path.join(root, "src/tasks/translation/text/language-profile.ts");
const body = lines.map((line, i) => `  ${JSON.stringify(i ? ` ${line}` : line)}`).join(" +\n");
writeFileSync(
  file,
  `/** Trigrams with whole bits for English, French, German and Spanish. Made by tools/data/language-profile.mjs. */\nexport const PROFILE =\n${body};\n`,
);
