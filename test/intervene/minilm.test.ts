import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { loadGradients } from "../../src/host/gradients.ts";
import { headEffects, intervene } from "../../src/intervene/index.ts";
import { loadModel } from "../../src/tasks/pretrained/model.ts";
import { itWithData } from "../support/shared-data.ts";

const TEXT =
  "Anna gave the book about distant stars to her brother Tom, who had asked for it twice before the long winter began in the village by the sea.";
const QUESTION = "Who got the book?";

/** CPU seconds of some work. */
function seconds<R>(work: () => R): [R, number] {
  const begun = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(begun);
  return [result, (user + system) / 1e6];
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const centred = (x: readonly number[]) => x.map((one) => one - x.reduce((sum, y) => sum + y, 0) / x.length);
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, one, n) => sum + one * y[n]!, 0);
  const [x, y] = [centred(a), centred(b)];
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

itWithData("all-minilm-l6-v2")(
  "all heads of a published model are attributed to first order within 2 s of CPU, near what running again says",
  async (folder) => {
    const model = await loadModel(folder);
    await loadGradients();
    try {
      const { ids } = model.encode(TEXT);
      expect(ids).toHaveLength(32);
      const embed = (ids: readonly number[]) =>
        tf.tidy(() => {
          const mean = tf.mean(model.states(ids), 1);
          return tf.div(mean, tf.norm(mean));
        });
      const question = embed(model.encode(QUESTION).ids);
      const run = () => embed(ids);
      const metric = (embedding: tf.Tensor) => tf.sum(tf.mul(embedding, question));
      const before = tf.memory().numTensors;
      const [first, cost] = seconds(() => headEffects(run, metric, { method: "gradient" }));
      expect(tf.memory().numTensors).toBe(before);
      expect(cost).toBeLessThan(2);
      expect(first.ranking).toHaveLength(72);
      // Of the last layer, behind which little is left to bend, effects are near those of running again.
      const layer = 5;
      const exact = Array.from({ length: 12 }, (_, heads) => {
        const without = intervene(run, [{ do: "knockOut", layer, heads }]);
        return tf.tidy(() => metric(without).dataSync()[0]! - first.metric);
      });
      expect(correlation(exact, [...first.effects[layer]!])).toBeGreaterThan(0.8);
      // By running again, 72 times, of which only what comes after each head is computed.
      const beforeAgain = tf.memory().numTensors;
      const [again, costAgain] = seconds(() => headEffects(run, metric));
      expect(tf.memory().numTensors).toBe(beforeAgain);
      expect(costAgain).toBeLessThan(2);
      for (const [head, effect] of again.effects[layer]!.entries())
        expect(effect).toBeCloseTo(exact[head]!, 6);
      question.dispose();
    } finally {
      model.dispose();
    }
  },
);
