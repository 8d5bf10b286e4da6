import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { attend } from "../../src/attention/sequence/index.ts";
import { pipelineDiagram } from "../../src/viz/index.ts";
import { all, parseXml } from "./xml.ts";

const call = () => {
  const queries = tf.ones<tf.Rank.R3>([2, 3, 5]);
  const keys = tf.ones<tf.Rank.R3>([2, 7, 5]);
  const values = tf.ones<tf.Rank.R3>([2, 7, 11]);
  return { queries, trace: attend({ queries, keys, values, trace: true }).trace };
};

it("draws the steps of a real call, with its real shapes on the arrows, and the query at the scores", async () => {
  const svg = pipelineDiagram({ input: { shape: [2, 7] }, ...call() }, { theme: "auto" });
  await expect(svg).toMatchFileSnapshot("golden/pipeline.svg");
  const texts = all(parseXml(svg), "text").map(({ text }) => text);
  expect(texts).toEqual([
    ...["Attention, step by step", "Query", "[2, 3, 5]"],
    ...["Input", "Encoder", "Scores", "Mask", "Softmax", "Weights × values", "Context", "Output"],
    ...["[2, 7]", "[2, 7, 11]", "[2, 3, 7]", "[2, 3, 7]", "[2, 3, 7]", "[2, 3, 11]", "[2, 3, 11]"],
  ]);
});

it("names the normaliser, and leaves out an input that is not given", () => {
  const texts = all(parseXml(pipelineDiagram(call(), { normalize: "<Sparsemax>", title: "" })), "text").map(
    ({ text }) => text,
  );
  expect(texts).toContain("<Sparsemax>");
  expect(texts).not.toContain("Input");
});

it("refuses a trace without its stages", () => {
  const { queries } = call();
  expect(() => pipelineDiagram({ queries, trace: {} as ReturnType<typeof call>["trace"] })).toThrow(
    "pipelineDiagram: trace.encoded must be a stage with a shape, got undefined; pass what attend({ …, trace: true }) returned",
  );
});
