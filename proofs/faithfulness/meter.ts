import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../../src/capture/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import {
  type Answers,
  faithfulness,
  gradientRelevance,
  layerMap,
  rationaleScores,
} from "../../src/inspect/index.ts";
import { adversarialWeights, permuteWeights } from "../../src/intervene/index.ts";
import { attention } from "../../src/ops/index.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { descend, prepare } from "../descend.ts";
import { meanOf } from "../statistics.ts";
import { weight } from "../variables.ts";

/** The words and the class token behind them, words known, width, heads, width of a head. */
const [T, V, C, H, D] = [33, 24, 16, 2, 8];
/** The class token, and what stands where a word was taken away. */
const [CLASS, BLANK] = [V, V + 1];
/** The words that are evidence for each of two classes; all others say nothing. */
const EVIDENCE = [
  [0, 1],
  [2, 3],
];
const PLANTED = 2;
const [BATCH, HELD_OUT, ORDERS, TESTED] = [64, 40, 5, 2];

export interface MeterOptions {
  /** @default 250 */
  steps?: number;
  /** @default 1 */
  seed?: number;
  onProgress: (share: number) => void;
}

export interface MeterResult {
  /** The share of new sequences classified right. */
  accuracy: number;
  /** Scores of faithfulness: of the planted words, of a random order, of the class token's weights and of Chefer's relevance. */
  planted: number;
  random: number;
  raw: number;
  gradient: number;
  /** |random − 0.5|, and planted − random. */
  randomOff: number;
  margin: number;
  /** ERASER's, of the planted words. */
  comprehensiveness: number;
  sufficiency: number;
  /** How far the answer moves when weights are permuted, the median of each sequence. */
  permuted: number;
  /** How different weights can be that give the same answer within 0.01, in nats; ln 2 at most. */
  adversarial: number;
}

interface Example {
  readonly words: readonly number[];
  readonly label: number;
  readonly planted: readonly number[];
}

/** Words of which two are evidence, then the class token; some are blanked, so that a blank says nothing. */
function exampleOf(random: RandomStream, blanked: number): Example {
  const label = random.integer(2);
  const words = Array.from({ length: T - 1 }, () => 4 + random.integer(V - 4));
  const places = random.shuffle(Array.from({ length: T - 1 }, (_, at) => at)).slice(0, PLANTED);
  for (const at of places) words[at] = EVIDENCE[label]![random.integer(2)]!;
  return {
    words: [...words.map((word) => (random.uniform() < blanked ? BLANK : word)), CLASS],
    label,
    planted: places,
  };
}

/** A class token that reads its words once. */
class Model {
  readonly variables: Record<string, tf.Variable & tf.Tensor2D> = {};

  constructor(random: RandomStream) {
    this.variables.words = weight(random, [V + 2, C], 0.5);
    for (const name of ["q", "k", "v"]) this.variables[name] = weight(random, [C, H * D], 0.3);
    this.variables.out = weight(random, [H * D, 2], 0.3);
  }

  /** Class scores [B, 2]. */
  scores(rows: readonly (readonly number[])[]): tf.Tensor2D {
    const B = rows.length;
    const { words, out } = this.variables;
    const ids = tf.tensor1d(rows.flat(), "int32");
    const x = tf.reshape<tf.Rank.R2>(tf.gather(words!, ids), [B * T, C]);
    const heads = (name: string, from: tf.Tensor2D) =>
      tf.reshape<tf.Rank.R4>(tf.matMul(from, this.variables[name]!), [B, -1, H, D]);
    const last = tf.reshape<tf.Rank.R2>(tf.slice(tf.reshape(x, [B, T, C]), [0, T - 1, 0], [B, 1, C]), [B, C]);
    // The class token stands behind its words, which relevance has to know.
    const options = { layout: "bthd", causal: "bottomRight" } as const;
    const { output } = attention(heads("q", last), heads("k", x), heads("v", x), options);
    return tf.matMul(tf.reshape<tf.Rank.R2>(output, [B, H * D]), out!);
  }

  /** The probability of a class when words are blanked. */
  answers({ words, label }: Example): Answers {
    return (kept) =>
      tidyData(() => {
        const rows = kept.map((flags) => words.map((word, at) => (flags[at] ? word : BLANK)));
        return tf.slice(tf.softmax(this.scores(rows)), [0, label], [-1, 1]).dataSync();
      });
  }
}

/** Relevance of each word for the score of its class. */
function relevances(model: Model, { words, label, planted }: Example) {
  return tidyData(() => {
    const gradientOf = (scores: tf.Tensor2D) => tf.slice(scores, [0, label], [1, 1]);
    const [layer] = capture(() => model.scores([words]), undefined, { gradientOf }).layers;
    const map = layerMap(layer!);
    return {
      planted: words.map((_, at) => Number(planted.includes(at))),
      raw: words.map((_, at) => map.row(0, 0).values[at]! + map.row(1, 0).values[at]!),
      gradient: [...gradientRelevance([map], [layer!.grad!.slice()]).weights.subarray(0, T)],
    };
  });
}

/**
 * What a meter of faithfulness says where the evidence is known: sequences of 32 words, of which two decide. The same options
 * give the same metrics.
 */
export async function faithfulnessMeter(options: MeterOptions): Promise<MeterResult> {
  const { steps = 250, seed = 1, onProgress } = options;
  await prepare();
  const model = new Model(new RandomStream(seed, 0));
  const training = new RandomStream(seed, 1);
  const loss = () => {
    const batch = Array.from({ length: BATCH }, () => exampleOf(training, training.uniform()));
    const labels = tf.oneHot(
      batch.map(({ label }) => label),
      2,
    );
    const scores = model.scores(batch.map(({ words }) => words));
    return tf.neg<tf.Scalar>(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(scores)), -1)));
  };
  try {
    const half = (share: number) => onProgress(share / 2);
    await descend(model.variables, loss, { steps, learningRate: 0.01, onProgress: half });
    const fresh = new RandomStream(seed, 2);
    const all: Record<"planted" | "raw" | "gradient" | "random", number[]> = {
      ...{ planted: [], raw: [], gradient: [], random: [] },
    };
    const [rights, needed, enough, permuted, adversarial]: number[][] = [[], [], [], [], []];
    for (let n = 0; n < HELD_OUT; n++) {
      const example = exampleOf(fresh, 0);
      const { words, label } = example;
      const answers = model.answers(example);
      const options = { fixed: [T - 1] };
      const guess = tidyData(() => tf.argMax(model.scores([words]), -1).dataSync()[0]);
      rights!.push(Number(guess === label));
      const orders = relevances(model, example);
      for (const [name, relevance] of Object.entries(orders))
        all[name as keyof typeof orders].push(faithfulness(relevance, answers, options).score);
      for (let order = 0; order < ORDERS; order++) {
        const relevance = words.map(() => fresh.uniform());
        all.random.push(faithfulness(relevance, answers, options).score);
      }
      const eraser = rationaleScores(orders.planted, answers, options);
      needed!.push(eraser.comprehensiveness);
      enough!.push(eraser.sufficiency);
      if (n < TESTED) {
        const run = () => tf.softmax(model.scores([words]));
        const place = { layer: 0 };
        permuted!.push(permuteWeights(run, { ...place, permutations: 20, seed }).median);
        adversarial!.push(
          adversarialWeights(run, { ...place, steps: 40, learningRate: 0.3, seed }).divergence,
        );
      }
      onProgress((1 + (n + 1) / HELD_OUT) / 2);
    }
    const [planted, random] = [meanOf(all.planted), meanOf(all.random)];
    return {
      ...{ accuracy: meanOf(rights!), planted, random },
      ...{ raw: meanOf(all.raw), gradient: meanOf(all.gradient) },
      ...{ randomOff: Math.abs(random - 0.5), margin: planted - random },
      ...{ comprehensiveness: meanOf(needed!), sufficiency: meanOf(enough!) },
      ...{ permuted: meanOf(permuted!), adversarial: meanOf(adversarial!) },
    };
  } finally {
    tf.dispose(model.variables);
  }
}
