import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { TINY_RECIPE, tinyImages } from "../tasks/image-classification/fixture.ts";
import { fakeIo } from "./fake-io.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

let data: string;
let recipe: string;
beforeAll(() => {
  data = tinyImages();
  recipe = path.join(data, "recipe.json");
  const { data: name, model, shardImages } = TINY_RECIPE;
  writeFileSync(recipe, JSON.stringify({ data: name, model, shardImages, warmupSteps: 1 }));
});
afterAll(() => rmSync(data, { recursive: true }));

async function heed(...args: string[]) {
  const io = fakeIo();
  return { code: await run(args, io), out: io.out(), err: io.err() };
}

/** What trains the tiny model into a folder of that name. */
function train(name: string, threads: number): string[] {
  const at = (folder: string) => path.join(data, name, folder);
  return [
    ...["train", "image-classification", "--data", data, "--run", at("run"), "--out", at("model")],
    ...["--recipe", recipe, "--epochs", "2", "--threads", String(threads)],
  ];
}

test("heed train image-classification makes a model that heed evaluate scores as it did", async () => {
  const out = path.join(data, "one", "model");
  const trained = await heed(...train("one", 1));
  expect(trained.code).toBe(0);
  const [, accuracy] = /^test accuracy (\d+\.\d) %; the model is in /.exec(trained.out) ?? [];
  const scored = await heed("evaluate", "image-classification", "--model", out, "--data", data);
  expect(scored.out).toMatch(
    /^test: accuracy (\d+\.\d\d) %; 17 images in \d+\.\d s\n0 [\d.]+ %, 1 [\d.]+ %, 2 [\d.]+ %\n$/,
  );
  const [, again] = /accuracy ([\d.]+)/.exec(scored.out)!;
  expect(Number(again).toFixed(1)).toBe(accuracy);
  const json = await heed("evaluate", "image-classification", "--model", out, "--data", data, "--json");
  const { images, accuracy: share, recalls } = JSON.parse(json.out);
  expect({ images, share: (100 * share).toFixed(2) }).toEqual({ images: 17, share: again });
  expect(recalls).toHaveLength(3);
  const valid = await heed(
    ...["evaluate", "image-classification", "--model", out, "--data", data, "--split", "valid"],
  );
  expect(valid.out).toMatch(/^valid: accuracy [\d.]+ %; 5 images /);
});

test("the built command trains the same model with two threads, bit for bit", async () => {
  execFileSync(process.execPath, [main, ...train("two", 2)], { stdio: "ignore" });
  if ((await heed(...train("again", 1))).code !== 0) throw new Error("the run with one thread failed");
  const weights = (name: string) => readFileSync(path.join(data, name, "model", "model.safetensors"));
  expect(weights("two").equals(weights("again"))).toBe(true);
});

test("heed evaluate image-classification says what it misses, in one line", async () => {
  const none = await heed("evaluate", "image-classification", "--model", data);
  expect(none.code).toBe(2);
  expect(none.err).toMatch(
    /^heed evaluate image-classification: a model folder must hold model\.safetensors and card\.json, got [^\n]*\n$/,
  );
  const split = await heed("evaluate", "image-classification", "--split", "train");
  expect(split.err).toBe(
    'heed evaluate image-classification: --split must be one of test, valid, got "train"; try --split test\n',
  );
});
