import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { END, PAD, START, UNKNOWN } from "../../src/data/bpe.ts";
import { searchTransformer, Transformer, tokenLoss, vaswani } from "../../src/models/transformer/index.ts";
import { inverseSqrtSchedule } from "../../src/train/schedule.ts";
import { descend, prepare } from "../descend.ts";
import { FIRST_WORD, toyBatch } from "../toy/batch.ts";
import type { ToyLanguage, ToyPair } from "../toy/language.ts";
import { drawPairs, type ToySample } from "../toy/sampler.ts";

const LENGTHS: ToySample["lengths"] = [4, 9];
const [STEPS, BATCH, HELD_OUT] = [1500, 64, 500];
const TOKENS = { start: START, end: END, never: [PAD, START, UNKNOWN] };

/** The Transformer of the paper, small: two layers a stack of 4 heads × 16, trained as the paper says. */
export async function translateToy(
  language: ToyLanguage,
  onProgress: (share: number) => void,
): Promise<{ exact: number }> {
  await prepare();
  const sizes = { width: 64, heads: 4, inner: 128, encoderLayers: 2, decoderLayers: 2, dropout: 0 };
  const model = new Transformer(vaswani({ ...sizes, vocabulary: FIRST_WORD + language.words }), 1);
  const warmed = inverseSqrtSchedule({ peak: 2e-3, warmupSteps: 200 });
  const random = new RandomStream(1, 1);
  const step = () => loss(model, drawPairs(language, random, BATCH, { lengths: LENGTHS, heldOut: false }));
  try {
    await descend(model.parameters.variables, step, {
      steps: STEPS,
      // Falls to nothing over the last quarter, so that the last steps' noise is not what is measured.
      learningRate: (n) => warmed(n) * Math.min(1, (4 * (STEPS - n)) / STEPS),
      beta2: 0.98,
      clipNorm: 1,
      onProgress,
    });
    const fresh = drawPairs(language, new RandomStream(1, 2), HELD_OUT, { lengths: LENGTHS, heldOut: true });
    return { exact: exactShare(model, fresh) };
  } finally {
    model.dispose();
  }
}

/** Teacher forcing with labels smoothed by 0.1. */
function loss(model: Transformer, pairs: readonly ToyPair[]): tf.Scalar {
  return tf.tidy(() => {
    const { source, target } = toyBatch(pairs);
    const { rows, width, ids } = target;
    const read = Int32Array.from(ids, (_, n) => (n % width === 0 ? START : ids[n - 1]!));
    const labels = Int32Array.from(ids, (id) => (id === PAD ? -1 : id));
    const memory = model.encode({
      tokens: tf.tensor2d(source.ids, [source.rows, source.width], "int32"),
      lengths: source.lengths,
    });
    const states = model.decode(
      { tokens: tf.tensor2d(read, [rows, width], "int32"), lengths: target.lengths },
      { memory, memoryLengths: source.lengths },
    );
    const asked = tf.tensor2d(labels, [rows, width], "int32");
    return tokenLoss(model.logits(states), asked, { smoothing: 0.1 });
  });
}

function exactShare(model: Transformer, pairs: readonly ToyPair[]): number {
  const pieces = (words: readonly number[]) => words.map((word) => word + FIRST_WORD);
  const sources = pairs.map(({ source }) => pieces(source));
  const found = searchTransformer(model, sources, { tokens: TOKENS });
  const right = found.filter(([best], n) => `${best!.ids}` === `${pieces(pairs[n]!.target)}`);
  return right.length / pairs.length;
}
