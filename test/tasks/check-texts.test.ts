import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { useHeedBackend } from "../../src/host/select.ts";
import { bert, Transformer } from "../../src/models/index.ts";
import {
  cosine,
  Embedder,
  loadAnswerer,
  loadSummarizer,
  PretrainedModel,
  type QuestionAnswerer,
  type Summarizer,
} from "../../src/tasks/index.ts";

let [summarizer, answerer]: [Summarizer?, QuestionAnswerer?] = [];
let pretrained: PretrainedModel;
beforeAll(async () => {
  await useHeedBackend();
  [summarizer, answerer] = [await loadSummarizer(), await loadAnswerer()];
  const model = new Transformer(bert({ layers: 1, width: 6, heads: 2, vocabulary: 5, positions: 3 }), 1);
  pretrained = new PretrainedModel({ model, tokenizer: undefined, config: {} });
});
afterAll(() => {
  for (const model of [summarizer, answerer, pretrained]) model?.dispose();
});

const list = (got: string) => `texts must be a list of strings, got ${got}; write a list, of one text too`;
const text = (what: string, got: string) =>
  `${what} must be a string, got ${got}; pass one text; arguments have an order`;
const refused: [string, (given: never) => unknown, unknown, string][] = [
  [
    "one text to sum up",
    (given) => summarizer!.summarize(given),
    "A text.",
    `Summarizer.summarize: ${list("a value of type string")}`,
  ],
  [
    "one text to embed",
    (given) => new Embedder(pretrained).embed(given),
    "A text.",
    `Embedder.embed: ${list("a value of type string")}`,
  ],
  [
    "a picture before its question",
    (given) => answerer!.answer(given, "Which?" as never),
    new Uint8Array(4),
    `QuestionAnswerer: ${text("question", "a value of type object")}`,
  ],
  [
    "a list to look at",
    (given) => pretrained.look(given),
    ["A text."],
    `PretrainedModel: ${text("text", "a value of type object")}`,
  ],
  [
    "nothing to read",
    (given) => pretrained.encode(given),
    undefined,
    `PretrainedModel: ${text("text", "nothing")}`,
  ],
  [
    "what holds a vector",
    (given) => cosine(given, [1, 2]),
    { embedding: [1, 2] },
    "cosine: both vectors must be equally long, got lengths undefined and 2; pass two vectors of one model, such as the " +
      "field embedding of what embed gives",
  ],
  [
    "a shorter vector",
    (given) => cosine([1, 2, 3], given),
    [1, 2],
    "cosine: both vectors must be equally long, got lengths 3 and 2; pass two vectors of one model, such as the field " +
      "embedding of what embed gives",
  ],
];
test.each(refused)("%s is refused in one sentence", (_, call, given, message) => {
  const before = tf.memory().numTensors;
  expect(() => call(given as never)).toThrow(expect.objectContaining({ message }));
  expect(tf.memory().numTensors).toBe(before);
});
