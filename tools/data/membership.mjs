/**
 * Makes src/data/splits/<name>.ts from the public archive's text and a folder of split files:
 *
 *     node tools/build.mjs && node tools/data/membership.mjs tatoeba-en-fr fra.txt FOLDER
 *
 * It refuses to write lists that would not give exactly the rows of the folder.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { memberLookup, sourceHash } from "../../build/data/membership.js";
import { rowsChecksum } from "../../build/data/rows.js";
import { normalizeText } from "../../build/data/text.js";
import { parsePairs, readPairs } from "../../build/data/tsv.js";

const LINE = 100;
const REST = "train";
const [name, textPath, folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: node tools/data/membership.mjs NAME TEXT FOLDER");

const unique = new Map();
for (const { source, target } of parsePairs(readFileSync(textPath, "utf8"), textPath)) {
  const pair = { source: normalizeText(source), target: normalizeText(target) };
  unique.set(`${pair.source}\t${pair.target}`, pair);
}
const pairs = [...unique.values()];
const wanted = Object.fromEntries(
  ["train", "valid", "test"].map((split) => [split, readPairs(`${folder}/${split}.tsv.gz`)]),
);
const splitOfSource = new Map();
for (const [split, rows] of Object.entries(wanted))
  for (const { source } of rows) splitOfSource.set(source, split);

const hashes = { valid: new Set(), test: new Set(), "": new Set() };
for (const { source } of pairs) {
  const split = splitOfSource.get(source) ?? "";
  if (split !== REST) hashes[split].add(sourceHash(source));
}
const encode = (set) => Buffer.from(Uint32Array.from(set).sort().buffer).toString("base64");
const lists = Object.fromEntries(Object.entries(hashes).map(([split, set]) => [split, encode(set)]));

const splitOf = memberLookup({ rest: REST, lists });
for (const [split, rows] of Object.entries(wanted)) {
  const got = rowsChecksum(pairs.filter((pair) => splitOf(pair.source) === split));
  if (got !== rowsChecksum(rows)) throw new Error(`the lists do not give the ${split} rows of ${folder}`);
  console.log(split, rows.length, got);
}
const property = (split) => {
  const lines = lists[split].match(new RegExp(`.{1,${LINE}}`, "g")).map((line) => `    ${line}`);
  return `    ${split === "" ? '""' : split}: \`\n${lines.join("\n")}\`,\n`;
};
writeFileSync(
  `src/data/splits/${name}.ts`,
  `// Made by tools/data/membership.mjs; do not edit.\nimport type { Membership } from "../membership.ts";\n\n` +
    `export const membership: Membership = {\n  rest: "${REST}",\n  lists: {\n` +
    `${Object.keys(lists).map(property).join("")}  },\n};\n`,
);
