import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../../src/cli/program.ts";
import { encodeWav } from "../../../src/data/wav.ts";
import { readTrace } from "../../../src/inspect/index.ts";
import { exampleClip } from "../../../src/tasks/formants/compose.ts";
import { composeClips } from "../../../src/tasks/formants/corpus.ts";
import { evaluate, scores } from "../../../src/tasks/formants/evaluate.ts";
import { loadVowelClassifier } from "../../../src/tasks/formants/files.ts";
import { FORMANT_RECIPE, type FormantRecipe } from "../../../src/tasks/formants/recipe.ts";
import { type FormantRun, runFormants } from "../../../src/tasks/formants/run.ts";
import { VOWELS } from "../../../src/tasks/formants/vowels.ts";
import type { RunOptions } from "../../../src/tasks/run-options.ts";
import { fakeIo } from "../../cli/fake-io.ts";
import { damagedCards, stopAt } from "../compared.ts";

const RECIPE: FormantRecipe = {
  ...FORMANT_RECIPE,
  model: { taps: 3, narrow: 3, width: 6, heads: 2 },
  format: { ...FORMANT_RECIPE.format, window: 128, hop: 160, bands: 11 },
  samples: 1100,
  clips: { train: 26, valid: 13, test: 17 },
  ...{ epochs: 6, batch: 13, evaluateEvery: 5, warmupSteps: 3 },
};

let folder: string;
let whole: FormantRun;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-formants-"));
  whole = await runFormants(options("whole"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const at = (...names: string[]) => path.join(folder, ...names);
const options = (name: string, more: Partial<RunOptions<FormantRecipe>> = {}): RunOptions<FormantRecipe> => ({
  recipe: RECIPE,
  ...{ dataDir: "", runDir: at(name), outDir: at(name, "model"), command: "heed train formants" },
  ...more,
});
const weights = (name: string) => readFileSync(at(name, "model", "model.safetensors"));

test("training writes a folder that loads and scores as its card says, and nothing leaks", async () => {
  const { stopped, card, evaluation } = whole;
  expect(stopped).toBe("done");
  const { seconds: _, ...metrics } = evaluation!;
  expect(card!.metrics).toEqual({ split: "test", ...metrics, command: "heed evaluate formants" });
  expect(metrics.levels.map(({ snr }) => snr)).toEqual([-6, 0, 6]);
  const before = tf.memory().numTensors;
  const classifier = await loadVowelClassifier(at("whole", "model"));
  expect(classifier.card).toEqual(card);
  expect(evaluate(classifier)).toMatchObject(metrics);
  classifier.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test("both that are stopped and started again are the same, bit for bit", async () => {
  expect(await runFormants(options("stopped", stopAt(3)))).toEqual({ stopped: "signal" });
  expect(await runFormants(options("stopped", stopAt(4, 2)))).toEqual({ stopped: "signal" });
  expect((await runFormants(options("stopped"))).stopped).toBe("done");
  expect(weights("stopped").equals(weights("whole"))).toBe(true);
});

test("the levels of the test have the same vowels, and scores are counted by hand", async () => {
  const [loud, soft] = [-6, 6].map((snr) => composeClips(RECIPE, "test", snr));
  expect([...loud!.labels]).toEqual([...soft!.labels]);
  expect(loud!.bands).not.toEqual(soft!.bands);
  const classifier = await loadVowelClassifier(at("whole", "model"));
  const { labels, gates } = classifier.predict(loud!, "model");
  let [right, mass] = [0, 0];
  for (let n = 0; n < 17; n++) {
    if (labels[n] === loud!.labels[n]) right++;
    let [inside, all] = [0, 0];
    for (let f = 0; f < 11; f++) {
      all += gates[n * 11 + f]!;
      inside += gates[n * 11 + f]! * loud!.informative[n * 11 + f]!;
    }
    mass += inside / all;
  }
  const { accuracy, gateMass, evenMass } = scores(classifier, loud!);
  expect(accuracy).toBeCloseTo(right / 17, 12);
  expect(gateMass).toBeCloseTo(mass / 17, 6);
  expect(evenMass).toBeCloseTo(loud!.informative.reduce((sum, one) => sum + one, 0) / (17 * 11), 12);
  classifier.dispose();
});

test("a sound of another rate is heard, its bands have their frequencies, and what cannot be heard is said", async () => {
  const classifier = await loadVowelClassifier(at("whole", "model"));
  const { vowel, word, probability, bands } = classifier.hear(exampleClip(7));
  expect(VOWELS.find(({ name }) => name === vowel)!.word).toBe(word);
  expect(probability).toBeGreaterThan(0);
  expect(bands.map(({ hertz }) => hertz)).toEqual(bands.map(({ hertz }) => hertz).sort((a, b) => a - b));
  const slower = { samples: exampleClip(7).samples, rate: 44_100 };
  expect(classifier.hear(slower).bands).toHaveLength(11);
  const trace = classifier.look(exampleClip(7));
  expect(Object.keys(trace.gates)).toEqual(["bandGate 0 gate"]);
  expect(trace.layers.map(({ H, T, S }) => [H, T, S])).toEqual([[2, 25, 25]]);
  expect(trace.tokens.times![1]).toBe("28 ms");
  const sound = (samples: number, value = 0) => ({
    samples: new Float64Array(samples).fill(value),
    rate: 8000,
  });
  expect(() => classifier.hear(sound(100, 1))).toThrow(
    "VowelClassifier: a sound must last 16 ms or more, got 13 ms; give a longer one",
  );
  expect(() => classifier.hear(sound(1000))).toThrow("a sound must not be silent, got silence");
  expect(() => classifier.hear(sound(490_000, 1))).toThrow("a sound must last at most 60 s, got 61.3 s");
  classifier.dispose();
});

test("the commands train, hear a reader's files and go on past a bad one", async () => {
  const { data: _, ...recipe } = RECIPE;
  writeFileSync(at("recipe.json"), JSON.stringify({ ...recipe, epochs: 1 }));
  const io = fakeIo();
  const flags = ["--out", at("cli", "model"), "--run", at("cli"), "--recipe", at("recipe.json")];
  expect(await run(["train", "formants", ...flags], io), io.err()).toBe(0);
  expect(io.out()).toMatch(/^test at 0 dB [\d.]+ % right, [\d.]+ % without the gate; the model is in /);
  const files = [at("a.wav"), at("b.wav"), at("c.wav")];
  for (const [n, file] of files.entries())
    writeFileSync(file, n === 1 ? "no sound" : encodeWav(exampleClip(n)));
  const asked = fakeIo();
  const model = ["--model", at("cli", "model")];
  const drawn = ["--svg", at("bands.svg"), "--trace", at("bands.attn")];
  expect(await run(["gate", "formants", ...model, "--json", ...drawn, ...files], asked)).toBe(2);
  const said = asked
    .out()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(said.map(({ file }) => file)).toEqual(files);
  expect(said[1].error).toContain("must be a WAV file");
  expect(said[2].bands).toHaveLength(11);
  expect(asked.err()).toContain(`heed gate formants: ${files[1]} must be a WAV file`);
  expect(readFileSync(at("bands-3.svg"), "utf8")).toContain("Bands that say");
  expect(Object.keys(readTrace(readFileSync(at("bands-1.attn"))).gates)).toEqual(["bandGate 0 gate"]);
  const scored = fakeIo();
  expect(await run(["evaluate", "formants", ...model], scored)).toBe(0);
  expect(scored.out()).toMatch(
    /^test: 17 vowels at each level\n-6 dB: .*\n0 dB: .*\n6 dB: .*informative bands\n$/,
  );
});

test("a damaged card is refused in one line", async () => {
  const cases: [string, (card: Card) => object][] = [
    ["heads that do not fit", ({ model, ...card }) => ({ ...card, model: { ...model, heads: 4 } })],
    ["an even number of taps", ({ model, ...card }) => ({ ...card, model: { ...model, taps: 4 } })],
    ["other classes", ({ model, ...card }) => ({ ...card, model: { ...model, classes: 3 } })],
    ["no recipe", (card) => ({ ...card, training: {} })],
    ["a window that is no power of two", (card) => withFormat(card, { window: 100 })],
    ["a rate that is too low for its bands", (card) => withFormat(card, { rate: 4000 })],
    ["a data set elsewhere", (card) => ({ ...card, data: { name: "../data" } })],
  ];
  await damagedCards(at("whole", "model"), cases, loadVowelClassifier);
});

interface Card {
  model: object;
  training: { recipe: FormantRecipe };
}

function withFormat({ training, ...card }: Card, change: object): object {
  const { recipe } = training;
  const format = { ...recipe.format, ...change };
  return { ...card, training: { ...training, recipe: { ...recipe, format } } };
}
