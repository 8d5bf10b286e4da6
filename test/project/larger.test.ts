import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const page = readFileSync(path.join(root, "docs/LARGER.md"), "utf8");
const [N, LATENCY] = [1000, 1e-5];

test.each([
  ["language model of characters", "language-model-shakespeare"],
  ["translation, three languages", "translation-en"],
])("docs/LARGER.md computes the rows of the %s from its card", (label, name) => {
  const { parameters, speed } = JSON.parse(
    readFileSync(path.join(root, "weights", name, "card.json"), "utf8"),
  );
  for (const bandwidth of [1, 10]) {
    const seconds = speed.secondsPerStep;
    const sum = ((2 * (N - 1)) / N) * ((4 * parameters) / (bandwidth * 1e9));
    const latency = 2 * (N - 1) * LATENCY;
    const efficiency = seconds / (seconds + sum + latency);
    const cells = [
      ...[label, parameters.toLocaleString("en-US"), `${seconds} s`, `${bandwidth} GB/s`],
      ...[`${(1000 * sum).toFixed(1)} ms`, `${(1000 * latency).toFixed(1)} ms`],
      ...[`${(100 * efficiency).toFixed(1)} %`],
      Math.round(N * efficiency * speed.itemsPerSecond).toLocaleString("en-US"),
    ];
    expect(page.replace(/ +/g, " ")).toContain(`| ${cells.join(" | ")} |`);
  }
});

test("docs/LARGER.md names files that are there", () => {
  for (const file of ["test/models/keras/distribution.test.ts", "examples/python/train-on-jax.py"]) {
    expect(page).toContain(file);
    readFileSync(path.join(root, file));
  }
});
