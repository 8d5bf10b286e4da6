import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../../src/cli/program.ts";
import { llama, Transformer } from "../../../src/models/index.ts";
import {
  bitsPerCharacter,
  type LanguageModelRecipe,
  type LanguageModelResult,
  loadLanguageModel,
  type RunOptions,
  runLanguageModel,
} from "../../../src/tasks/index.ts";
import { fakeIo } from "../../cli/fake-io.ts";
import { TINY_RECIPE, tinyText } from "./fixture.ts";

let dataDir: string;
let whole: LanguageModelResult;
beforeAll(async () => {
  dataDir = tinyText();
  whole = await runLanguageModel(options("whole"));
});
afterAll(() => rmSync(dataDir, { recursive: true }));

const at = (...names: string[]) => path.join(dataDir, ...names);

function options(
  name: string,
  more: Partial<RunOptions<LanguageModelRecipe>> = {},
): RunOptions<LanguageModelRecipe> {
  const folders = { dataDir, runDir: at(name, "run"), outDir: at(name, "model") };
  return { recipe: TINY_RECIPE, ...folders, command: "heed train language-model", threads: 1, ...more };
}

/** One drawn character of three: ⅓·log₂ 3 bits. */
const ENTROPY = Math.log2(3) / 3;

test("training comes near the entropy of the text, and the card says so", async () => {
  const { stopped, card } = whole;
  expect(stopped).toBe("done");
  const { bits, split } = card!.metrics;
  expect(split).toBe("test");
  // 135 characters of the test part: 45 draws, whose mean log₂ 3 is exact; what is above it was not learnt.
  expect(bits).toBeGreaterThan(ENTROPY - 0.02);
  expect(bits).toBeLessThan(ENTROPY + 0.15);
  expect(card!.samples.map(({ text }) => [...text].length)).toEqual([300, 300, 300]);
});

test("the folder loads, writes the samples of its card again, and refuses what it does not know", async () => {
  const model = await loadLanguageModel(at("whole", "model"));
  expect(model.card).toEqual(whole.card);
  for (const { prompt, text, temperature, seed } of model.card.samples) {
    expect(model.write(prompt, { characters: 300, temperature, seed })).toBe(text);
  }
  expect(() => model.write("A")).toThrow('got "A"');
  expect(() => model.bits("a")).toThrow("a text must have a character after its first, got 1");
  expect(model.bits("abcabccé\n").bits).toBeLessThan(1.2);
  model.dispose();
});

test("a run that is stopped and started again makes the same model, bit for bit", async () => {
  const stop = new AbortController();
  const progress = { update: ({ step }: { step: number }) => step >= 7 && stop.abort(), log() {}, stop() {} };
  const first = await runLanguageModel(options("stopped", { signal: stop.signal, progress }));
  expect(first).toEqual({ stopped: "signal" });
  await runLanguageModel(options("stopped"));
  const weights = (name: string) => readFileSync(at(name, "model", "model.safetensors"));
  expect(weights("stopped").equals(weights("whole"))).toBe(true);
});

test("heed evaluate language-model makes the figures of the card again", async () => {
  const args = ["evaluate", "language-model", "--model", at("whole", "model"), "--data", dataDir];
  const { training, metrics } = whole.card!;
  for (const [split, expected] of Object.entries({ valid: training.validation, test: metrics })) {
    const io = fakeIo();
    expect(await run([...args, "--split", split, "--json"], io)).toBe(0);
    const { seconds, ...scores } = JSON.parse(io.out());
    expect(expected).toMatchObject({
      bits: scores.bits,
      characters: scores.characters,
      context: scores.context,
    });
    expect(seconds).toBeGreaterThan(0);
  }
});

test("a damaged folder is refused in one line", async () => {
  const folder = at("whole", "model");
  const card = readFileSync(path.join(folder, "card.json"), "utf8");
  const cases: [string, string, string][] = [
    ["card.json", card.replace('"llama"', '"other"'), 'got a model of the preset "other"'],
    ["card.json", card.replace(/"length": 17/, '"length": "17"'), "got length 17"],
    ["card.json", card.replace('"name": "tiny"', '"name": "../tiny"'), 'got a data set named "../tiny"'],
    ["vocabulary.json", "[]", "got JSON that is no object"],
    ["vocabulary.json", '{"characters":[1]}', "got characters that are no list of texts"],
    ["vocabulary.json", '{"characters":["a"]}', "embedding/token must be F16 [1, 24]"],
  ];
  for (const [name, content, message] of cases) {
    const file = path.join(folder, name);
    const before = readFileSync(file);
    writeFileSync(file, content);
    await expect(loadLanguageModel(folder)).rejects.toThrow(message);
    writeFileSync(file, before);
  }
});

test("bits of a character are those of a plain loop, whatever the windows", () => {
  const [V, T] = [7, 11];
  const model = new Transformer(llama({ layers: 1, width: 8, heads: 2, vocabulary: V }), 5);
  const ids = Int32Array.from({ length: 29 }, (_, n) => (n * n + 3) % V);
  const [length, context] = [29, 5];
  /** −log₂ p of each character after the first, each in a window that begins at `start`. */
  const surprise = (start: number, from: number, to: number) => {
    const tokens = tf.tensor2d(ids.slice(start, to), [1, to - start], "int32");
    const rows = tf
      .tidy(() => tf.log(tf.softmax(model.logits(model.decode({ tokens })))))
      .arraySync() as number[][][];
    let sum = 0;
    for (let n = from; n < to; n++) sum -= rows[0]![n - start]![ids[n + 1]!]! / Math.LN2;
    tokens.dispose();
    return sum;
  };
  const whole = bitsPerCharacter(model, ids, { length });
  expect(whole.characters).toBe(28);
  expect(whole.bits).toBeCloseTo(surprise(0, 0, 28) / 28, 5);
  // Windows 0–11, 6–17, 12–23, 17–28: each scores what the one before did not.
  const parts = surprise(0, 0, 11) + surprise(6, 11, 17) + surprise(12, 17, 23) + surprise(17, 23, 28);
  const cut = bitsPerCharacter(model, ids, { length: T, context });
  expect(cut.characters).toBe(28);
  expect(cut.bits).toBeCloseTo(parts / 28, 5);
  expect(() => bitsPerCharacter(model, ids, { length: T, context: T })).toThrow(
    "bitsPerCharacter: context must be an integer from 0 to 10, got 11",
  );
  model.dispose();
});
