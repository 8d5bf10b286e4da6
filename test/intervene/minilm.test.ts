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

itWithData("all-minilm-l6-v2")(
  "all heads of a published model are attributed to first order within 2 s, and their effects agree with exact ones",
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
      const [exact, exactCost] = seconds(() => headEffects(run, metric));
      expect(tf.memory().numTensors).toBe(before);
      console.log({ cost, exactCost, top: exact.ranking.slice(0, 3), first: first.ranking.slice(0, 3) });
      expect(cost).toBeLessThan(2);
      expect(exact.ranking).toHaveLength(72);
      // The six largest of seventy-two: by chance both would share half a head.
      const top = ({ ranking }: typeof exact) =>
        ranking.slice(0, 6).map(({ layer, head }) => `${layer}.${head}`);
      const shared = top(exact).filter((head) => top(first).includes(head));
      expect(shared.length).toBeGreaterThanOrEqual(3);
      const [{ layer, head, effect }] = exact.ranking as [(typeof exact.ranking)[number]];
      const without = tf.tidy(() =>
        metric(intervene(run, [{ do: "knockOut", layer, heads: head }])).dataSync(),
      )[0]!;
      expect(without - exact.metric).toBeCloseTo(effect, 6);
      question.dispose();
    } finally {
      model.dispose();
    }
  },
);
