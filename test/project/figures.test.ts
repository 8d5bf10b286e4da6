import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { BARS, judge } from "../../bench/bars.mjs";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

test("README's scores are those of the card, rounded", () => {
  const { metrics, training } = JSON.parse(read("weights/translation-en-fr/card.json"));
  const readme = read("README.md");
  const many = JSON.parse(read("weights/translation-en/card.json"));
  const scores = (of: "bleu" | "chrf") =>
    ["fr", "de", "es"].map((to) => many.metrics[to][of].toFixed(1)).join(", ");
  expect(readme).toContain(`BLEU ${scores("bleu")}; chrF ${scores("chrf")} `);
  const [first, second] = [...read("docs/EVERYDAY.md").matchAll(/French: (\d+ of \d+) good/g)].map(
    ([, of]) => of,
  );
  expect(readme).toMatch(new RegExp(`come out good, in French +\\| ${first} `));
  expect(readme).toMatch(
    new RegExp(`of a second list, which nobody who wrote phrases had seen +\\| ${second} `),
  );
  expect(readme).toContain(`BLEU ${metrics.bleu.toFixed(1)}, chrF ${metrics.chrf.toFixed(1)} `);
  expect(readme).toMatch(new RegExp(`training of the recurrent model +\\| ${training.hours.toFixed(1)} h `));
});

test("README's figures of the toy languages are the least that was measured of any score", () => {
  const measured: Record<string, { exact: number; alignment: number }> = JSON.parse(
    read("proofs/measured.json"),
  );
  const scores = ["additive", "general", "dot", "scaledDot", "concat", "location"];
  const models = ["local-swap", "reversal"].flatMap((language) =>
    scores.map((score) => measured[`${language}/${score}`]!),
  );
  const [exact, alignment] = (["exact", "alignment"] as const).map((metric) =>
    Math.min(...models.map((metrics) => metrics[metric])).toFixed(3),
  );
  expect(read("README.md")).toContain(`exact ≥ ${exact}, alignment ≥ ${alignment} `);
});

test("README's figures of attention are those of docs/benchmarks.json, rounded", () => {
  const { attention, training } = JSON.parse(read("docs/benchmarks.json"));
  const readme = read("README.md");
  const figure = (start: string, run: object) => {
    const bar = BARS.find(({ name }) => name.startsWith(start))!;
    return Number.parseFloat(judge(bar, run as never).text);
  };
  const of = (start: string) => figure(start, attention["20"]);
  const share = `${of("full forward, one thread")} % of the machine's FMA peak forward, ${of("backward")} % backward`;
  expect(readme).toContain(share);
  const web = of("full, T = 2048, against onnxruntime-web").toFixed(1);
  const [jax, stock] = ["jax-js", "tfjs-wasm"].map((peer) =>
    Math.round(of(`full, T = 2048, each at its best in Node, against ${peer}`)),
  );
  expect(readme).toContain(`${web}, ${jax} and ${stock} times as fast`);
  const step = (peer: string) =>
    figure(`training step of a Transformer block against ${peer}`, training["20"]);
  expect(readme).toContain(`${Math.round(step("stock"))} and ${step("jax-js").toFixed(1)} times as fast`);
  const languageStep = (peer: string) =>
    figure(`training step of a language model against ${peer}`, training["20"]);
  expect(readme).toContain(
    `${Math.round(languageStep("stock"))} and ${languageStep("jax-js").toFixed(1)} times as fast`,
  );
  const resident = of("T = 1 against 4096 resident keys, one thread: share");
  expect(readme).toMatch(new RegExp(`adds up the same bytes +\\| ${resident} % `));
});

test("README's figures of the shipped models are those of their cards, rounded", () => {
  const readme = read("README.md");
  const card = (name: string) => JSON.parse(read(`weights/${name}/card.json`));
  const language = card("language-model-shakespeare");
  const bits = [language.training.validation.bits, language.metrics.bits].map((n: number) => n.toFixed(2));
  expect(readme).toContain(`a language model of ${language.parameters.toLocaleString("en")} parameters`);
  expect(readme).toContain(`${bits.join(" and ")} bits a character`);
  expect(language.parameters).toBeLessThanOrEqual(1e6);
  expect(language.training.validation.bits).toBeLessThanOrEqual(2.3);
  const images = card("image-classification");
  expect(readme).toContain(`a Vision Transformer of ${images.parameters.toLocaleString("en")} parameters`);
  expect(readme).toMatch(new RegExp(`test part +\\| ${(100 * images.metrics.accuracy).toFixed(1)} % `));
  expect(images.metrics.accuracy).toBeGreaterThanOrEqual(0.88);
});
