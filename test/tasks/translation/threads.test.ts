import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { TINY_RECIPE, tinyDataset } from "./fixture.ts";

const script = fileURLToPath(new URL("./threads.mjs", import.meta.url));

test("two threads make the same model as one, bit for bit", () => {
  const dataDir = tinyDataset();
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const recipe = JSON.stringify({ ...TINY_RECIPE, epochs: 2 });
  for (const threads of ["1", "2"]) execFileSync(process.execPath, [script, dataDir, recipe, threads]);
  const [one, two] = ["1", "2"].map((n) =>
    readFileSync(path.join(dataDir, `threads-${n}/model/model.safetensors`)),
  );
  expect(one.length).toBeGreaterThan(1000);
  expect(two.equals(one)).toBe(true);
});

test("a run with worker threads that is refused ends, and says why", () => {
  const dataDir = tinyDataset();
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const run = (recipe: object) =>
    spawnSync(process.execPath, [script, dataDir, JSON.stringify(recipe), "2"], {
      timeout: 50_000,
      encoding: "utf8",
    });
  expect(run({ ...TINY_RECIPE, epochs: 2 }).status).toBe(0);
  const refused = run({ ...TINY_RECIPE, epochs: 3 });
  expect(refused.signal).toBeNull();
  expect(refused.stderr).toContain("a run must go on with the recipe that it began with");
});
