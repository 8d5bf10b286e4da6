import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { watchKernels } from "../../src/host/watch-kernels.ts";
import { attentionCalls } from "../../src/ops/attention/observe.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { exampleSeries } from "../../src/tasks/forecasting/series.ts";
import { exampleClip } from "../../src/tasks/formants/compose.ts";
import {
  loadClassifier,
  loadForecaster,
  loadTranslator,
  loadVowelClassifier,
} from "../../src/tasks/index.ts";
import { importsOf } from "../support/imports.ts";

/**
 * Attention knows nothing of what it attends over: the applications on texts, images, sounds and series all come to the same
 * function, and through it to the same kernel.
 */
const src = path.resolve(import.meta.dirname, "../../src");
/** The core function, in the file that every application must lead to. */
const [CORE, FUNCTION] = [path.join(src, "ops/attention/run.ts"), "runAttention"];
const KERNEL = "HeedAttention";

interface Application {
  /** Where the application's model is loaded and asked. */
  readonly module: string;
  /** Loads the weights that ship; what is returned asks them of one input, and lets go of them. */
  start(): Promise<{ ask(): unknown; dispose(): void }>;
}

const APPLICATIONS: Record<string, Application> = {
  text: {
    module: "tasks/translation/load.ts",
    async start() {
      const translator = await loadTranslator("translation-en", "fr");
      return { ask: () => translator.translate(["I am tired."]), dispose: () => translator.dispose() };
    },
  },
  image: {
    module: "tasks/image-classification/files.ts",
    async start() {
      const classifier = await loadClassifier();
      return { ask: () => classifier.classify(new Uint8Array(28 * 28)), dispose: () => classifier.dispose() };
    },
  },
  audio: {
    module: "tasks/formants/files.ts",
    async start() {
      const classifier = await loadVowelClassifier();
      return { ask: () => classifier.hear(exampleClip(7)), dispose: () => classifier.dispose() };
    },
  },
  series: {
    module: "tasks/forecasting/files.ts",
    async start() {
      const forecaster = await loadForecaster();
      return { ask: () => forecaster.forecast(exampleSeries(7)), dispose: () => forecaster.dispose() };
    },
  },
};

test("the core function is in one file, and no task has one of its own", () => {
  expect(readFileSync(CORE, "utf8")).toContain(`export function ${FUNCTION}`);
});

describe.each(Object.entries(APPLICATIONS))("the application on %s", (_, { module, start }) => {
  test("leads to the core function by its imports", () => {
    expect(importsOf(path.join(src, module)).files).toContain(CORE);
  });

  test("calls it, and the one kernel, for one input", async () => {
    const { ask, dispose } = await start();
    const kernels: string[] = [];
    tidyData(() => {
      watchKernels(
        () => void ask(),
        ({ name }) => kernels.push(name),
      );
    });
    let calls = 0;
    attentionCalls.during(
      () => {
        calls++;
      },
      () => ask(),
    );
    dispose();
    expect(kernels.filter((name) => name === KERNEL).length).toBeGreaterThan(0);
    expect(calls).toBeGreaterThan(0);
  });
});
