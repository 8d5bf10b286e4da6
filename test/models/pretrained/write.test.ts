/** Models that were read and written again: every bit that was read is in the file, under the name that it had. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { memoryBytes, openCheckpoint } from "../../../src/checkpoints/index.ts";
import { decodeSafetensors } from "../../../src/core/safetensors.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import { encodePretrained, loadPretrained } from "../../../src/models/index.ts";
import { Transformer, type TransformerConfig } from "../../../src/models/transformer/index.ts";
import { llama } from "../../../src/models/transformer/presets/llama.ts";
import { fixture, loaded } from "../transformer/fixture.ts";

const NAMES = [
  ...["albert", "bert", "bert-classifier", "distilbert", "distilbert-classifier", "gpt2", "llama", "marian"],
  ...["mistral", "qwen2", "roberta", "roberta-classifier", "t5", "t5-gated", "vit"],
];
/** What transformers computes from the configuration, or keeps beside the model that is computed here. */
const LEFT_OUT = /embed_positions|seq_relationship/;

const valuesOf = (model: Transformer) =>
  Object.entries(model.parameters.variables).map(([name, variable]) => [name, variable.dataSync()] as const);

async function readBack(files: ReturnType<typeof encodePretrained>): Promise<Transformer> {
  const checkpoint = await openCheckpoint(memoryBytes(files["model.safetensors"]));
  return loadPretrained(checkpoint, JSON.parse(files["config.json"]));
}

beforeAll(useHeedBackend);

describe.each(NAMES)("%s", (name) => {
  test("is written under the names, with the shapes and bits that it was read from", async () => {
    const given = fixture(name);
    const model = await loaded(given);
    const files = encodePretrained(model, given.config);
    const { tensors, metadata } = decodeSafetensors(files["model.safetensors"]);
    // A model without a head is published without the prefix of the whole.
    const bare = name === "roberta" ? "roberta." : "";
    const wanted = Object.entries(given.state).filter(([title]) => !LEFT_OUT.test(title));
    expect(Object.keys(tensors).toSorted()).toEqual(
      wanted.map(([title]) => title.slice(title.startsWith(bare) ? bare.length : 0)).toSorted(),
    );
    for (const [title, { shape, values }] of wanted) {
      const tensor = tensors[title.slice(title.startsWith(bare) ? bare.length : 0)]!;
      expect(tensor.shape).toEqual(shape);
      expect(tensor.data).toEqual(Float32Array.from(values));
    }
    expect(metadata).toEqual({ format: "pt" });
    const again = await readBack(files);
    expect(again.config).toEqual(model.config);
    expect(valuesOf(again)).toEqual(valuesOf(model));
    again.dispose();
    model.dispose();
  });
});

const SIZES = { layers: 2, width: 12, heads: 3, keyValueHeads: 1, inner: 7, vocabulary: 13 };
const tokens = () => tf.tensor2d([[3, 1, 4, 1, 5]], [1, 5], "int32");
const logitsOf = (model: Transformer) =>
  tf.tidy(() => model.logits(model.decode({ tokens: tokens() })).dataSync());

test("a Llama with pairs side by side, as GGUF has them, is written with pairs in halves", async () => {
  const config: TransformerConfig = {
    ...llama(SIZES),
    positions: { kind: "rope", base: 100, pairs: "interleaved" },
  };
  const model = new Transformer(config, 1);
  const files = encodePretrained(model, { max_position_embeddings: 32 });
  const again = await readBack(files);
  expect(again.config.positions).toEqual({ kind: "rope", base: 100 });
  // Head 0 of the keys, D = 4: rows 0, 2, 1, 3 of what GGUF has.
  const [key, keyThere] = [model, again].map(({ parameters }) =>
    parameters.matrix("decoder/0/self/key/weight"),
  );
  const order = tf.tensor1d([0, 2, 1, 3], "int32");
  expect(keyThere!.dataSync()).toEqual(tf.gather(key!, order).dataSync());
  const [here, there] = [logitsOf(model), logitsOf(again)];
  // The four products of a score are summed in another order: each sum is off by at most 4·2⁻²⁴ of their magnitudes.
  for (const [n, logit] of here.entries()) expect(Math.abs(logit - there[n]!)).toBeLessThan(1e-6);
  expect(here.every((logit, n) => logit === there[n])).toBe(false);
  again.dispose();
  model.dispose();
});

test.each([
  ["llama", { headWidth: 6, tied: true }],
  ["qwen2", { attentionBias: true }],
  ["llama", { ropeScaling: { type: "llama3", factor: 2, original: 16 } }],
  ["llama", { ropeScaling: { type: "yarn", factor: 4, original: 16 } }],
  ["llama", { ropeScaling: { type: "linear", factor: 3 } }],
] as const)("a %s made here is given its config.json: %o", async (type, options) => {
  const model = new Transformer(llama({ ...SIZES, ...options }), 1);
  const files = encodePretrained(model);
  expect(JSON.parse(files["config.json"]).model_type).toBe(type);
  const again = await readBack(files);
  expect(logitsOf(again)).toEqual(logitsOf(model));
  again.dispose();
  model.dispose();
});

test("half the space holds what its bits hold, and no number that it cannot", async () => {
  const model = new Transformer(llama({ ...SIZES, tied: true }), 1);
  const whole = encodePretrained(model)["model.safetensors"].length;
  const variable = model.parameters.variables["decoder/norm/gamma"]!;
  variable.assign(tf.fill(variable.shape, 1 + 2 ** -9 + 2 ** -20));
  for (const [dtype, wanted] of [
    ["F16", 1 + 2 ** -9],
    ["BF16", 1],
  ] as const) {
    const files = encodePretrained(model, {}, { dtype });
    expect(files["model.safetensors"].length / whole).toBeLessThan(0.7);
    const again = await readBack(files);
    expect(again.parameters.vector("decoder/norm/gamma").dataSync()[0]).toBe(wanted);
    again.dispose();
  }
  variable.assign(tf.fill(variable.shape, 70000));
  expect(() => encodePretrained(model, {}, { dtype: "F16" })).toThrow(
    "writePretrained: F16 must hold every number of model.norm.weight, which it does up to 65504, got 70000; choose BF16 or F32",
  );
  expect(() => encodePretrained(model, {}, { dtype: "I8" as never })).toThrow(
    "writePretrained: dtype must be F32, F16, BF16, got I8; choose one of them",
  );
  model.dispose();
});

test("what no published family is, is refused", () => {
  const model = new Transformer({ ...llama(SIZES), preNorm: false }, 1);
  expect(() => encodePretrained(model)).toThrow("writePretrained: model_type must be one of bert, ");
  expect(() => encodePretrained(model, { model_type: "mamba" })).toThrow('got "mamba"; choose a model');
  model.dispose();
});
