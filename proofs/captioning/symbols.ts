import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { padBatch } from "../../src/data/batching.ts";
import { END } from "../../src/data/bpe.ts";
import { captionSearch, ShowAttendAndTell, unevenness } from "../../src/models/index.ts";
import { part } from "../claim.ts";
import { descend, prepare } from "../descend.ts";

export interface SymbolsOptions {
  /** Optimiser steps of each net. @default 2400 */
  steps?: number;
  /** Pictures a step. @default 32 */
  batch?: number;
  /** Held-out pictures. @default 200 */
  heldOut?: number;
  /** Of the parameters and the pictures. @default 1 */
  seed?: number;
  onProgress?: (share: number) => void;
}

/** What one net does greedily with held-out pictures. */
export interface SymbolsResult {
  /** Share of captions that are right word for word. */
  exact: number;
  /** Mean weight of the place of the symbol that a word names, over the words that are right. */
  onSymbol: number;
  /** Mean Σ_i (1 − Σ_t α_ti)². */
  unevenness: number;
}

const [ROWS, COLUMNS] = [2, 3];
const PLACES = ROWS * COLUMNS;
const SYMBOLS = 5;
/** The number of the first word. */
const FIRST_WORD = 4;
/** What stands at a place, where the place is, and noise. */
const FEATURES = SYMBOLS + PLACES;
const NOISE = 0.1;
const SIZES = {
  vocabulary: FIRST_WORD + SYMBOLS,
  annotation: FEATURES,
  embedding: 12,
  decoder: 48,
  attention: 24,
};

/** So that a word reads at its own step what it names. */
const CONTEXT_DROPOUT = 0.5;
/** Weights of the doubly stochastic penalty: one with which words still look at their symbols, and ten times as much. */
const [SLIGHT, STRONG] = [0.01, 0.1];

interface SymbolPicture {
  features: number[][];
  /** The places of the symbols, in reading order. */
  places: number[];
  /** Their names in the same order, and END. */
  caption: number[];
}

/** One to three symbols on a grid; the caption names them in reading order. */
function drawPicture(random: RandomStream): SymbolPicture {
  const count = 1 + random.integer(3);
  const places = [...random.shuffle(Int32Array.from({ length: PLACES }, (_, n) => n)).slice(0, count)].sort(
    (a, b) => a - b,
  );
  const symbols = places.map(() => random.integer(SYMBOLS));
  const features = Array.from({ length: PLACES }, (_, place) => {
    const at = places.indexOf(place);
    return Array.from({ length: FEATURES }, (_, feature) => {
      const isSet = feature === SYMBOLS + place || (at >= 0 && feature === symbols[at]);
      return (isSet ? 1 : 0) + NOISE * random.normal();
    });
  });
  return { features, places, caption: [...symbols.map((symbol) => FIRST_WORD + symbol), END] };
}

const draw = (random: RandomStream, count: number) =>
  Array.from({ length: count }, () => drawPicture(random));
const featuresOf = (pictures: readonly SymbolPicture[]) =>
  tf.tensor3d(pictures.map(({ features }) => features));

/** A net learns to name the symbols of pictures, with this weight of the doubly stochastic penalty, and is marked. */
async function learn(
  kind: "soft" | "hard",
  penaltyWeight: number,
  { steps = 2400, batch = 32, heldOut = 200, seed = 1, onProgress = () => {} }: SymbolsOptions,
): Promise<SymbolsResult> {
  await prepare();
  const model = new ShowAttendAndTell({ ...SIZES, kind, dropout: 0, contextDropout: CONTEXT_DROPOUT }, seed);
  let baseline = 0;
  try {
    const loss = (step: number) => {
      const pictures = draw(new RandomStream(seed, 1 + step), batch);
      const captions = padBatch(pictures.map(({ caption }) => caption));
      const value = model.loss(featuresOf(pictures), captions, {
        penaltyWeight,
        ...(kind === "hard" && { seed: seed * 2 ** 24 + step, baseline, rewardWeight: 0.1 }),
      });
      // The loss of hard attention is −log p a word; rewards are those of whole captions.
      const words = captions.lengths.reduce((sum, n) => sum + n, 0);
      if (kind === "hard") baseline = 0.9 * baseline - (0.1 * value.dataSync()[0]! * words) / batch;
      return value;
    };
    await descend(model.parameters.variables, loss, { steps, learningRate: 0.01, clipNorm: 1, onProgress });
    return mark(model, draw(new RandomStream(seed, 0), heldOut));
  } finally {
    model.dispose();
  }
}

function mark(model: ShowAttendAndTell, pictures: readonly SymbolPicture[]): SymbolsResult {
  const features = featuresOf(pictures);
  const captions = captionSearch(model, features).map(([best]) => best!);
  features.dispose();
  let [exact, right, on, uneven] = [0, 0, 0, 0];
  for (const [n, { ids, weights }] of captions.entries()) {
    const { caption, places } = pictures[n]!;
    if ([...ids, END].join() === caption.join()) exact++;
    for (const [t, id] of ids.entries()) {
      if (id !== caption[t]) continue;
      right++;
      on += weights[t]![places[t]!]!;
    }
    uneven += unevenness(weights);
  }
  const count = pictures.length;
  return { exact: exact / count, onSymbol: right > 0 ? on / right : 0, unevenness: uneven / count };
}

/** The same net learns the same pictures four times: with a slight penalty, a strong one and none, and by hard attention. */
export async function learnSymbols(options: SymbolsOptions = {}) {
  const { onProgress = () => {} } = options;
  const of = (at: number) => ({ ...options, onProgress: part(onProgress, at, 4) });
  const withPenalty = await learn("soft", SLIGHT, of(0));
  const strong = await learn("soft", STRONG, of(1));
  const without = await learn("soft", 0, of(2));
  const hard = await learn("hard", 0, of(3));
  return { withPenalty, strong, without, hard };
}
