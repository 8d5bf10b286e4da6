import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../../src/cli/program.ts";
import { decodeSafetensors } from "../../../src/core/safetensors.ts";
import { layerMap } from "../../../src/inspect/index.ts";
import {
  answerStrip,
  answerTrace,
  evaluateQuestions,
  loadAnswerer,
  majorityOf,
  type RunOptions,
  readQuestionCorpus,
  runVisualQuestions,
  type VisualQuestionsRecipe,
  type VisualQuestionsRun,
} from "../../../src/tasks/index.ts";
import { drawTrace } from "../../../src/views/index.ts";
import { fakeIo } from "../../cli/fake-io.ts";
import { tinyItemFiles } from "../scenes/fixture.ts";
import { TINY_RECIPE, tinyRows } from "./fixture.ts";

let dataDir: string;
let rowsDir: string;
let whole: VisualQuestionsRun;
beforeAll(async () => {
  dataDir = tinyItemFiles();
  rowsDir = tinyRows();
  whole = await runVisualQuestions(options("whole"));
});
afterAll(() => {
  for (const dir of [dataDir, rowsDir]) rmSync(dir, { recursive: true });
});

const at = (...names: string[]) => path.join(dataDir, ...names);

function options(
  name: string,
  more: Partial<RunOptions<VisualQuestionsRecipe>> = {},
): RunOptions<VisualQuestionsRecipe> {
  const folders = { dataDir, runDir: at(name, "run"), outDir: at(name, "model") };
  return { recipe: TINY_RECIPE, ...folders, command: "heed train visual-questions", threads: 1, ...more };
}

const weights = (name: string) => readFileSync(at(name, "model", "model.safetensors"));

/** Aborts while step `k` of a run is under way. */
function stopAt(k: number): Partial<RunOptions<VisualQuestionsRecipe>> {
  const stop = new AbortController();
  return {
    signal: stop.signal,
    progress: { update: ({ step }) => step >= k && stop.abort(), log() {}, stop() {} },
  };
}

test("the folder loads, answers as its card says, and leaks nothing", async () => {
  const { stopped, card, evaluation } = whole;
  expect(stopped).toBe("done");
  const { seconds, ...scores } = evaluation!;
  expect(card!.metrics).toEqual({
    split: "test",
    ...scores,
    command: "heed evaluate visual-questions --model model",
  });
  expect(card!.name).toBe("model");
  expect([seconds > 0, scores.pictures, scores.questions]).toEqual([true, 7, 21]);
  expect(scores.mass).toBeGreaterThan(0);
  expect(card!.labels).toEqual(["0", "1", "2"]);
  const answerer = await loadAnswerer(at("whole", "model"));
  expect(answerer.card).toEqual(JSON.parse(JSON.stringify(card)));
  const corpus = await readQuestionCorpus(dataDir, TINY_RECIPE);
  const held = corpus.held("test");
  const before = tf.memory().numTensors;
  const again = evaluateQuestions(answerer, held, majorityOf(corpus));
  expect(tf.memory().numTensors).toBe(before);
  expect({ ...again, seconds: 0 }).toEqual({ ...evaluation, seconds: 0 });
  answerer.dispose();
});

test("an answer says what each word looked at, and is drawn and traced", async () => {
  const answerer = await loadAnswerer(at("whole", "model"));
  const [first] = (await readQuestionCorpus(dataDir, TINY_RECIPE)).held("test");
  const { pixels } = first!;
  const question = "What is, honestly, left of the 1?";
  const answered = answerer.answer(question, pixels);
  expect(answered.words).toEqual(["what", "is", "left", "of", "the", "1"]);
  expect(answered.unknown).toEqual(["honestly"]);
  expect(answered.answers.map(({ answer }) => answer).toSorted()).toEqual(
    [...answerer.card.answers].toSorted(),
  );
  expect(answered.answers.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
  for (const map of [...answered.maps, answered.answerMap])
    expect(map.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
  const asked = { pixels, height: 64, width: 64 };
  const trace = answerTrace(asked, answered);
  expect(trace.layers.map(({ name, T, S }) => [name, T, S])).toEqual([
    ["words 0", 7, 64],
    ["cells 0", 64, 7],
    ["words 1", 7, 64],
  ]);
  const map = layerMap(trace.layers[0]!);
  const mean = map.row(0, 3).values.map((weight, s) => (weight + map.row(1, 3).values[s]!) / 2);
  for (const [s, share] of answered.maps[2]!.entries()) expect(mean[s]).toBeCloseTo(share, 6);
  expect(drawTrace(trace, { view: "image" })).toContain("left");
  expect(answerStrip(asked, question, answered)).toContain(`→ ${answered.answer}`);
  answerer.dispose();
});

test("a run that is stopped and started again makes the same model, bit for bit", async () => {
  expect(await runVisualQuestions(options("stopped", stopAt(2)))).toEqual({ stopped: "signal" });
  expect(await runVisualQuestions(options("stopped", stopAt(5)))).toEqual({ stopped: "signal" });
  expect((await runVisualQuestions(options("stopped"))).stopped).toBe("done");
  expect(weights("stopped").equals(weights("whole"))).toBe(true);
});

test("the grid learns only where it is to", async () => {
  const grid = (name: string) =>
    decodeSafetensors(weights(name)).tensors["grid/0/kernel"]!.data as Uint16Array;
  await runVisualQuestions(options("other", { recipe: { ...TINY_RECIPE, learningRate: 0.01 } }));
  expect(grid("other")).toEqual(grid("whole"));
  await runVisualQuestions(options("grid", { recipe: { ...TINY_RECIPE, trainGrid: true } }));
  expect(grid("grid")).not.toEqual(grid("whole"));
});

test("statements about pictures of one's own are read as their own files say, and a model of them is trained", async () => {
  const recipe = { ...TINY_RECIPE, trainGrid: true, epochs: 2, shardPictures: 6 };
  const { card, evaluation } = await runVisualQuestions(options("rows", { recipe, dataDir: rowsDir }));
  expect(card).toMatchObject({
    source: "rows",
    image: { height: 64, width: 128 },
    answers: ["false", "true"],
    nouns: [],
    data: { licence: "not stated" },
  });
  expect(card!.model.positions).toBe(5);
  expect(evaluation!.kinds).toEqual({ row: expect.objectContaining({ questions: 7 }) });
  expect(evaluation!.mass).toBeNull();
  const answerer = await loadAnswerer(at("rows", "model"));
  expect(() => answerer.check("purple hat")).toThrow(
    'QuestionAnswerer: a question must have a word that the model knows, got "purple hat"; it does not know purple, hat',
  );
  expect(() => answerer.check("the picture is the picture is dark")).toThrow("must have at most 4 words");
  const scenes = await readQuestionCorpus(dataDir, TINY_RECIPE);
  expect(() => answerer.checkCorpus(scenes)).toThrow(
    "pictures must be 64 × 128, as the model's, got 64 × 64",
  );
  answerer.dispose();
});

test("heed train and heed evaluate visual-questions", async () => {
  const { data: _, ...recipe } = TINY_RECIPE;
  writeFileSync(at("recipe.json"), JSON.stringify(recipe));
  const flags = [
    "--out",
    at("cli", "model"),
    "--run",
    at("cli"),
    "--recipe",
    at("recipe.json"),
    "--threads",
    "1",
  ];
  const io = fakeIo();
  expect(await run(["train", "visual-questions", "--data", dataDir, ...flags], io)).toBe(0);
  expect(io.out()).toMatch(/^test accuracy [\d.]+ %, commonest answers [\d.]+ %; the model is in /);
  expect(readFileSync(at("cli", "model", "model.safetensors")).equals(weights("whole"))).toBe(true);
  const scored = fakeIo();
  const evaluate = ["evaluate", "visual-questions", "--model", at("cli", "model"), "--data", dataDir];
  expect(await run(evaluate, scored)).toBe(0);
  expect(scored.out()).toMatch(
    /^test: right answers [\d.]+ %, commonest answer to each question [\d.]+ %; 21 questions about 7 pictures in [\d.]+ s\n/,
  );
  const json = fakeIo();
  expect(await run([...evaluate, "--json", "--split", "valid"], json)).toBe(0);
  expect(JSON.parse(json.out())).toMatchObject({ pictures: 5, questions: 15 });
});

test("a damaged folder is refused in one line", async () => {
  const folder = mkdtempSync(path.join(dataDir, "damaged-"));
  const names = ["model.safetensors", "vocabulary.json", "card.json"];
  const files = names.map((name) => readFileSync(at("whole", "model", name)));
  const text = (n: number) => files[n]!.toString("utf8");
  const cases: [string, string, string][] = [
    ["card.json", text(2).replace('"layers": 2', '"layers": "2"'), 'got model {"positions"'],
    ["card.json", text(2).replace('"height": 64', '"height": 1e9'), 'got image {"height":1000000000'],
    ["card.json", text(2).replace('"source": "scenes"', '"source": "web"'), 'got source "web"'],
    ["card.json", text(2).replace('"answers": [', '"answers": [1,'), "got answers [1,"],
    ["card.json", text(2).replace('"name": "tiny"', '"name": "../tiny"'), 'got a data set named "../tiny"'],
    ["vocabulary.json", '{"words":{"list":["a","a"]}}', "words must differ"],
    ["vocabulary.json", '{"words":{"list":["A"]}}', "words must be a list of different words"],
    ["vocabulary.json", '{"words":{"list":["a"]}}', "words/embedding must be F16 [3, 8]"],
  ];
  for (const [name, content, message] of cases) {
    for (const [n, file] of names.entries()) writeFileSync(path.join(folder, file), files[n]!);
    writeFileSync(path.join(folder, name), content);
    await expect(loadAnswerer(folder), message).rejects.toThrow(message);
  }
});
