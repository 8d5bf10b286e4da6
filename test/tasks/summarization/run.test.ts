import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../../src/cli/program.ts";
import { decodeSafetensors } from "../../../src/core/safetensors.ts";
import {
  coverageAfter,
  drawSummary,
  evaluateSummaries,
  loadSummarizer,
  type RunOptions,
  readSummaries,
  runSummarization,
  type SummarizationRecipe,
  type SummarizationResult,
  summaryTrace,
} from "../../../src/tasks/index.ts";
import { drawTrace } from "../../../src/views/index.ts";
import { fakeIo } from "../../cli/fake-io.ts";
import { TINY_RECIPE, tinyReports } from "./fixture.ts";

let dataDir: string;
let whole: SummarizationResult;
beforeAll(async () => {
  dataDir = tinyReports();
  whole = await runSummarization(options("whole"));
});
afterAll(() => rmSync(dataDir, { recursive: true }));

const at = (...names: string[]) => path.join(dataDir, ...names);

function options(
  name: string,
  more: Partial<RunOptions<SummarizationRecipe>> = {},
): RunOptions<SummarizationRecipe> {
  const folders = { dataDir, runDir: at(name, "run"), outDir: at(name, "model") };
  return { recipe: TINY_RECIPE, ...folders, command: "heed train summarization", threads: 1, ...more };
}

const weights = (name: string) => readFileSync(at(name, "model", "model.safetensors"));

/** Aborts while step `k` of a run is under way. */
function stopAt(k: number): Partial<RunOptions<SummarizationRecipe>> {
  const stop = new AbortController();
  return {
    signal: stop.signal,
    progress: { update: ({ step }) => step >= k && stop.abort(), log() {}, stop() {} },
  };
}

test("training learns to copy names that it never saw, beside the baselines", () => {
  const { stopped, card, evaluation } = whole;
  expect(stopped).toBe("done");
  const { seconds, ...scores } = evaluation!;
  expect(card!.metrics).toEqual({
    split: "test",
    ...scores,
    command: "heed evaluate summarization --model model",
  });
  expect(seconds).toBeGreaterThan(0);
  expect(scores.sources).toBe(13);
  expect(scores.rougeL).toBeGreaterThan(90);
  // Of "Today Name sings in the garden." the name alone is right: F = 2/(n + 2) of the first n words.
  expect(scores.lead).toEqual({ words: 2, rouge1: 50, rouge2: 0, rougeL: 50 });
  expect(scores.copy.rougeL).toBeCloseTo(25, 10);
  expect(scores.repeats).toBe(0);
  // Names are in no vocabulary of 22 words, and each summary has one.
  expect(scores.copied.words).toBeGreaterThanOrEqual(13);
  expect(scores.copied.share).toBeGreaterThan(0.9);
  expect(scores.pointed.words).toBeGreaterThanOrEqual(13);
  expect(scores.pointed.share).toBeGreaterThan(0.9);
  // Each text has one name, which a lot finds too.
  expect(scores.pointed).toMatchObject({ amongOwn: 1, byLot: 1 });
  expect(scores.people).toBeUndefined();
  expect(scores.words).toEqual({ text: 6, summary: 2, reference: 2 });
  expect(scores.signature).toBe("nrefs:1|stem:no|tok:rouge-score|version:0.1.2");
});

test("the folder loads, sums up as its card says, and shows how each word came about", async () => {
  const summarizer = await loadSummarizer(at("whole", "model"));
  expect(summarizer.card).toEqual(whole.card);
  const { leadWords } = summarizer.card.decoding;
  const again = evaluateSummaries(summarizer, readSummaries(dataDir, "test", ""), { leadWords });
  expect(again).toMatchObject({ rougeL: whole.evaluation!.rougeL, rouge2: whole.evaluation!.rouge2 });
  // The same weights without copying write no name.
  const off = evaluateSummaries(summarizer, readSummaries(dataDir, "test", ""), {
    leadWords,
    pointing: false,
  });
  expect(off.copied).toEqual({ words: again.copied.words, share: 0 });
  expect(off.pointed).toMatchObject({ words: again.pointed.words, share: 0, amongOwn: 0 });
  const [summary, empty, long] = summarizer.summarize([
    "Often Zebedee walks in the house.",
    " ",
    "Often Zebedee walks in the house. And then nobody knew.",
  ]);
  expect(summary!.target).toBe("Zebedee: walk");
  expect(summary!.targetTokens).toEqual(["Zebedee", ": ", "walk"]);
  expect(summary!.sourceTokens).toEqual(["Often", "Zebedee", "walks", "in", "the", "house", "."]);
  // The name is copied from where it stands, the noun is written.
  expect(summary!.generate[0]).toBeLessThan(0.5);
  expect(summary!.generate[2]).toBeGreaterThan(0.5);
  expect(summary!.weights[0]!.indexOf(Math.max(...summary!.weights[0]!))).toBe(1);
  for (const row of summary!.weights) expect(row.reduce((sum, a) => sum + a, 0)).toBeCloseTo(1, 5);
  expect(summary!.coverage[0]).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect(summary!.outside[1]).toBe(true);
  expect(summary!.repeated[0]).toBe(0);
  const [a, c] = [summary!.weights[2]!, summary!.coverage[2]!];
  expect(summary!.repeated[2]).toBeCloseTo(
    a.reduce((sum, weight, s) => sum + Math.min(weight, c[s]!), 0),
    12,
  );
  expect(coverageAfter(summary!).reduce((sum, at) => sum + at, 0)).toBeCloseTo(3, 5);
  expect(summary!.coverage[2]!.reduce((sum, c) => sum + c, 0)).toBeCloseTo(2, 5);
  expect(empty).toMatchObject({ target: "", targetTokens: [], weights: [], generate: [], cut: 0 });
  expect([summary!.cut, long!.cut, long!.sourceTokens.length]).toEqual([0, 3, 9]);
  const trace = summaryTrace(summary!)!;
  expect(trace.tokens.tgt).toEqual(summary!.targetTokens);
  expect(Object.entries(trace.gates).map(([name, { shape }]) => [name, shape])).toEqual([
    ["p_gen", [3]],
    ["coverage", [3, 7]],
  ]);
  for (const gate of ["p_gen", "coverage"])
    expect(drawTrace(trace, { view: "gates", gate })).toContain(`gate ${gate}`);
  expect(drawTrace(trace, { view: "heatmap" })).toContain("Zebedee");
  expect(summaryTrace(empty!)).toBeUndefined();
  const svg = drawSummary(summary!)!;
  for (const name of ["p_gen", "again", "coverage"]) expect(svg).toContain(`, ${name}: `);
  expect(drawSummary(empty!)).toBeUndefined();
  const [three] = summarizer.summarize(["Often Zebedee walks in the house."], { nBest: 3, beam: 1 });
  expect(three!.target).toBe(summary!.target);
  expect(three!.alternatives).toHaveLength(2);
  expect(three!.alternatives![0]!.score).toBeLessThanOrEqual(three!.score);
  const [short] = summarizer.summarize(["Often Zebedee walks in the house."], { maxLength: 1 });
  expect(short!.targetTokens).toHaveLength(1);
  expect(() => summarizer.summarize(["a"], { beam: 0 })).toThrow(
    "summarize: beam must be an integer ≥ 1, got 0; choose another one",
  );
  expect(() => summarizer.summarize(["a"], { lengthPenalty: Number.NaN })).toThrow(
    "summarize: lengthPenalty must be a number ≥ 0, got NaN; choose another one",
  );
  summarizer.dispose();
});

test("a run that is stopped and started again makes the same model, bit for bit", async () => {
  expect(await runSummarization(options("stopped", stopAt(7)))).toEqual({ stopped: "signal" });
  // Within the last fifth of the steps, in which coverage is on.
  const late = Math.ceil(0.9 * whole.card!.training.steps);
  expect(await runSummarization(options("stopped", stopAt(late)))).toEqual({ stopped: "signal" });
  expect((await runSummarization(options("stopped"))).stopped).toBe("done");
  expect(weights("stopped").equals(weights("whole"))).toBe(true);
});

test("coverage is learnt in the last steps, and not where it is never turned on", async () => {
  const recipe = { ...TINY_RECIPE, epochs: 2, coverageFrom: 1 };
  await runSummarization(options("without", { recipe }));
  const bitsOf = (name: string) =>
    Array.from(decodeSafetensors(weights(name)).tensors["attention/coverage"]!.data as Uint16Array);
  expect(bitsOf("whole").some((bits) => bits !== 0)).toBe(true);
  expect(bitsOf("without").every((bits) => bits === 0)).toBe(true);
});

test("a run folder refuses another recipe, and a split without rows that fit is refused", async () => {
  const other = options("whole", { recipe: { ...TINY_RECIPE, coverageWeight: 2 } });
  await expect(runSummarization(other)).rejects.toThrow(
    "heed train summarization: a run must go on with the recipe that it began with, got another; choose an empty folder " +
      "for the checkpoints, or give what the first call had",
  );
  const short = options("short", { recipe: { ...TINY_RECIPE, maxTarget: 1 } });
  await expect(runSummarization(short)).rejects.toThrow(
    "heed train summarization: the training split must have a row with a target of 1 to 1 tokens, got none of 160; " +
      "give other rows, or raise maxTarget",
  );
});

test("a run that begins with a trained model has its words, and goes on from its values", async () => {
  const start = at("whole", "model");
  const recipe = { ...TINY_RECIPE, start, epochs: 1, learningRate: 1e-4, vocabulary: 5 };
  const { card } = await runSummarization(options("further", { recipe }));
  expect(card!.metrics.rougeL).toBeGreaterThan(90);
  const words = (name: string) => readFileSync(at(name, "model", "vocabulary.json"), "utf8");
  expect(words("further")).toBe(words("whole"));
  expect(weights("further").equals(weights("whole"))).toBe(false);
  const wider = { ...recipe, model: { ...recipe.model, attention: 8 } };
  await expect(runSummarization(options("wider", { recipe: wider }))).rejects.toThrow(
    "heed train summarization: attention/",
  );
});

test("the card of a user's own data claims no licence and says what was cut", () => {
  const { data, training } = whole.card!;
  expect(data).toEqual({
    name: "tiny",
    licence: "not stated",
    attribution: "not stated",
    changes: "not stated",
  });
  expect([training.cut, training.leftOut]).toEqual([0, 0]);
});

test("heed train summarization trains on a folder of rows, and asks for one", async () => {
  const { data: _, ...recipe } = { ...TINY_RECIPE, epochs: 2 };
  writeFileSync(at("recipe.json"), JSON.stringify(recipe));
  const flags = ["--out", at("cli", "model"), "--run", at("cli"), "--recipe", at("recipe.json")];
  const io = fakeIo();
  expect(await run(["train", "summarization", "--data", dataDir, ...flags], io)).toBe(0);
  expect(io.out()).toMatch(
    /^test ROUGE-1 [\d.]+, -2 [\d.]+, -L [\d.]+; the first 2 words -L 50.00; the model is in /,
  );
  const none = fakeIo();
  expect(await run(["train", "summarization", ...flags], none)).toBe(2);
  expect(none.err()).toBe(
    "heed train summarization: --data must name a folder of rows, got none; add --data my-rows\n",
  );
});

test("a damaged folder is refused in one line", async () => {
  const folder = mkdtempSync(path.join(dataDir, "damaged-"));
  const names = ["model.safetensors", "vocabulary.json", "card.json"];
  const whole = names.map((name) => readFileSync(at("whole", "model", name)));
  const text = (n: number) => whole[n]!.toString("utf8");
  const cases: [string, string, string][] = [
    ["card.json", text(2).replace('"beam": 4', '"beam": "4"'), 'got decoding {"beam":"4"'],
    ["card.json", text(2).replace('"name": "tiny"', '"name": "../tiny"'), 'got a data set named "../tiny"'],
    ["card.json", text(2).replace('"cell": "gru"', '"cell": "rnn"'), "cell must be one of gru, lstm"],
    [
      "vocabulary.json",
      '{"words":{"format":"heed-words-1","words":["a","a"]}}',
      "with a list of different words",
    ],
    ["vocabulary.json", '{"words":{"format":"heed-words-1","words":["a"]}}', "embedding must be F16 [5, 13]"],
  ];
  for (const [name, content, message] of cases) {
    for (const [n, file] of names.entries()) writeFileSync(path.join(folder, file), whole[n]!);
    writeFileSync(path.join(folder, name), content);
    await expect(loadSummarizer(folder), message).rejects.toThrow(message);
  }
});
