import "../../../src/host/backend.ts";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { denseMap, gradientRelevance, rollout } from "../../../src/inspect/index.ts";

// A sequence holds three planted tokens of its class and ten that say nothing; a class token reads it through two layers
// of two heads. Which tokens decided? Those whose removal destroys the answer: the area under the probability of the
// true class while tokens are removed, the most relevant first, is the smaller the better the order.

const [T, V, C, H, D, L] = [14, 24, 16, 2, 8, 2];
const [CLASS, BLANK] = [V, V + 1];
const EVIDENCE = [
  [0, 1],
  [2, 3],
];
const PLANTED = 3;

const random = new RandomStream(7);

/** The class token, then tokens of which three are evidence; some are blanked, so that a blank says nothing. */
function example(blanked: number): { words: number[]; label: number } {
  const label = random.integer(2);
  const words = Array.from({ length: T - 1 }, () => 4 + random.integer(V - 4));
  for (let n = 0; n < PLANTED; n++) words[random.integer(T - 1)] = EVIDENCE[label]![random.integer(2)]!;
  return { words: [CLASS, ...words.map((w) => (random.uniform() < blanked ? BLANK : w))], label };
}

interface Model {
  readonly parameters: readonly tf.Variable[];
  /** Class scores [B, 2]; `nudges` are added to the weights [B, H, T, T] of each layer, which `seen` receives. */
  scores(words: tf.Tensor2D, nudges?: readonly tf.Tensor[], seen?: (weights: tf.Tensor) => void): tf.Tensor2D;
}

function makeModel(): Model {
  let seed = 3;
  const made: tf.Variable[] = [];
  const matrix = (shape: number[], deviation: number) => {
    const variable = tf.variable(tf.randomNormal(shape, 0, deviation, "float32", seed++));
    made.push(variable);
    return variable;
  };
  const words = matrix([V + 2, C], 0.5);
  const layers = Array.from({ length: L }, () => ({
    q: matrix([C, H * D], 0.3),
    k: matrix([C, H * D], 0.3),
    v: matrix([C, H * D], 0.3),
    o: matrix([H * D, C], 0.3),
  }));
  const out = matrix([C, 2], 0.3);
  return {
    parameters: made,
    scores(ids, nudges, seen) {
      const B = ids.shape[0];
      let x = tf.reshape(tf.gather(words, tf.reshape(ids, [-1])), [B * T, C]);
      for (const [l, { q, k, v, o }] of layers.entries()) {
        const heads = (w: tf.Variable) =>
          tf.transpose(tf.reshape(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), [B, T, H, D]), [0, 2, 1, 3]);
        let weights: tf.Tensor = tf.softmax(tf.mul(tf.matMul(heads(q), heads(k), false, true), D ** -0.5));
        if (nudges) weights = tf.add(weights, nudges[l]!);
        seen?.(weights);
        const read = tf.reshape(tf.transpose(tf.matMul(weights, heads(v)), [0, 2, 1, 3]), [B * T, H * D]);
        x = tf.add(x, tf.matMul(read as tf.Tensor2D, o as tf.Tensor2D));
      }
      const first = tf.slice(tf.reshape(x, [B, T, C]), [0, 0, 0], [B, 1, C]);
      return tf.matMul(tf.reshape(first, [B, C]) as tf.Tensor2D, out as tf.Tensor2D);
    },
  };
}

function train(model: Model, steps: number): void {
  const adam = tf.train.adam(0.01);
  for (let step = 0; step < steps; step++) {
    const batch = Array.from({ length: 64 }, () => example(0.3 * random.uniform()));
    tf.tidy(() => {
      const words = tf.tensor2d(
        batch.map(({ words }) => words),
        undefined,
        "int32",
      );
      const labels = tf.oneHot(
        batch.map(({ label }) => label),
        2,
      );
      adam.minimize(
        () => tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(model.scores(words))), -1))) as tf.Scalar,
        false,
        [...model.parameters],
      );
    });
  }
  adam.dispose();
}

/** Relevance of each word for the score of a class, in three ways. */
function orders(model: Model, words: readonly number[], label: number) {
  return tf.tidy(() => {
    const ids = tf.tensor2d([[...words]], undefined, "int32");
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
    const raw = Array.from({ length: T }, (_, s) => last.row(0, 0).values[s]! + last.row(1, 0).values[s]!);
    return {
      gradient: [...gradientRelevance(layers, gradients).weights.subarray(0, T)],
      raw,
      rollout: [...rollout(layers).weights.subarray(0, T)],
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
  return tf.tidy(() => {
    const probabilities = tf.softmax(model.scores(tf.tensor2d(rows, undefined, "int32")));
    return tf.mean(tf.slice(probabilities, [0, label], [-1, 1])).dataSync()[0]!;
  });
}

describe("planted evidence", () => {
  const area: Record<string, number> = {};
  let right = 0;
  const COUNT = 60;

  beforeAll(async () => {
    await tf.setBackend("heed");
    const model = makeModel();
    train(model, 250);
    for (let n = 0; n < COUNT; n++) {
      const { words, label } = example(0);
      const guess = tf.tidy(
        () => tf.argMax(model.scores(tf.tensor2d([words], undefined, "int32")), -1).dataSync()[0],
      );
      right += Number(guess === label);
      for (const [name, relevance] of Object.entries(orders(model, words, label)))
        area[name] = (area[name] ?? 0) + deletionArea(model, words, label, relevance) / COUNT;
    }
    for (const variable of model.parameters) variable.dispose();
  }, 60_000);

  it("is found by the model", () => {
    expect(right / COUNT).toBeGreaterThanOrEqual(0.95);
  });

  it("is what gradientRelevance names first: its deletion area is below raw attention's and chance's", () => {
    expect(area.gradient!).toBeLessThan(area.raw!);
    expect(area.gradient!).toBeLessThan(area.random!);
  });
});
