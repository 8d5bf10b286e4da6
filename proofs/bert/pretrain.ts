import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { makeBatches } from "../../src/data/batching.ts";
import { bert, type SequenceInputs, Transformer, tokenLoss } from "../../src/models/transformer/index.ts";
import { linearSchedule } from "../../src/train/schedule.ts";
import { descend, prepare } from "../descend.ts";
import { drawTexts, hideWords, type Text } from "./batch.ts";
import { VOCABULARY } from "./grammar.ts";

/** Two layers of 4 heads × 16. */
export const SIZES = {
  layers: 2,
  width: 64,
  heads: 4,
  inner: 256,
  vocabulary: VOCABULARY.length,
  positions: 32,
  dropout: 0,
};
/** Steps, and the most pieces of a batch, padding included: some 32 texts. */
const [STEPS, PIECES] = [4000, 512];
/** Texts that are drawn together, to be read with others of their length. */
const POOL = 2048;
/** Streams of random numbers: texts, and from the second on what each step hides of them. */
export const STREAM = { texts: 1, heldOut: 2, hidden: 3, labelled: 4, judged: 5, steps: 100 } as const;
const SEED = 1;

/** The parameters of a net by name. */
export type Values = Readonly<Record<string, Float32Array>>;

let made: Promise<Values> | undefined;

/** A net that has read 128,000 pairs of sentences with 15 % of their words hidden. Made once in a run. */
export function pretrained(onProgress: (share: number) => void): Promise<Values> {
  made ??= pretrain(onProgress);
  return made;
}

/** New texts without an end, in batches of like length. */
function* batchesOf(random: RandomStream): Generator<Text[], never> {
  for (let epoch = 0; ; epoch++) {
    const texts = drawTexts(random, POOL, false);
    const pairs = texts.map(({ pieces }) => ({ source: pieces, target: [] }));
    for (const batch of makeBatches(pairs, { maxTokens: PIECES, seed: SEED, epoch }))
      yield Array.from(batch, (at) => texts[at]!);
  }
}

async function pretrain(onProgress: (share: number) => void): Promise<Values> {
  await prepare();
  const model = new Transformer(bert({ ...SIZES, pooler: false }), SEED);
  const batches = batchesOf(new RandomStream(SEED, STREAM.texts));
  const loss = (step: number) => {
    const texts = batches.next().value;
    const { inputs, places, words } = hideWords(texts, new RandomStream(SEED, STREAM.steps + step));
    return tokenLoss(guesses(model, inputs, places), tf.tensor2d(words, [1, words.length], "int32"));
  };
  try {
    await descend(model.parameters.variables, loss, {
      steps: STEPS,
      learningRate: linearSchedule({ peak: 1e-3, warmupSteps: 100, steps: STEPS }),
      clipNorm: 1,
      onProgress,
    });
    const read = Object.entries(model.parameters.variables).map(
      ([name, x]) => [name, x.dataSync().slice()] as const,
    );
    return Object.fromEntries(read) as Values;
  } finally {
    model.dispose();
  }
}

/** Scores of the words at some places of a batch, counted row by row: [1, places, V]. No other place is scored. */
export function guesses(model: Transformer, inputs: SequenceInputs, places: Int32Array): tf.Tensor3D {
  const states = model.encode(inputs);
  const [B, T, C] = states.shape;
  const asked = tf.gather(tf.reshape<tf.Rank.R2>(states, [B * T, C]), tf.tensor1d(places, "int32"));
  return model.logits(tf.expandDims(asked, 0) as tf.Tensor3D);
}

/** The same net with its head that fills gaps. */
export const filler = (values: Values): Transformer =>
  new Transformer(bert({ ...SIZES, pooler: false }), values);
