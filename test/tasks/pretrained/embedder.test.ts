import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { encodeSafetensors } from "../../../src/core/safetensors.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import { cosine, Embedder, loadEmbedder, PretrainedModel } from "../../../src/tasks/pretrained/index.ts";
import { fixture, loaded } from "../../models/transformer/fixture.ts";
import { modelFolder, sentenceFixture, sentenceFolder, writeInside } from "./fixture.ts";

beforeAll(useHeedBackend);

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(path.dirname(folder), { recursive: true });
});
function sentence(name: string): string {
  folders.push(sentenceFolder(name));
  return folders.at(-1)!;
}

const distance = (a: ArrayLike<number>, b: readonly number[]) =>
  Math.max(...b.map((value, n) => Math.abs(value - a[n]!)));

/** The states are of size 1 and right to some roundings of float32; seven tokens are added up in `many`. */
const TOLERANCE = 4e-6;

test.each(["mean", "dense", "many"])(
  "a folder of sentence-transformers gives its ids and its embeddings: %s",
  async (name) => {
    const before = tf.memory().numTensors;
    const embedder = await loadEmbedder(sentence(name));
    expect(embedder.hasFiles).toBe(true);
    const { texts } = sentenceFixture(name);
    const found = embedder.embed(texts.map(({ text }) => text));
    embedder.dispose();
    expect(found.map(({ ids }) => ids)).toEqual(texts.map(({ ids }) => ids));
    for (const [n, { embedding }] of texts.entries()) {
      expect(found[n]!.embedding).toHaveLength(embedding.length);
      expect(distance(found[n]!.embedding, embedding)).toBeLessThan(TOLERANCE);
    }
    expect(tf.memory().numTensors).toBe(before);
  },
);

test("a text that is too long loses the end of its own tokens, and says how many", async () => {
  const embedder = await loadEmbedder(sentence("mean"));
  expect(embedder.maxLength).toBe(9);
  const [short, long] = embedder.embed(["the cat sat on the mat .", "the cat sat on the mat . and dog"]);
  embedder.dispose();
  expect([short!.cut, long!.cut]).toEqual([0, 2]);
  expect(long!.ids).toEqual(short!.ids);
  expect(long!.embedding).toEqual(short!.embedding);
});

test("a text gives what it gives alone, bit for bit, whatever stands in its batch", async () => {
  const embedder = await loadEmbedder(sentence("many"));
  const words = ["the", "cat", "sat", "on", "mat", "dog"];
  const texts = Array.from({ length: 71 }, (_, n) =>
    Array.from({ length: (n * 3) % 7 }, (_, t) => words[(n + t * t) % words.length]).join(" "),
  );
  const together = embedder.embed(texts);
  for (const [n, text] of texts.entries()) expect(embedder.embed([text])).toEqual([together[n]]);
  embedder.dispose();
});

test.each(["gpt2", "llama", "t5"])("packed states of %s are those of each text alone", async (name) => {
  const model = await loaded(fixture(name));
  const pretrained = new PretrainedModel({ model, tokenizer: undefined, config: {} });
  const embedder = new Embedder(pretrained, { poolings: ["lasttoken"], steps: [] });
  const texts = [[5, 3, 7, 2], [4], [8, 8, 9]];
  const found = embedder.embed(texts);
  for (const [n, ids] of texts.entries()) {
    const alone = tf.tidy(() => Array.from(pretrained.states(ids).dataSync()).slice(-model.config.width));
    expect(distance(found[n]!.embedding, alone)).toBeLessThan(TOLERANCE);
  }
  embedder.dispose();
});

test("without modules.json the mean has length 1; pooling and length can be chosen", async () => {
  const folder = modelFolder();
  folders.push(folder);
  const text = "the cats sat";
  const embedderOf = async (options = {}) => {
    const embedder = await loadEmbedder(folder, options);
    const { embedding } = embedder.embed([text])[0]!;
    const { poolings, isNormalized, hasFiles, maxLength } = embedder;
    embedder.dispose();
    return { embedding, poolings, isNormalized, hasFiles, maxLength };
  };
  const mean = await embedderOf();
  expect(mean).toMatchObject({ poolings: ["mean"], isNormalized: true, hasFiles: false, maxLength: 11 });
  expect(Math.hypot(...mean.embedding)).toBeCloseTo(1, 6);
  const raw = await embedderOf({ normalize: false });
  expect(raw.isNormalized).toBe(false);
  expect(cosine(raw.embedding, mean.embedding)).toBeCloseTo(1, 6);
  expect(Math.hypot(...raw.embedding)).not.toBeCloseTo(1, 2);
  const cls = await embedderOf({ pooling: "cls" });
  expect(cls.poolings).toEqual(["cls"]);
  expect(cosine(cls.embedding, mean.embedding)).toBeLessThan(0.99);
  const many = sentence("many");
  const chosen = await loadEmbedder(many, { pooling: "max", normalize: true });
  expect(chosen.embed(["the cat"])[0]!.embedding).toHaveLength(6);
  expect(chosen.isNormalized).toBe(true);
  chosen.dispose();
});

test("what is wrong with the files is one clear error, and nothing is left", async () => {
  const before = tf.memory().numTensors;
  const folder = sentence("dense");
  const refuses = (message: string) => expect(loadEmbedder(folder)).rejects.toThrow(message);
  const { files } = sentenceFixture("dense");
  const modules = files["modules.json"] as Record<string, unknown>[];
  const write = (file: string, content: unknown) => writeInside(folder, file, JSON.stringify(content));
  const pooling = "1_Pooling/config.json";
  write(pooling, { word_embedding_dimension: 6 });
  await refuses("loadEmbedder: one of pooling_mode_cls_token, ");
  write(pooling, { pooling_mode: "median" });
  await refuses(
    "pooling_mode must be one of cls, max, mean, mean_sqrt_len, weightedmean, lasttoken, got median",
  );
  write(pooling, { pooling_mode: "mean" });
  await refuses("linear.weight of 2_Dense must map 6 numbers, got [5, 12]");
  write(pooling, files[pooling]);
  write("2_Dense/config.json", { activation_function: "torch.nn.modules.activation.Softplus" });
  await refuses("the activation of 2_Dense must be one of Identity, Tanh, ReLU, Sigmoid, got Softplus");
  write("2_Dense/config.json", files["2_Dense/config.json"]);
  rmSync(path.join(folder, "2_Dense/pytorch_model.bin"));
  await refuses("2_Dense must have one of model.safetensors, pytorch_model.bin, got none");
  write("sentence_bert_config.json", { max_seq_length: "9" });
  await refuses("max_seq_length must be a whole number from 1, got 9");
  write("modules.json", [...modules.slice(0, 2), { type: "x.WordWeights", path: "w" }]);
  await refuses("modules after Pooling must be Dense, Normalize or Dropout, got WordWeights");
  write("modules.json", [{ ...modules[0], path: "../other" }]);
  await refuses("a module's path must stay in the model's folder, got ../other");
  write("modules.json", modules.slice(1));
  await refuses("modules.json must begin with Transformer and Pooling, got Pooling, Dense, Normalize");
  write("modules.json", { 0: "x" });
  await refuses("modules.json must be a JSON list, got another value");
  expect(tf.memory().numTensors).toBe(before);
});

test("a dense map may stand in a file of safetensors, without a bias", async () => {
  const folder = sentence("mean");
  const { files } = sentenceFixture("mean");
  const dense = { type: "sentence_transformers.models.Dense", path: "2_Dense" };
  const modules = [...(files["modules.json"] as object[]).slice(0, 2), dense];
  writeInside(folder, "modules.json", JSON.stringify(modules));
  const config = { activation_function: "torch.nn.modules.linear.Identity" };
  const file = "2_Dense/model.safetensors";
  writeInside(folder, "2_Dense/config.json", JSON.stringify(config));
  // The sum of all six numbers, and −2 times the third.
  const data = Float32Array.of(1, 1, 1, 1, 1, 1, 0, 0, -2, 0, 0, 0);
  const tensors = { "linear.weight": { dtype: "F32" as const, shape: [2, 6], data } };
  const bias = { dtype: "F32" as const, shape: [3], data: new Float32Array(3) };
  writeInside(folder, file, encodeSafetensors({ ...tensors, "linear.bias": bias }));
  await expect(loadEmbedder(folder)).rejects.toThrow("linear.bias of 2_Dense must have 2 numbers, got 3");
  writeInside(folder, file, encodeSafetensors(tensors));
  const mapped = await loadEmbedder(folder);
  const plain = new Embedder(mapped.model, { steps: [] });
  const x = plain.embed(["the cat"])[0]!.embedding;
  const sum = x.reduce((total, value) => total + value, 0);
  expect(distance(mapped.embed(["the cat"])[0]!.embedding, [sum, -2 * x[2]!])).toBeLessThan(1e-6);
  mapped.dispose();
});

test("the Transformer may have a folder of its own, and be named by its weights where it has none", async () => {
  const folder = sentence("mean");
  const { files, texts } = sentenceFixture("mean");
  const { text, embedding } = texts[1]!;
  const one = await loadEmbedder(path.join(folder, "model.safetensors"));
  expect(distance(one.embed([text])[0]!.embedding, embedding)).toBeLessThan(TOLERANCE);
  one.dispose();
  const nested = path.join(path.dirname(folder), "nested");
  cpSync(folder, path.join(nested, "0_BERT"), { recursive: true });
  const [transformer, ...others] = files["modules.json"] as object[];
  const modules = [{ ...transformer, path: "0_BERT" }, ...others];
  writeInside(nested, "modules.json", JSON.stringify(modules));
  writeInside(nested, "1_Pooling/config.json", JSON.stringify(files["1_Pooling/config.json"]));
  const two = await loadEmbedder(nested);
  expect(two.maxLength).toBe(9);
  expect(distance(two.embed([text])[0]!.embedding, embedding)).toBeLessThan(TOLERANCE);
  two.dispose();
});

test("the prompt that a model names by default stands before each text", async () => {
  const folder = sentence("mean");
  const settings = { prompts: { query: "the cat " }, default_prompt_name: "query" };
  writeInside(folder, "config_sentence_transformers.json", JSON.stringify(settings));
  const embedder = await loadEmbedder(folder);
  expect(embedder.encode("sat").ids).toEqual([2, 4, 5, 6, 3]);
  embedder.dispose();
  const none = { ...settings, default_prompt_name: "passage" };
  writeInside(folder, "config_sentence_transformers.json", JSON.stringify(none));
  await expect(loadEmbedder(folder)).rejects.toThrow(
    "default_prompt_name must be one of prompts, got passage",
  );
});

const minilm = path.resolve(import.meta.dirname, "../../../../shared/data/all-minilm-l6-v2");

test.skipIf(!existsSync(minilm))(
  "MiniLM embeds texts as PyTorch does, the same in one batch and alone",
  async () => {
    const embedder = await loadEmbedder(minilm);
    const texts: { text: string; ids: number[]; embedding: number[] }[] = JSON.parse(
      readFileSync(path.join(minilm, "reference.json"), "utf8"),
    );
    const found = embedder.embed(texts.map(({ text }) => text));
    for (const [n, { text }] of texts.entries()) expect(embedder.embed([text])).toEqual([found[n]]);
    embedder.dispose();
    for (const [n, { ids, embedding }] of texts.entries()) {
      expect(found[n]!.ids).toEqual(ids);
      // The reference has seven digits.
      expect(cosine(found[n]!.embedding, embedding)).toBeGreaterThan(0.999999);
      expect(Math.hypot(...found[n]!.embedding)).toBeCloseTo(1, 6);
    }
  },
);
