import { RandomStream } from "../../src/core/random.ts";
import type { ScoreName, Seq2SeqConfig } from "../../src/models/seq2seq/config.ts";
import { Seq2Seq } from "../../src/models/seq2seq/seq2seq.ts";
import { descend, prepare } from "../descend.ts";
import { FIRST_WORD, toyBatch } from "./batch.ts";
import type { ToyLanguage } from "./language.ts";
import { type Marks, markPairs } from "./mark.ts";
import { drawPairs, type ToySample } from "./sampler.ts";

export interface ToyOptions {
  language: ToyLanguage;
  score: ScoreName;
  /** @default "luong" */
  style?: Seq2SeqConfig["style"];
  /** @default "gru" */
  cell?: Seq2SeqConfig["cell"];
  /** @default true */
  inputFeeding?: boolean;
  /** Units of each encoder direction and of an embedding; the decoder has twice as many. @default 64 */
  width?: number;
  /** Optimiser steps. @default 1200 */
  steps?: number;
  /** Pairs a step, drawn anew each time. @default 64 */
  batch?: number;
  /** Of the parameters and of the sentences. @default 1 */
  seed?: number;
  /** Shortest and longest source in training, in words. @default [4, 9] */
  lengths?: readonly [shortest: number, longest: number];
  /** Lengths that training never saw, for `exactLonger`. @default [12, 14] */
  longer?: readonly [shortest: number, longest: number];
  /** Held-out pairs that are marked. @default 500 */
  heldOut?: number;
  /** Adam's step size, which falls to nothing over the last third of the steps. @default 0.003 */
  learningRate?: number;
  /** Called after each step with its number from 1 and its loss in nats a word. */
  onStep?: (step: number, loss: number) => void;
}

/** What a model learnt: `Marks` on held-out pairs, and how it does on longer ones. */
export interface ToyResult extends Marks {
  /** `exact` for sentences longer than any in training. */
  exactLonger: number;
}

const LENGTHS = [4, 9] as const;
const LONGER = [12, 14] as const;
/** Streams of random numbers: training and held-out sentences do not follow each other. */
const STREAM = { training: 1, heldOut: 2, longer: 3 } as const;

function configOf(options: ToyOptions): Seq2SeqConfig {
  const { language, score, style = "luong", cell = "gru", inputFeeding = true, width = 64 } = options;
  const { lengths = LENGTHS, longer = LONGER } = options;
  const vocabulary = FIRST_WORD + language.words;
  return {
    sourceVocabulary: vocabulary,
    targetVocabulary: vocabulary,
    embedding: width,
    encoder: width,
    decoder: 2 * width,
    attention: width,
    maxSource: Math.max(lengths[1], longer[1]),
    score,
    style,
    cell,
    inputFeeding,
    dropout: 0,
    tieEmbeddings: false,
  };
}

/** Trains a model on a toy language and measures what it learnt. The same options give the same metrics. */
export async function trainToy(options: ToyOptions): Promise<ToyResult> {
  const { language, steps = 1200, batch = 64, seed = 1, lengths = LENGTHS, longer = LONGER } = options;
  const { heldOut = 500, learningRate = 0.003, onStep } = options;
  await prepare();
  const model = new Seq2Seq(configOf(options), seed);
  const random = new RandomStream(seed, STREAM.training);
  const loss = () => {
    const { source, target } = toyBatch(drawPairs(language, random, batch, { lengths, heldOut: false }));
    return model.loss(source, target);
  };
  try {
    await descend(model.parameters.variables, loss, { steps, learningRate, clipNorm: 1, onStep });
    const fresh = (stream: number, range: ToySample["lengths"]) =>
      drawPairs(language, new RandomStream(seed, stream), heldOut, { lengths: range, heldOut: true });
    const marks = markPairs(model, fresh(STREAM.heldOut, lengths));
    return { ...marks, exactLonger: markPairs(model, fresh(STREAM.longer, longer)).exact };
  } finally {
    model.dispose();
  }
}
