/** Adapters that PEFT wrote (tools/fixtures/peft_adapters.py), on the models of test/fixtures/transformer. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // brings the gradients of TensorFlow.js
import { beforeAll, describe, expect, test } from "vitest";
import { type Checkpoint, memoryBytes, openCheckpoint } from "../../../src/checkpoints/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../../../src/core/safetensors.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import { LoraAdapter, mergeAdapter } from "../../../src/models/index.ts";
import { llama, Transformer, tokenLoss } from "../../../src/models/transformer/index.ts";
import { Adam } from "../../../src/train/adam.ts";
import { namedGradients } from "../../../src/train/named-gradients.ts";
import { fixture, loaded } from "../transformer/fixture.ts";

interface PeftFixture {
  base: string;
  config: Record<string, unknown>;
  weights: string;
  tokens: number[][];
  output: { values: number[] };
  without: { values: number[] };
}

const folder = path.resolve(import.meta.dirname, "../../fixtures/adapters");
const peft = (name: string): PeftFixture =>
  JSON.parse(readFileSync(path.join(folder, `${name}.json`), "utf8"));
const opened = (weights: string) =>
  openCheckpoint(memoryBytes(new Uint8Array(Buffer.from(weights, "base64"))));

beforeAll(useHeedBackend);

function outputOf(model: Transformer, rows: number[][]): Float32Array {
  return tf.tidy(() => {
    const tokens = tf.tensor2d(rows, undefined, "int32");
    if (model.config.encoderLayers > 0) return model.encode({ tokens }).dataSync() as Float32Array;
    return model.logits(model.decode({ tokens })).dataSync() as Float32Array;
  });
}

/** Both add up a few dozen products of numbers around 1 in float32: less than 2⁻²⁴ · 50 apart. */
function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, bound = 1e-5): void {
  expect(got.length).toBe(wanted.length);
  for (let n = 0; n < got.length; n++) expect(Math.abs(got[n]! - wanted[n]!)).toBeLessThan(bound);
}

const NAMES = ["llama", "llama-rslora", "bert", "gpt2"];

describe.each(NAMES)("%s", (name) => {
  const given = peft(name);
  const base = fixture(given.base);

  test("computes what PEFT computes, beside its base and merged into it, and gives the base back", async () => {
    const model = await loaded(base);
    const plain = outputOf(model, given.tokens);
    expectClose(plain, given.without.values);
    const before = model.parameters.variables;
    const bits = Object.values(before).map((variable) => variable.dataSync());
    const count = tf.memory().numTensors;
    const adapter = await LoraAdapter.read(await opened(given.weights), given.config, model, base.config);
    model.adapter = adapter;
    const beside = outputOf(model, given.tokens);
    expectClose(beside, given.output.values);
    const unmerge = mergeAdapter(model, adapter);
    expect(model.adapter).toBeUndefined();
    expectClose(outputOf(model, given.tokens), beside);
    unmerge();
    expect(model.adapter).toBe(adapter);
    expect(Object.values(before).map((variable) => variable.dataSync())).toEqual(bits);
    model.adapter = undefined;
    expect(outputOf(model, given.tokens)).toEqual(plain);
    adapter.dispose();
    expect(tf.memory().numTensors).toBe(count);
    model.dispose();
  });

  test("is written as PEFT wrote it", async () => {
    const model = await loaded(base);
    const adapter = await LoraAdapter.read(await opened(given.weights), given.config, model, base.config);
    const files = adapter.encode({ base: "some/base" });
    const wanted = decodeSafetensors(new Uint8Array(Buffer.from(given.weights, "base64"))).tensors;
    expect(decodeSafetensors(files["adapter_model.safetensors"]).tensors).toEqual(wanted);
    const config = JSON.parse(files["adapter_config.json"]);
    for (const key of [
      "peft_type",
      "r",
      "lora_alpha",
      "lora_dropout",
      "use_rslora",
      "fan_in_fan_out",
      "bias",
    ])
      expect([key, config[key]]).toEqual([key, given.config[key]]);
    expect(config.base_model_name_or_path).toBe("some/base");
    // Of BERT's "dense" those of the heads are not adapted, which PEFT does not have here.
    const targets = given.config.target_modules as string[];
    expect(config.target_modules.filter((target: string) => !target.includes("."))).toEqual(
      targets.filter((target) => target !== "dense").toSorted(),
    );
    adapter.dispose();
    model.dispose();
  });
});

const SIZES = { layers: 2, width: 12, heads: 3, keyValueHeads: 1, inner: 7, vocabulary: 13 };
const TOKENS = [
  [3, 1, 4, 1, 5],
  [9, 2, 6, 5, 3],
];

test("an adapter begins as nothing, and alone learns: the base keeps every bit, and no moments", () => {
  const model = new Transformer(llama(SIZES), 1);
  const plain = outputOf(model, TOKENS);
  const bits = Object.values(model.parameters.variables).map((variable) => variable.dataSync());
  const adapter = LoraAdapter.start(model, {}, { r: 2, alpha: 4, dropout: 0.1, seed: 3 });
  model.adapter = adapter;
  expect(outputOf(model, TOKENS)).toEqual(plain);
  const adam = new Adam({ learningRate: 0.1 });
  const step = (k: number) => {
    const { loss, grads } = namedGradients(adapter.variables, () => lossOf(model, k));
    adam.apply(grads, adapter.variables);
    tf.dispose(grads);
    return loss;
  };
  const first = namedGradients(adapter.variables, () => lossOf(model, 0)).grads;
  expect(Object.keys(first)).toEqual(Object.keys(adapter.variables));
  // B is 0, so that A has no gradient yet; B has one at once.
  for (const [name, gradient] of Object.entries(first))
    expect([name, gradient.dataSync().some((value) => value !== 0)]).toEqual([name, name.includes("lora_B")]);
  const losses = Array.from({ length: 30 }, (_, k) => step(k));
  expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]!);
  const state = adam.state();
  expect(Object.keys(state).length).toBe(1 + 2 * Object.keys(adapter.variables).length);
  expect(Object.values(model.parameters.variables).map((variable) => variable.dataSync())).toEqual(bits);
  tf.dispose([first, state]);
  adam.dispose();
  adapter.dispose();
  model.dispose();
});

function lossOf(model: Transformer, dropoutSeed: number): tf.Scalar {
  const tokens = tf.tensor2d(TOKENS, undefined, "int32");
  const labels = tf.tensor2d([TOKENS[0]!.toReversed(), TOKENS[1]!.toReversed()], undefined, "int32");
  return tokenLoss(model.logits(model.decode({ tokens }, { dropoutSeed })), labels);
}

test("dropout falls on what A reads, by the seed of the step alone", () => {
  const model = new Transformer(llama(SIZES), 1);
  const adapter = LoraAdapter.start(model, {}, { r: 2, dropout: 0.5 });
  for (const { b } of adapter.pairs) b.assign(tf.randomNormal(b.shape, 0, 1, "float32", 5));
  model.adapter = adapter;
  const tokens = tf.tensor2d(TOKENS, undefined, "int32");
  const states = (dropoutSeed?: number) =>
    tf.tidy(() => model.decode({ tokens }, { dropoutSeed }).dataSync());
  expect(states(1)).toEqual(states(1));
  expect(states(1)).not.toEqual(states(2));
  expect(states()).not.toEqual(states(1));
  adapter.dispose();
  model.dispose();
});

test("two adapters take turns on one base", () => {
  const model = new Transformer(llama(SIZES), 1);
  const made = [1, 2].map((seed) => {
    const adapter = LoraAdapter.start(model, {}, { r: 1, seed, targets: ["o_proj", "down_proj"] });
    for (const { b } of adapter.pairs) b.assign(tf.randomNormal(b.shape, 0, 0.3, "float32", seed));
    return adapter;
  });
  const outputs = [...made, undefined, ...made, undefined].map((adapter) => {
    model.adapter = adapter;
    return outputOf(model, TOKENS);
  });
  expect(outputs.slice(3)).toEqual(outputs.slice(0, 3));
  expect(outputs[0]).not.toEqual(outputs[1]);
  expect(outputs[0]).not.toEqual(outputs[2]);
  for (const adapter of made) adapter.dispose();
  model.dispose();
});

test("on a model whose pairs stand side by side, as in GGUF, an adapter of PEFT turns with them", async () => {
  const given = peft("llama-rslora");
  const base = fixture("llama");
  const model = await loaded(base);
  // The same model as GGUF would have it.
  const order = (rows: number) =>
    Array.from({ length: rows }, (_, row) => 4 * Math.floor(row / 4) + [0, 2, 1, 3][row % 4]!);
  for (const [name, variable] of Object.entries(model.parameters.variables)) {
    if (!/self\/(query|key)\/weight$/.test(name)) continue;
    variable.assign(tf.gather(variable as tf.Tensor, order(variable.shape[0]!)));
  }
  const { positions } = model.config as { positions: { kind: "rope"; base: number } };
  const turned = new Transformer(
    { ...model.config, positions: { ...positions, pairs: "interleaved" } },
    model.parameters,
  );
  expectClose(outputOf(turned, given.tokens), given.without.values);
  turned.adapter = await LoraAdapter.read(await opened(given.weights), given.config, turned);
  expectClose(outputOf(turned, given.tokens), given.output.values);
  const written = (turned.adapter as LoraAdapter).encode()["adapter_model.safetensors"];
  expect(decodeSafetensors(written).tensors).toEqual(
    decodeSafetensors(new Uint8Array(Buffer.from(given.weights, "base64"))).tensors,
  );
  (turned.adapter as LoraAdapter).dispose();
  turned.dispose();
});

test("weights that changed after a merge are not put back over", () => {
  const model = new Transformer(llama(SIZES), 1);
  const [one, two] = [1, 2].map((seed) => LoraAdapter.start(model, {}, { seed }));
  const undoOne = mergeAdapter(model, one!);
  const undoTwo = mergeAdapter(model, two!);
  expect(undoOne).toThrow(
    "unmerge: decoder/0/self/query/weight must be what the merge made of it, got other values; undo what was done after the merge first, the last one first",
  );
  undoTwo();
  undoOne();
  expect(undoOne).toThrow("got other values");
  one!.dispose();
  two!.dispose();
  model.dispose();
});

describe("refuses by name, with nothing leaked:", () => {
  const good = peft("llama");
  const tensors = decodeSafetensors(new Uint8Array(Buffer.from(good.weights, "base64"))).tensors;
  const A = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
  const F32 = (...shape: number[]) => ({
    dtype: "F32" as const,
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  });
  const { [A]: _, ...withoutA } = tensors;

  test.each([
    [
      { use_dora: true },
      "adapter_config.json: use_dora must be false, got true; heed does not compute this model",
    ],
    [{ bias: "all" }, 'bias must be "none", got "all"'],
    [{ modules_to_save: ["lm_head"] }, 'modules_to_save must be left out, got ["lm_head"]'],
    [{ rank_pattern: { q_proj: 3 } }, "rank_pattern must be left out"],
    [{ init_lora_weights: "pissa" }, 'init_lora_weights must leave the base as it is, got "pissa"'],
    [{ peft_type: "IA3" }, 'peft_type must be "LORA", got "IA3"'],
    [{ peft_type: undefined }, "peft_type must be"],
    [{ r: 0 }, "r must be a whole number from 1, got 0"],
    [{ lora_dropout: 1 }, "lora_dropout must be a number from 0 to below 1, got 1"],
  ])("%o", async (entries, message) => {
    await refused({ ...good.config, ...entries }, tensors, message);
  });

  test.each<[string, Record<string, object>, string]>([
    ["another rank", { ...tensors, [A]: F32(3, 12) }, `${A} must have shape [2, 12], got [3, 12]`],
    ["half a pair", withoutA, "layers.0.self_attn.q_proj must have lora_A and lora_B, got base_model"],
    [
      "a table",
      { ...tensors, "base_model.model.model.embed_tokens.lora_embedding_A": F32(2, 13) },
      "lora_embedding_A;",
    ],
    [
      "another model's module",
      { ...tensors, "base_model.model.model.layers.7.mlp.up_proj.lora_A.weight": F32(2, 12) },
      "every module of the adapter must be one of the model, got model.layers.7.mlp.up_proj",
    ],
    ["nothing", {}, "an adapter must hold a pair of matrices, got no tensor"],
  ])("%s", async (_title, given, message) => {
    await refused(good.config, given, message);
  });

  async function refused(config: Record<string, unknown>, given: object, message: string): Promise<void> {
    const base = fixture("llama");
    const model = await loaded(base);
    const count = tf.memory().numTensors;
    const checkpoint: Checkpoint = await openCheckpoint(memoryBytes(encodeSafetensors(given as never)));
    await expect(LoraAdapter.read(checkpoint, config, model, base.config)).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(count);
    model.dispose();
  }

  test("targets and options", () => {
    const model = new Transformer(llama(SIZES), 1);
    expect(() => LoraAdapter.start(model, {}, { targets: ["lm_head"] })).toThrow(
      "LoraAdapter.start: a target must be a linear map of the model, such as q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, got lm_head; choose among them",
    );
    expect(() => LoraAdapter.start(model, {}, { r: 0 })).toThrow("r must be a whole number from 1, got 0");
    expect(() => LoraAdapter.start(model, {}, { alpha: -1 })).toThrow(
      "alpha must be a number above 0, got -1",
    );
    model.dispose();
  });
});
