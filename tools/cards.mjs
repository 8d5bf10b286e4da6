// `node tools/cards.mjs language-model DATA [card.json]`: measures the training steps of a shipped model's recipe and writes
// them into its card: seconds a step and items a second on all cores, and the share of a step that heed's kernels take in
// one thread. Run it on a machine that does nothing else.
import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { parseArgs } from "node:util";
import { BUSY_LOAD, othersLoad } from "../bench/machine.mjs";
import { profileStep } from "../build/train/step-profile.js";

const [WARM_UP, STEPS, PROFILED] = [3, 15, 5];

/** How each task's training is started from its recipe and data. */
const TASKS = {
  async "language-model"(
    /** @type {any} */ recipe,
    /** @type {string} */ data,
    /** @type {number} */ threads,
  ) {
    const { readText } = await import("../build/tasks/language-model/text.js");
    const { startTraining } = await import("../build/tasks/language-model/train.js");
    return startTraining(recipe, readText(data, recipe.length), threads);
  },
  async "translation-multilingual"(
    /** @type {any} */ recipe,
    /** @type {string} */ data,
    /** @type {number} */ threads,
  ) {
    const { readCorpus } = await import("../build/tasks/translation/multilingual/corpus.js");
    const { startTraining } = await import("../build/tasks/translation/multilingual/train.js");
    return startTraining(recipe, readCorpus(data, recipe), { threads, start: recipe.seed });
  },
  async "image-classification"(
    /** @type {any} */ recipe,
    /** @type {string} */ data,
    /** @type {number} */ threads,
  ) {
    const { readCorpus } = await import("../build/tasks/image-classification/corpus.js");
    const { startTraining } = await import("../build/tasks/image-classification/train.js");
    return startTraining(recipe, readCorpus(data, recipe), threads);
  },
  async summarization(/** @type {any} */ recipe, /** @type {string} */ data, /** @type {number} */ threads) {
    const { readCorpus } = await import("../build/tasks/summarization/corpus.js");
    const { readStart } = await import("../build/tasks/summarization/files.js");
    const { startTraining } = await import("../build/tasks/summarization/train.js");
    const { shippedModel } = await import("../build/tasks/model-folder.js");
    const begun = recipe.start === "" ? undefined : readStart(shippedModel(recipe.start), recipe.model);
    return startTraining(recipe, readCorpus(data, recipe, begun?.vocabulary), threads, begun);
  },
  async "scene-grid"(/** @type {any} */ recipe, /** @type {string} */ data, /** @type {number} */ threads) {
    const { readItemPools } = await import("../build/tasks/scenes/item-pool.js");
    const { startTraining } = await import("../build/tasks/scenes/grid/train.js");
    return startTraining(recipe, readItemPools(data), threads);
  },
  async captioning(/** @type {any} */ recipe, /** @type {string} */ data, /** @type {number} */ threads) {
    const { readItemPools } = await import("../build/tasks/scenes/item-pool.js");
    const { captionVocabulary } = await import("../build/tasks/captioning/run.js");
    const { startTraining } = await import("../build/tasks/captioning/train.js");
    const pools = readItemPools(data);
    return startTraining(
      { ...recipe, start: "captioning" },
      pools,
      captionVocabulary(pools.train.names),
      threads,
    );
  },
  async detection(/** @type {any} */ recipe, /** @type {string} */ data, /** @type {number} */ threads) {
    const { readItemPools } = await import("../build/tasks/scenes/item-pool.js");
    const { startTraining } = await import("../build/tasks/detection/train.js");
    return startTraining(recipe, readItemPools(data), threads);
  },
  async "visual-questions"(
    /** @type {any} */ recipe,
    /** @type {string} */ data,
    /** @type {number} */ threads,
  ) {
    const { readCorpus } = await import("../build/tasks/visual-questions/corpus.js");
    const { startTraining } = await import("../build/tasks/visual-questions/train.js");
    return startTraining(recipe, await readCorpus(data, recipe), threads);
  },
};

const median = (/** @type {number[]} */ values) => values.sort((a, b) => a - b)[values.length >> 1];

const { positionals } = parseArgs({ allowPositionals: true });
const [task, data, file] = /** @type {[keyof typeof TASKS, string, string]} */ (positionals);
const card = JSON.parse(readFileSync(file, "utf8"));
const start = TASKS[task];
const threads = Math.min(os.availableParallelism(), card.training.recipe.shards);

/** Milliseconds of some steps, and what one step holds. */
async function timeSteps(
  /** @type {any} */ training,
  /** @type {number} */ count,
  run = (/** @type {any} */ step) => step(),
) {
  const times = [];
  let items = 0;
  for (let k = 0; k < count; k++) {
    const begun = performance.now();
    await run(async () => {
      items = (await training.step(k)).tokens;
    });
    times.push(performance.now() - begun);
  }
  return { milliseconds: median(times), items };
}

const load = await othersLoad();
if (load > BUSY_LOAD) {
  console.error(`other programs keep ${load.toFixed(1)} cores busy; measure when they are done`);
  process.exit(1);
}
const { training } = await start(card.training.recipe, data, threads);
await timeSteps(training, WARM_UP);
const { milliseconds, items } = await timeSteps(training, STEPS);
await training.close();

// In one thread, so that the clock of a kernel is the kernel's own.
const alone = await start(card.training.recipe, data, 1);
await timeSteps(alone.training, WARM_UP);
/** @type {number[]} */
const shares = [];
await timeSteps(alone.training, PROFILED, async (step) => shares.push((await profileStep(step)).ours));
await alone.training.close();

const round = (/** @type {number} */ value) => Number(value.toPrecision(3));
card.speed = {
  machine: `${os.cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
  threads,
  secondsPerStep: round(milliseconds / 1000),
  itemsPerSecond: Math.round((1000 * items) / milliseconds),
  kernelShare: round(median(shares)),
};
writeFileSync(file, `${JSON.stringify(card, null, 2)}\n`);
console.log(card.speed);
