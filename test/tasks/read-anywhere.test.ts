import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { useHeedBackend } from "../../src/host/select.ts";
import { SeriesForecaster } from "../../src/tasks/forecasting/forecaster.ts";
import { readModel as readForecaster } from "../../src/tasks/forecasting/read.ts";
import { exampleSeries } from "../../src/tasks/forecasting/series.ts";
import { VowelClassifier } from "../../src/tasks/formants/classifier.ts";
import { exampleClip } from "../../src/tasks/formants/compose.ts";
import { readModel as readVowels } from "../../src/tasks/formants/read.ts";
import { ImageClassifier } from "../../src/tasks/image-classification/classifier.ts";
import { readModel as readClassifier } from "../../src/tasks/image-classification/read.ts";
import {
  loadAnswerer,
  loadCaptioner,
  loadClassifier,
  loadDetector,
  loadForecaster,
  loadSummarizer,
  loadTracker,
  loadTranslator,
  loadVowelClassifier,
} from "../../src/tasks/index.ts";
import { CARD, filesInMemory, type ModelFiles, WEIGHTS } from "../../src/tasks/model-files.ts";
import { filesOfFolder, shippedModel } from "../../src/tasks/model-folder.ts";
import { exampleScene } from "../../src/tasks/scenes/example.ts";
import { readGrid } from "../../src/tasks/scenes/grid/files.ts";
import { readModel as readSceneGrid } from "../../src/tasks/scenes/grid/read.ts";
import type { SceneGrid } from "../../src/tasks/scenes/grid/scene-grid.ts";
import { SIDE } from "../../src/tasks/tracking/compose.ts";
import { drawnDigits } from "../../src/tasks/tracking/digits.ts";
import { hiddenVideo } from "../../src/tasks/tracking/evaluate.ts";
import { readModel as readTracker } from "../../src/tasks/tracking/read.ts";
import { DigitTracker } from "../../src/tasks/tracking/tracker.ts";
import { importsOf } from "../support/imports.ts";

const src = path.resolve(import.meta.dirname, "../../src/tasks");

/** What a model says of an example, and the loader of the same from its folder. */
interface Case {
  /** Modules that a page loads. */
  modules: readonly string[];
  open(files: ModelFiles): { dispose(): void; say(): unknown };
  load(): Promise<{ dispose(): void; say(): unknown }>;
}

const footage = () => {
  const { frames, boxes } = hiddenVideo(drawnDigits(), 1, 0, 2);
  return [{ frames, height: SIDE, width: SIDE }, boxes[0]!] as const;
};
const saying = <M extends { dispose(): void }>(model: M, say: (model: M) => unknown) => ({
  dispose: () => model.dispose(),
  say: () => say(model),
});

const ofClassifier = (model: ImageClassifier) =>
  saying(model, (one) => one.classify(new Uint8Array(784).fill(9)));
const ofVowels = (model: VowelClassifier) => saying(model, (one) => one.hear(exampleClip(7)));
const ofSeries = (model: SeriesForecaster) => saying(model, (one) => one.forecast(exampleSeries(7)));
const ofTracker = (model: DigitTracker) => saying(model, (one) => one.follow(...footage()));

const ofGrid = (grid: SceneGrid) => ({
  dispose: () => grid.parameters.dispose(),
  say() {
    const { pixels, items } = exampleScene(1);
    return grid.name(pixels, [items.map(({ box }) => box)]);
  },
});

const CASES: Readonly<Record<string, Case>> = {
  "image-classification": {
    modules: ["image-classification/read.ts", "image-classification/classifier.ts"],
    open: (files) => ofClassifier(new ImageClassifier(readClassifier(files))),
    load: async () => ofClassifier(await loadClassifier()),
  },
  formants: {
    modules: ["formants/read.ts", "formants/classifier.ts"],
    open: (files) => ofVowels(new VowelClassifier(readVowels(files))),
    load: async () => ofVowels(await loadVowelClassifier()),
  },
  forecasting: {
    modules: ["forecasting/read.ts", "forecasting/forecaster.ts"],
    open: (files) => ofSeries(new SeriesForecaster(readForecaster(files))),
    load: async () => ofSeries(await loadForecaster()),
  },
  tracking: {
    modules: ["tracking/read.ts", "tracking/tracker.ts"],
    open: (files) => ofTracker(new DigitTracker(readTracker(files))),
    load: async () => ofTracker(await loadTracker()),
  },
  "scene-grid": {
    modules: ["scenes/grid/read.ts", "scenes/grid/scene-grid.ts"],
    open: (files) => ofGrid(readSceneGrid(files).grid),
    load: async () => ofGrid(readGrid("scene-grid").grid),
  },
};

describe.each(Object.entries(CASES))("the model %s", (name, { modules, open, load }) => {
  test("is read from memory as from its folder, and says the same", async () => {
    await useHeedBackend();
    const { numTensors } = tf.memory();
    const folder = filesOfFolder(shippedModel(name));
    const opened = open(filesInMemory({ [CARD]: folder.bytes(CARD), [WEIGHTS]: folder.bytes(WEIGHTS) }));
    const loaded = await load();
    expect(opened.say()).toEqual(loaded.say());
    opened.dispose();
    loaded.dispose();
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(() => open(filesInMemory({ [CARD]: folder.bytes(CARD) }))).toThrow(/must hold .*no such file/);
  });

  test("needs no module of Node", () => {
    const packages = modules.flatMap((module) => [
      ...importsOf(path.join(src, module), { types: false }).packages,
    ]);
    expect(packages).toContain("@tensorflow/tfjs-core");
    expect(packages.filter((one) => one.startsWith("node:"))).toEqual([]);
  });
});

test("the check sees a module of Node where there is one", () => {
  expect(importsOf(path.join(src, "model-folder.ts"), { types: false }).packages).toContain("node:fs");
});

const LOADERS = {
  loadAnswerer,
  loadCaptioner,
  loadClassifier,
  loadDetector,
  loadForecaster,
  loadSummarizer,
  loadTracker,
  loadTranslator,
  loadVowelClassifier,
};

test.each(Object.entries(LOADERS))(
  "%s says in one line that a model is named by a string",
  async (op, load) => {
    await expect(load({ to: "de" } as unknown as string)).rejects.toMatchObject({
      code: "OPTION",
      message:
        `${op}: a model must be named by a string, a folder or the name of one that ships, got {"to":"de"}; ` +
        "pass the name first, options after it",
    });
  },
);
