import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { padBatch } from "../../src/data/batching.ts";
import { PointerGenerator, pointerSearch, repeatedTrigrams } from "../../src/models/index.ts";
import { part } from "../claim.ts";
import { descend, prepare } from "../descend.ts";
import { AND, drawReport, type Report, type ReportOptions, strangersCopied, VOCABULARY } from "./reports.ts";

export interface NamesOptions {
  /** Optimiser steps of each net. @default 400 */
  steps?: number;
  /** Reports a step. @default 32 */
  batch?: number;
  /** Held-out reports. @default 200 */
  heldOut?: number;
  /** Of the parameters and the reports. @default 1 */
  seed?: number;
  onProgress?: (share: number) => void;
  /** Called after each step with the net that learns, the step from 1 and the loss. */
  onStep?: (net: string, step: number, loss: number) => void;
}

/** What three nets do greedily with reports whose names they never saw. */
export interface NamesResult {
  /** Share of the names that the summary has, with coverage. */
  copied: number;
  /** The same without coverage, and without a pointer. */
  copiedWithoutCoverage: number;
  copiedWithoutPointer: number;
  /** Of reports with more names than any in training: the mean share of a summary's trigrams that it had before. */
  repeats: number;
  repeatsWithoutCoverage: number;
  /** Mean Σ min(a, c) of a step, of the longer reports. */
  coverageLoss: number;
  coverageLossWithoutCoverage: number;
  /** Mean p_gen where a name is written, and where `and` is. */
  generateNames: number;
  generateAnd: number;
}

const TRAINING: ReportOptions = { names: [4, 8], strangers: 0.5 };
const UNSEEN: ReportOptions = { names: [4, 8], strangers: 1 };
const LONGER: ReportOptions = { names: [10, 12], strangers: 1 };
/** As in the paper's formulas, the decoder is not told what it read last. */
const CONFIG = {
  embedding: 24,
  encoder: 24,
  decoder: 48,
  attention: 24,
  cell: "gru",
  inputFeeding: false,
  dropout: 0,
} as const;
const LEARNING_RATE = 0.01;

const draw = (random: RandomStream, count: number, options: ReportOptions): Report[] =>
  Array.from({ length: count }, () => drawReport(random, options));

const pad = (reports: readonly Report[]) => ({
  source: padBatch(reports.map(({ source }) => source)),
  target: padBatch(reports.map(({ target }) => target)),
});

/** The same net learns the same reports three times: with pointer and coverage, without coverage, without a pointer. */
export async function learnNames(options: NamesOptions = {}): Promise<NamesResult> {
  const { steps = 400, batch = 32, heldOut = 200, seed = 1, onProgress = () => {} } = options;
  await prepare();
  const unseen = draw(new RandomStream(seed, 0), heldOut, UNSEEN);
  const longer = draw(new RandomStream(seed, 1), heldOut, LONGER);
  const learn = async (at: number, net: string, pointer: boolean, coverage: boolean) => {
    const model = new PointerGenerator({ ...CONFIG, vocabulary: VOCABULARY, pointer, coverage }, seed);
    try {
      // Step k has the same reports for every net.
      const loss = (step: number) => {
        const { source, target } = pad(draw(new RandomStream(seed, 2 + step), batch, TRAINING));
        return model.loss(source, target);
      };
      await descend(model.parameters.variables, loss, {
        steps,
        learningRate: LEARNING_RATE,
        clipNorm: 1,
        onStep: (step, value) => options.onStep?.(net, step, value),
        onProgress: part(onProgress, at, 3),
      });
      return mark(model, unseen, longer);
    } finally {
      model.dispose();
    }
  };
  const on = await learn(0, "coverage", true, true);
  const off = await learn(1, "pointer", true, false);
  const writer = await learn(2, "writer", false, false);
  return {
    copied: on.copied,
    copiedWithoutCoverage: off.copied,
    copiedWithoutPointer: writer.copied,
    repeats: on.repeats,
    repeatsWithoutCoverage: off.repeats,
    coverageLoss: on.coverageLoss,
    coverageLossWithoutCoverage: off.coverageLoss,
    generateNames: on.generateNames,
    generateAnd: on.generateAnd,
  };
}

function mark(model: PointerGenerator, reports: readonly Report[], longer: readonly Report[]) {
  const read = (some: readonly Report[]) => pointerSearch(model, pad(some).source).map(([best]) => best!);
  const [outputs, long] = [read(reports), read(longer)];
  const { source, target } = pad(longer);
  const shares = (isAnd: boolean) => {
    const found = outputs.flatMap(({ ids, generate }) =>
      (generate ?? []).filter((_, t) => (ids[t] === AND) === isAnd),
    );
    return found.reduce((sum, share) => sum + share, 0) / found.length;
  };
  return {
    copied: strangersCopied(
      reports,
      outputs.map(({ ids }) => ids),
    ),
    repeats: long.reduce((sum, { ids }) => sum + repeatedTrigrams(ids), 0) / long.length,
    coverageLoss: tf.tidy(() => model.losses(source, target).coverage.dataSync()[0]!),
    generateNames: shares(false),
    generateAnd: shares(true),
  };
}
