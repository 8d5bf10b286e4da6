import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../../src/cli/program.ts";
import { readCorpus } from "../../../src/tasks/forecasting/corpus.ts";
import { evaluate } from "../../../src/tasks/forecasting/evaluate.ts";
import { loadForecaster } from "../../../src/tasks/forecasting/files.ts";
import { FORECASTING_RECIPE, type ForecastingRecipe } from "../../../src/tasks/forecasting/recipe.ts";
import { type ForecastingRun, runForecasting } from "../../../src/tasks/forecasting/run.ts";
import { composeSeries } from "../../../src/tasks/forecasting/series.ts";
import type { RunOptions } from "../../../src/tasks/run-options.ts";
import { fakeIo } from "../../cli/fake-io.ts";
import { damagedCards, stopAt } from "../compared.ts";

const RECIPE: ForecastingRecipe = {
  ...FORECASTING_RECIPE,
  model: { window: 5, narrow: 7, width: 6, heads: 2 },
  ...{ times: 300, decoys: 2, epochs: 3, batch: 13, evaluateEvery: 8, warmupSteps: 3 },
};

let folder: string;
let whole: ForecastingRun;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "heed-forecasting-"));
  whole = await runForecasting(options("whole"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const at = (...names: string[]) => path.join(folder, ...names);
const options = (
  name: string,
  more: Partial<RunOptions<ForecastingRecipe>> = {},
): RunOptions<ForecastingRecipe> => ({
  recipe: RECIPE,
  ...{ dataDir: "", runDir: at(name), outDir: at(name, "model"), command: "heed train forecasting" },
  ...more,
});
const weights = (name: string) => readFileSync(at(name, "model", "model.safetensors"));

/** A series as a table, with its days in front. */
function table(name: string, times: number): string {
  const { names, columns } = composeSeries({ times, decoys: 2, seed: 5 });
  const rows = Array.from({ length: times }, (_, t) => [`day ${t}`, ...columns.map((column) => column[t])]);
  const file = at(name);
  writeFileSync(file, [["day", ...names], ...rows].map((row) => row.join(",")).join("\n"));
  return file;
}

test("training writes a folder that loads and scores as its card says, and nothing leaks", async () => {
  const { stopped, card, evaluation } = whole;
  expect(stopped).toBe("done");
  const { seconds: _, ...scores } = evaluation!;
  expect(card!.metrics).toEqual({ split: "test", ...scores, command: "heed evaluate forecasting" });
  expect(scores.ratio).toBeCloseTo(scores.mse / scores.baselineMse, 12);
  expect(scores.inputs.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 5);
  expect(card!.data.licence).toBe("MIT");
  const before = tf.memory().numTensors;
  const forecaster = await loadForecaster(at("whole", "model"));
  expect(forecaster.card).toEqual(card);
  expect(evaluate(forecaster, readCorpus("op", "", RECIPE))).toMatchObject(scores);
  forecaster.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test("both that are stopped and started again are the same, bit for bit", async () => {
  expect(await runForecasting(options("stopped", stopAt(7)))).toEqual({ stopped: "signal" });
  // The second one is the baseline's.
  expect(await runForecasting(options("stopped", stopAt(20, 2)))).toEqual({ stopped: "signal" });
  expect((await runForecasting(options("stopped"))).stopped).toBe("done");
  expect(weights("stopped").equals(weights("whole"))).toBe(true);
});

test("a forecast is in the target's unit, and its inputs are ranked", async () => {
  const forecaster = await loadForecaster(at("whole", "model"));
  const series = composeSeries({ times: 40, decoys: 2, seed: 9 });
  const { target, value, inputs, windows } = forecaster.forecast(series);
  expect([target, windows, inputs.length]).toEqual(["growth", 36, 6]);
  expect(Math.abs(value)).toBeLessThan(5);
  expect(inputs.map(({ weight }) => weight)).toEqual(
    inputs.map(({ weight }) => weight).sort((a, b) => b - a),
  );
  // The order of columns does not matter, nor do others.
  const order = series.names.map((_, n) => n).reverse();
  const turned = {
    names: [...order.map((n) => series.names[n]!), "another"],
    columns: [...order.map((n) => series.columns[n]!), new Float64Array(40)],
  };
  expect(forecaster.forecast(turned)).toEqual(forecaster.forecast(series));
  const trace = forecaster.look(series);
  expect(Object.entries(trace.gates).map(([name, { shape }]) => [name, shape])).toEqual([
    ["variableSelection 0 gate", [5, 6]],
  ]);
  expect(trace.layers.map(({ T, S }) => [T, S])).toEqual([[1, 5]]);
  const short = composeSeries({ times: 4, decoys: 2, seed: 9 });
  expect(() => forecaster.forecast(short)).toThrow(
    "SeriesForecaster: a table must have the 5 times of a window, got 4; give more rows",
  );
  expect(() => forecaster.forecast({ names: ["a"], columns: [new Float64Array(9)] })).toThrow(
    /a table must have the columns of the model, .*got none named .*; train a model on such tables/,
  );
  forecaster.dispose();
});

test("a reader's own table is trained on and forecast by the commands", async () => {
  const file = table("mine.csv", 120);
  const { data: _, ...recipe } = RECIPE;
  writeFileSync(at("recipe.json"), JSON.stringify({ ...recipe, epochs: 1 }));
  const io = fakeIo();
  const flags = [
    "--data",
    file,
    "--out",
    at("cli", "model"),
    "--run",
    at("cli"),
    "--recipe",
    at("recipe.json"),
  ];
  expect(await run(["train", "forecasting", ...flags], io), io.err()).toBe(0);
  expect(io.out()).toMatch(
    /^test squared error [\d.]+, without the gate [\d.]+, ratio [\d.]+; the model is in /,
  );
  const { data } = JSON.parse(readFileSync(at("cli", "model", "card.json"), "utf8"));
  expect([data.name, data.licence]).toEqual(["mine", "not stated"]);
  const asked = fakeIo();
  const model = ["--model", at("cli", "model")];
  expect(await run(["gate", "series", ...model, "--json", file, at("none.csv")], asked)).toBe(2);
  const [first, second] = asked
    .out()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(first).toMatchObject({ file, target: "growth", windows: 116 });
  expect(second.error).toContain("none.csv must be readable, got no such file");
  expect(asked.err()).toContain("heed gate series: ");
  const scored = fakeIo();
  expect(await run(["evaluate", "forecasting", ...model, "--data", file], scored)).toBe(0);
  expect(scored.out()).toMatch(/^test: 13 windows, squared error .*\n.*true drivers first: (yes|no)\n$/);
  const other = fakeIo();
  expect(await run(["evaluate", "forecasting", ...model], other)).toBe(2);
  expect(other.err()).toMatch(/^heed evaluate forecasting: columns must be the model's, /);
});

test("a damaged card is refused in one line", async () => {
  const cases: [string, (card: never) => object][] = [
    ["heads that do not fit", ({ model, ...card }: Card) => ({ ...card, model: { ...model, heads: 4 } })],
    ["no gate", ({ model, ...card }: Card) => ({ ...card, model: { ...model, gated: false } })],
    [
      "a size that fills the memory",
      ({ model, ...card }: Card) => ({ ...card, model: { ...model, narrow: 1e9 } }),
    ],
    ["a name too few", ({ inputs, ...card }: Card) => ({ ...card, inputs: { ...inputs, names: ["a"] } })],
    ["no scale", ({ inputs, ...card }: Card) => ({ ...card, inputs: { ...inputs, scaling: {} } })],
    ["a data set elsewhere", (card: Card) => ({ ...card, data: { name: "../data" } })],
  ];
  await damagedCards(at("whole", "model"), cases, loadForecaster);
});

interface Card {
  model: object;
  inputs: object;
}
