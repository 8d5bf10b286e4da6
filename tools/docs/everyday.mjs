// Writes docs/EVERYDAY.md: what the shipped model makes of two lists of everyday sentences, and which of these translations are
// good, as people judged them in everyday-judged.tsv (language, English, translation, good or bad, why). `--print` prints the page
// instead; a test compares that with the file. A translation that nobody has judged is printed on standard error in the form
// of that file, with "?" for the judgement.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { loadTranslator } from "../../build/tasks/translation/load.js";
import { contentLines } from "../../build/tasks/translation/spans.js";
import { formatted } from "./formatted.mjs";
import "../quiet-pipe.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(path.dirname(here));
const file = path.join(root, "docs/EVERYDAY.md");
const LANGUAGES = /** @type {const} */ ([["fr", "French"], ["de", "German"], ["es", "Spanish"]]); // biome-ignore format: a table

const sentences = (/** @type {string} */ name) =>
  contentLines("everyday", path.join(root, `test/tasks/translation/fixtures/${name}.tsv`)).map(
    ({ text }) => /** @type {string} */ (text.split("\t")[1]),
  );
/** @type {Map<string, string[]>} */
const judged = new Map(
  contentLines("everyday", path.join(here, "everyday-judged.tsv")).map(({ text }) => {
    const [to, source, target, ...judgement] = text.split("\t");
    return [[to, source, target].join("\t"), judgement];
  }),
);

/** Text in a cell of a table. */
const cell = (/** @type {string} */ text) =>
  text.replaceAll("|", "\\|").replaceAll("*", "\\*").replaceAll("_", "\\_");

/**
 * @param {readonly string[]} sources
 * @param {(typeof LANGUAGES)[number]} language
 */
async function section(sources, [to, language]) {
  const translator = await loadTranslator(undefined, to);
  const found = translator.translate(sources, { weights: false });
  translator.dispose();
  let [good, count] = [0, 0];
  const rows = found.map(({ source, target, confidence }) => {
    const key = [to, source, target].join("\t");
    const [mark = "not judged", why] = judged.get(key) ?? [];
    if (mark === "good") good++;
    if (judged.has(key)) count++;
    else console.error(`${key}\t?`);
    const share = confidence === undefined ? "" : `${Math.round(100 * confidence)} %`;
    return `| ${cell(source)} | ${cell(target)} | ${share} | ${why ? `${mark}: ${cell(why)}` : mark} |`;
  });
  const head = `| English | ${language} | Confidence | Judged |\n| --- | --- | ---: | --- |`;
  const result = count === 0 ? "not judged yet" : `${good} of ${count} good`;
  return `### ${language}: ${result}\n\n${head}\n${rows.join("\n")}`;
}

/** The tables of a list, one a language. */
async function tables(/** @type {string} */ name) {
  const made = [];
  for (const language of LANGUAGES) made.push(await section(sentences(name), language));
  return made.join("\n\n");
}
const page = formatted(
  `# Everyday sentences

What \`heed translate\` makes of sentences that people say in a day, none of them from the data that it was trained on, and
which of these translations are good. A translation is good where it says what the English says in a sentence that someone
who speaks the language could have said; one wrong word that changes the meaning makes it bad. Made by
\`node tools/docs/everyday.mjs\`; the judgements are ours, in \`tools/docs/everyday-judged.tsv\`.

There are two lists. The first is of a hundred sentences. The occasions at which it showed the model to be weak (ages, welcomes,
appointments, words of a sister language) were then among those that \`data/everyday-phrases.tsv\` was written for, though not
its sentences: phrases near to them are left out. So a second list was written by someone who had seen neither the first one
nor the phrases; of its hundred sentences those are left that no phrase comes near to.

## The first list

${await tables("everyday")}

## The second list

${await tables("everyday-second")}
`,
  "EVERYDAY.md",
);
if (process.argv.includes("--print")) process.stdout.write(page);
else writeFileSync(file, page);
