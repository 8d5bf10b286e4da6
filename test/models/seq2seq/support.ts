import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import "../../../src/host/backend.ts";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { type PaddedBatch, padBatch } from "../../../src/data/batching.ts";
import { END } from "../../../src/data/bpe.ts";
import type { ScoreName, Seq2SeqConfig } from "../../../src/models/seq2seq/config.ts";
import { parameterSpecs } from "../../../src/models/seq2seq/parameters.ts";
import { Seq2Seq } from "../../../src/models/seq2seq/seq2seq.ts";

export const SCORES: readonly ScoreName[] = [
  "additive",
  "general",
  "dot",
  "scaledDot",
  "concat",
  "location",
  "none",
];
export const CELLS = ["gru", "lstm"] as const;
export const STYLES = ["luong", "bahdanau"] as const;

/** Half of float32's spacing at 1. */
export const ROUNDING = 2 ** -24;

export function onHeed(): void {
  beforeAll(async () => {
    expect(await tf.setBackend("heed")).toBe(true);
  });
}

/** A model small enough for central differences, every size its own: H=3, E=5, D=7, A=2. */
export function tinyConfig(changes: Partial<Seq2SeqConfig> = {}): Seq2SeqConfig {
  return {
    sourceVocabulary: 11,
    targetVocabulary: 13,
    embedding: 5,
    encoder: 3,
    decoder: 7,
    cell: "gru",
    style: "luong",
    score: "general",
    attention: 2,
    maxSource: 6,
    inputFeeding: true,
    dropout: 0,
    tieEmbeddings: false,
    ...changes,
  };
}

/** A model whose every parameter, biases too, is far enough from zero for its effect to be seen. */
export function tinyModel(changes: Partial<Seq2SeqConfig> = {}, seed = 1, deviation = 0.6): Seq2Seq {
  const config = tinyConfig(changes);
  const values = Object.entries(parameterSpecs(config)).map(([name, { shape }], stream) => {
    const size = shape.reduce((n, m) => n * m, 1);
    return [name, new RandomStream(seed, stream).fillNormal(new Float32Array(size), 0, deviation)] as const;
  });
  return new Seq2Seq(config, Object.fromEntries(values));
}

/** Sources of 5, 1 and 4 pieces, targets of 3, 4 and 2 with END. */
export const SOURCES = [[4, 9, 5, 7, 10], [6], [8, 4, 4, 9]];
export const TARGETS = [
  [7, 12, END],
  [4, 4, 9, END],
  [11, END],
];

export function tinyBatch(): { source: PaddedBatch; target: PaddedBatch } {
  return { source: padBatch(SOURCES), target: padBatch(TARGETS) };
}

/** Loss and gradients by the names of the parameters, read from the device. */
export function lossAndGradients(model: Seq2Seq, { source, target } = tinyBatch()) {
  const { variables } = model.parameters;
  const { value, grads } = tf.variableGrads(() => model.loss(source, target), Object.values(variables));
  const read = Object.entries(variables).map(
    ([name, { name: inner }]) => [name, grads[inner]!.dataSync().slice() as Float32Array] as const,
  );
  const loss = value.dataSync()[0]!;
  tf.dispose([value, grads]);
  return { loss, gradients: Object.fromEntries(read) };
}

export function lossOf(model: Seq2Seq, { source, target } = tinyBatch()): number {
  return tf.tidy(() => model.loss(source, target).dataSync()[0]!);
}

/** The largest |a − b|. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
}
