import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

test("README's scores are those of the card, rounded", () => {
  const { metrics, training } = JSON.parse(read("weights/translation-en-fr/card.json"));
  const readme = read("README.md");
  expect(readme).toContain(`BLEU ${metrics.bleu.toFixed(1)}, chrF ${metrics.chrf.toFixed(1)} `);
  expect(readme).toMatch(new RegExp(`training of the shipped model +\\| ${training.hours.toFixed(1)} h `));
});

test("README's figures of the toy languages hold for every score of docs/LEARNING.md", () => {
  const rows = [
    ...read("docs/LEARNING.md").matchAll(/^\| `(local-swap|reversal)\/(\w+)` +\| ([\d.]+)[^|]*\| ([\d.]+)/gm),
  ];
  const scores = rows.filter(([, , name]) => name !== "lstm" && name !== "bahdanau");
  const [exact, alignment] = /exact ≥ ([\d.]+), alignment ≥ ([\d.]+)/
    .exec(read("README.md"))!
    .slice(1)
    .map(Number);
  expect(scores).toHaveLength(12);
  expect(Math.min(...scores.map(([, , , figure]) => Number(figure)))).toBe(exact);
  expect(Math.min(...scores.map(([, , , , figure]) => Number(figure)))).toBe(alignment);
});
