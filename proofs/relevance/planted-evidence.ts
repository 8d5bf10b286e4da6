import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { denseMap, gradientRelevance, rollout } from "../../src/inspect/index.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { descend, prepare } from "../descend.ts";
import { weight } from "../variables.ts";

/** Positions, words, width of a word, heads, width of a head, layers. */
const [T, V, C, H, D, L] = [14, 24, 16, 2, 8, 2];
/** The class token, and what stands where a word was taken away. */
const [CLASS, BLANK] = [V, V + 1];
/** The words that are evidence for each of two classes. */
const EVIDENCE = [
  [0, 1],
  [2, 3],
];
const PLANTED = 3;
const [BATCH, HELD_OUT] = [64, 60];

export interface EvidenceOptions {
  /** @default 250 */
  steps?: number;
  /** @default 1 */
  seed?: number;
  onProgress: (share: number) => void;
}

export interface EvidenceResult {
  /** The share of new sequences classified right. */
  accuracy: number;
  /**
   * Areas under the probability of the true class while words are taken away, the most relevant first, by four measures
   * of relevance: the smaller the area, the better the order.
   */
  gradient: number;
  rollout: number;
  raw: number;
  random: number;
  /** How much smaller the area of the gradient's order is than that of raw attention, and of a random order. */
  belowRaw: number;
  belowRandom: number;
}

/** The class token, then words of which three are evidence; some are blanked, so that a blank says nothing. */
function example(random: RandomStream, blanked: number): { words: number[]; label: number } {
  const label = random.integer(2);
  const words = Array.from({ length: T - 1 }, () => 4 + random.integer(V - 4));
  for (let n = 0; n < PLANTED; n++) words[random.integer(T - 1)] = EVIDENCE[label]![random.integer(2)]!;
  return { words: [CLASS, ...words.map((w) => (random.uniform() < blanked ? BLANK : w))], label };
}

/** A class token that reads words through two layers of two heads. */
class Model {
  readonly variables: Record<string, tf.Variable & tf.Tensor2D> = {};

  constructor(random: RandomStream) {
    this.variables.words = weight(random, [V + 2, C], 0.5);
    for (let l = 0; l < L; l++) {
      for (const name of ["q", "k", "v"]) this.variables[`${name}${l}`] = weight(random, [C, H * D], 0.3);
      this.variables[`o${l}`] = weight(random, [H * D, C], 0.3);
    }
    this.variables.out = weight(random, [C, 2], 0.3);
  }

  /** Class scores [B, 2]; `nudges` are added to the weights [B, H, T, T] of each layer, which `seen` receives. */
  scores(ids: tf.Tensor2D, nudges?: readonly tf.Tensor[], seen?: (weights: tf.Tensor) => void): tf.Tensor2D {
    const B = ids.shape[0];
    const { words, out } = this.variables;
    let x = tf.reshape<tf.Rank.R2>(tf.gather(words!, tf.reshape(ids, [-1])), [B * T, C]);
    for (let l = 0; l < L; l++) {
      const heads = (name: string) => {
        const projected = tf.matMul(x, this.variables[`${name}${l}`]!);
        return tf.transpose(tf.reshape(projected, [B, T, H, D]), [0, 2, 1, 3]);
      };
      let weights: tf.Tensor = tf.softmax(tf.mul(tf.matMul(heads("q"), heads("k"), false, true), D ** -0.5));
      if (nudges) weights = tf.add(weights, nudges[l]!);
      seen?.(weights);
      const read = tf.transpose(tf.matMul(weights, heads("v")), [0, 2, 1, 3]);
      x = tf.add(x, tf.matMul(tf.reshape<tf.Rank.R2>(read, [B * T, H * D]), this.variables[`o${l}`]!));
    }
    const first = tf.slice(tf.reshape(x, [B, T, C]), [0, 0, 0], [B, 1, C]);
    return tf.matMul(tf.reshape<tf.Rank.R2>(first, [B, C]), out!);
  }
}

const idsOf = (rows: readonly (readonly number[])[]) =>
  tf.tensor2d(
    rows.map((row) => [...row]),
    undefined,
    "int32",
  );

/** Relevance of each word for the score of a class, by every measure. */
function orders(model: Model, words: readonly number[], label: number, random: RandomStream) {
  return tidyData(() => {
    const ids = idsOf([words]);
    const maps: Float32Array[] = [];
    const zeros = Array.from({ length: L }, () => tf.zeros([1, H, T, T]));
    const score = (...nudges: tf.Tensor[]) => {
      maps.length = 0;
      const scores = model.scores(ids, nudges, (weights) => maps.push(weights.dataSync<"float32">().slice()));
      return tf.sum(tf.slice(scores, [0, label], [1, 1]));
    };
    const gradients = tf
      .grads(score)(zeros)
      .map((gradient) => gradient.dataSync());
    const layers = maps.map((weights) => denseMap({ H, T, S: T, weights }));
    const last = layers[L - 1]!;
    return {
      gradient: [...gradientRelevance(layers, gradients).weights.subarray(0, T)],
      rollout: [...rollout(layers).weights.subarray(0, T)],
      raw: Array.from({ length: T }, (_, s) => last.row(0, 0).values[s]! + last.row(1, 0).values[s]!),
      random: Array.from({ length: T }, () => random.uniform()),
    };
  });
}

/** The mean probability of the class while words are blanked one by one, the most relevant first. */
function deletionArea(
  model: Model,
  words: readonly number[],
  label: number,
  relevance: readonly number[],
): number {
  const order = Array.from({ length: T - 1 }, (_, n) => n + 1).sort((a, b) => relevance[b]! - relevance[a]!);
  const left = [...words];
  const rows = [[...left]];
  for (const place of order) {
    left[place] = BLANK;
    rows.push([...left]);
  }
  return tidyData(() => {
    const probabilities = tf.softmax(model.scores(idsOf(rows)));
    return tf.mean(tf.slice(probabilities, [0, label], [-1, 1])).dataSync()[0]!;
  });
}

/**
 * A sequence holds three planted words of its class and ten that say nothing. Which words decided? Those whose removal
 * destroys the answer. The same options give the same metrics.
 */
export async function plantedEvidence(options: EvidenceOptions): Promise<EvidenceResult> {
  const { steps = 250, seed = 1, onProgress } = options;
  await prepare();
  const model = new Model(new RandomStream(seed, 0));
  const training = new RandomStream(seed, 1);
  const loss = () => {
    const batch = Array.from({ length: BATCH }, () => example(training, 0.3 * training.uniform()));
    const labels = tf.oneHot(
      batch.map(({ label }) => label),
      2,
    );
    const scores = model.scores(idsOf(batch.map(({ words }) => words)));
    return tf.neg<tf.Scalar>(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(scores)), -1)));
  };
  try {
    await descend(model.variables, loss, { steps, learningRate: 0.01, onProgress });
    const fresh = new RandomStream(seed, 2);
    const area = { gradient: 0, rollout: 0, raw: 0, random: 0 };
    let right = 0;
    for (let n = 0; n < HELD_OUT; n++) {
      const { words, label } = example(fresh, 0);
      const guess = tidyData(() => tf.argMax(model.scores(idsOf([words])), -1).dataSync()[0]);
      right += Number(guess === label);
      for (const [name, relevance] of Object.entries(orders(model, words, label, fresh))) {
        area[name as keyof typeof area] += deletionArea(model, words, label, relevance) / HELD_OUT;
      }
    }
    return {
      accuracy: right / HELD_OUT,
      ...area,
      belowRaw: area.raw - area.gradient,
      belowRandom: area.random - area.gradient,
    };
  } finally {
    tf.dispose(model.variables);
  }
}
