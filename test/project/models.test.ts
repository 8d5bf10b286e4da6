import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const script = path.join(root, "tools/docs/models.mjs");
const names = readdirSync(path.join(root, "weights"));

test("docs/MODELS.md is what the cards of weights/ say", () => {
  const made = execFileSync(process.execPath, [script, "--print"], { encoding: "utf8" });
  expect(readFileSync(path.join(root, "docs/MODELS.md"), "utf8"), "run node tools/docs/models.mjs").toBe(
    made,
  );
});

const cards = names.map((name) => ({
  name,
  card: JSON.parse(readFileSync(path.join(root, "weights", name, "card.json"), "utf8")),
}));
const taken = cards.filter(({ card }) => card.source?.sha256);

test.each(taken)("the card of $name says whose it is, and what it was compared with", ({ name, card }) => {
  const folder = path.join(root, "weights", name);
  const { parameters, data, source, metrics, limits } = card;
  expect(data.licence).not.toBe("not stated");
  expect(source.sha256).toMatch(/^[\da-f]{64}$/);
  expect(readFileSync(path.join(folder, "LICENSE"), "utf8")).toContain(
    "The above copyright notice and this permission notice shall be included",
  );
  expect(metrics.equal).toBe(metrics.reactions);
  expect(metrics.confidence).toBeLessThan(1e-4);
  expect(limits.length).toBeGreaterThan(0);
  // Four bytes a parameter, and a header.
  const { size } = statSync(path.join(folder, "model.safetensors"));
  expect(size).toBeGreaterThan(4 * parameters);
  expect(size).toBeLessThan(4 * parameters + 20_000);
});

test.each(cards.filter((one) => !taken.includes(one)))(
  "the card of $name says how it was trained, how well it does and how fast it trains",
  ({ name, card }) => {
    const folder = path.join(root, "weights", name);
    const { parameters, data, training, metrics, limits, speed, task, languages } = card;
    for (const { licence } of [data].flat()) expect(licence).not.toBe("not stated");
    // A model of several languages has figures of each.
    for (const { command } of languages?.map((to: string) => metrics[to]) ?? [metrics])
      expect(command).toMatch(/^heed evaluate /);
    expect(training.command).toMatch(/^heed train /);
    expect(limits.length).toBeGreaterThan(0);
    // Two bytes a parameter, and a header.
    const { size } = statSync(path.join(folder, "model.safetensors"));
    expect(size).toBeGreaterThan(2 * parameters);
    expect(size).toBeLessThan(2 * parameters + 20_000);
    // Tiny ones that are trained in minutes, beside a baseline, say their hours alone.
    if (training.baseline) return;
    // The recurrent translator was trained before there was a measure of speed.
    if (task === "translation" && !languages) return;
    expect(speed).toEqual({
      machine: expect.any(String),
      // A recipe of one shard keeps one thread busy.
      threads: Math.min(2, training.recipe.shards),
      secondsPerStep: expect.any(Number),
      itemsPerSecond: expect.any(Number),
      kernelShare: expect.any(Number),
    });
    // A grid that does not learn is read forward only, by TensorFlow.js' convolutions: much of a step is theirs.
    const isFrozen = training.recipe.grid !== undefined && !training.recipe.trainGrid;
    if (!isFrozen) expect(speed.kernelShare).toBeGreaterThan(0.5);
  },
);
