import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { TINY_RECIPE, tinyDataset } from "./fixture.ts";

const script = fileURLToPath(new URL("./threads.mjs", import.meta.url));

test("two threads make the same model as one, bit for bit", () => {
  const dataDir = tinyDataset();
  const recipe = JSON.stringify({ ...TINY_RECIPE, epochs: 2 });
  for (const threads of ["1", "2"]) execFileSync(process.execPath, [script, dataDir, recipe, threads]);
  const [one, two] = ["1", "2"].map((n) =>
    readFileSync(path.join(dataDir, `threads-${n}/model/model.safetensors`)),
  );
  expect(one.length).toBeGreaterThan(1000);
  expect(two.equals(one)).toBe(true);
});
