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

test.each(names)(
  "the card of %s says how it was trained, how well it does and how fast it trains",
  (name) => {
    const folder = path.join(root, "weights", name);
    const { parameters, data, training, metrics, limits, speed, task, languages } = JSON.parse(
      readFileSync(path.join(folder, "card.json"), "utf8"),
    );
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
    // The recurrent translator was trained before there was a measure of speed.
    if (task === "translation" && !languages) return;
    expect(speed).toEqual({
      machine: expect.any(String),
      threads: 2,
      secondsPerStep: expect.any(Number),
      itemsPerSecond: expect.any(Number),
      kernelShare: expect.any(Number),
    });
    expect(speed.kernelShare).toBeGreaterThan(0.5);
  },
);
