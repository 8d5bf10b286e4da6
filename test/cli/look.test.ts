import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { capture } from "../../src/capture/index.ts";
import { run } from "../../src/cli/program.ts";
import { encodeSafetensors } from "../../src/core/safetensors.ts";
import { importTrace, layerMap } from "../../src/inspect/index.ts";
import { loadModel } from "../../src/tasks/pretrained/index.ts";
import { encodePng } from "../../src/viz/png.ts";
import { fixture } from "../models/transformer/fixture.ts";
import { modelFolder } from "../tasks/pretrained/fixture.ts";
import { fakeIo } from "./fake-io.ts";

let folder: string;
beforeAll(() => {
  folder = modelFolder();
});
afterAll(() => rmSync(path.dirname(folder), { recursive: true }));

async function look(...args: string[]) {
  const io = fakeIo();
  const code = await run(["look", ...args], io);
  return { code, out: io.out(), err: io.err() };
}

test("heed look reads a text and lists the heads that are worth a look, with their maps", async () => {
  const { code, out } = await look(folder, "The", "cats", "sat.");
  expect(code).toBe(0);
  expect(out).toMatch(/^layer \d head \d +looks at .* \d+ % of its weight\n/);
  expect(out).toContain("7 output tokens over 7 input tokens");
  expect(out).toContain("##s");
});

test("--json has ids, tokens and the heads", async () => {
  const { out } = await look(folder, "--json", "the cat sat on the cat");
  const { ids, tokens, heads } = JSON.parse(out);
  expect(ids).toEqual([2, 4, 5, 6, 7, 4, 5, 3]);
  expect(tokens).toEqual(["[CLS]", "the", "cat", "sat", "on", "the", "cat", "[SEP]"]);
  for (const { layer, head, share, does } of heads) {
    expect([0, 1]).toContain(layer);
    expect([0, 1, 2]).toContain(head);
    expect(share).toBeGreaterThanOrEqual(0);
    expect(share).toBeLessThanOrEqual(1.000001);
    expect(does).toMatch(/^looks at /);
  }
});

test("--head L.H --json gives the weights that transformers has", async () => {
  const distilbert = modelFolder("distilbert", []);
  const { inputs, outputs } = fixture("distilbert");
  const [, T] = inputs.tokens!.shape as [number, number];
  const ids = inputs.tokens!.values.slice(0, T);
  const { out } = await look(distilbert, "--ids", ids.join(), "--head", "1.2", "--json");
  rmSync(path.dirname(distilbert), { recursive: true });
  const { tokens, layer, head, weights } = JSON.parse(out);
  expect([layer, head, tokens]).toEqual([1, 2, ids.map(String)]);
  // [B, H, T, T] of the second layer; the first example's third head.
  const expected = outputs.attentions![1]!.values.slice(2 * T * T, 3 * T * T);
  for (const [n, weight] of weights.flat().entries())
    expect(Math.abs(weight - expected[n]!)).toBeLessThan(1e-5);
});

test("--trace writes every head for the other commands", async () => {
  const file = path.join(path.dirname(folder), "cat.attn");
  const { code } = await look(folder, "--trace", file, "the cat");
  expect(code).toBe(0);
  const trace = importTrace(readFileSync(file));
  expect(trace.layers).toHaveLength(2);
  expect(layerMap(trace.layers[1]!).H).toBe(3);
  expect(trace.tokens.text).toEqual(["[CLS]", "the", "cat", "[SEP]"]);
});

test("what is wrong is said in one line, before anything is written", async () => {
  const refuses = async (message: string, ...args: string[]) => {
    const { code, out, err } = await look(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
    expect(err.trimEnd()).not.toContain("\n");
  };
  await refuses(
    "a model must be a folder, or a file of weights, got no such file for no-such",
    "no-such",
    "x",
  );
  await refuses('--head must be a layer below 2 and a head below 3, got "2.0"', folder, "--head", "2.0", "x");
  await refuses("--head must be a layer and a head with a dot between", folder, "--head", "3", "x");
  await refuses("--ids must be whole numbers between commas", folder, "--ids", "1,a");
  await refuses("--ids stand instead of text, got both", folder, "--ids", "1,2", "text");
  await refuses("an id must be an integer from 0 to 12, got 13", folder, "--ids", "2,13");
  await refuses(
    "a text must have at most the 11 tokens of the model, got 12",
    folder,
    "--ids",
    Array(12).fill(4).join(),
  );
  const trace = path.join(path.dirname(folder), "no-folder", "x.attn");
  await refuses("no folder", folder, "--trace", trace, "the");
  expect(existsSync(trace)).toBe(false);
  const without = modelFolder("bert", []);
  await refuses("reading text needs tokenizer.json, got none in the folder", without, "the");
  const config = path.join(without, "config.json");
  writeFileSync(config, JSON.stringify({ ...fixture("bert").config, model_type: "mamba" }));
  await refuses("model_type must be one of bert, roberta,", without, "--ids", "2");
  writeFileSync(config, JSON.stringify({ ...fixture("bert").config, hidden_act: "quick_gelu" }));
  await refuses("hidden_act must be one of relu, gelu, gelu_new", without, "--ids", "2");
  writeFileSync(config, JSON.stringify({ ...fixture("bert").config, hidden_size: 9 }));
  await refuses(
    "embeddings.word_embeddings.weight must have the 117 numbers of embedding/token",
    without,
    "--ids",
    "2",
  );
  writeFileSync(config, "[]");
  await refuses("config.json must be a JSON object, got another value", without, "--ids", "2");
  rmSync(config);
  await refuses("config.json must stand beside model.safetensors", without, "--ids", "2");
  rmSync(path.dirname(without), { recursive: true });
});

test.each([
  ...["albert", "distilbert", "roberta", "bert-classifier"],
  ...["gpt2", "llama", "mistral", "qwen2", "t5", "t5-gated", "marian"],
])("looks at a folder of %s as at any other", async (name) => {
  const folder = modelFolder(name);
  const { code, out, err } = await look(folder, "the cat sat on the mat", "--json");
  expect([code, err]).toEqual([0, ""]);
  const { heads, tokens } = JSON.parse(out);
  expect(heads.length).toBeGreaterThan(0);
  expect(tokens).toContain("cat");
  rmSync(path.dirname(folder), { recursive: true });
});

/** The small Vision Transformer with a third channel, which its weights leave out, and a picture of its size. */
function visionFolder(): { folder: string; picture: string; pixels: Uint8Array } {
  const folder = modelFolder("vit", []);
  const { config, state } = fixture("vit");
  const name = Object.keys(state).find((title) => title.endsWith("projection.weight"))!;
  const { shape, values } = state[name]!;
  const [O] = shape as [number];
  const wide = Array.from({ length: O }, (_, o) => [
    ...values.slice(18 * o, 18 * (o + 1)),
    ...Array(9).fill(0),
  ]);
  const all = { ...state, [name]: { shape: [O, 3, 3, 3], values: wide.flat() } };
  const tensors = Object.entries(all).map(([title, one]) => {
    return [title, { dtype: "F32", shape: one.shape, data: Float32Array.from(one.values) }] as const;
  });
  writeFileSync(path.join(folder, "model.safetensors"), encodeSafetensors(Object.fromEntries(tensors)));
  writeFileSync(path.join(folder, "config.json"), JSON.stringify({ ...config, num_channels: 3 }));
  const preprocessor = { image_mean: [0.5, 0.25, 0.5], image_std: [0.5, 0.125, 1], resample: 2 };
  writeFileSync(path.join(folder, "preprocessor_config.json"), JSON.stringify(preprocessor));
  const pixels = Uint8Array.from({ length: 6 * 6 * 3 }, (_, n) => (n * 37) % 256);
  const picture = path.join(folder, "six.png");
  writeFileSync(picture, encodePng({ height: 6, width: 6, channels: 3, data: pixels }));
  return { folder, picture, pixels };
}

test("a model of pictures looks at the file of one, normalised and cut as its files say", async () => {
  const { folder, picture, pixels } = visionFolder();
  const { code, out, err } = await look(folder, picture, "--head", "1.1", "--json");
  expect([code, err]).toEqual([0, ""]);
  const { tokens, weights } = JSON.parse(out);
  expect(tokens).toEqual(["[class]", "1:1", "1:2", "2:1", "2:2"]);
  // Patches by plain loops, for the model itself.
  const [mean, deviation] = [
    [0.5, 0.25, 0.5],
    [0.5, 0.125, 1],
  ];
  const value = (c: number, y: number, x: number) =>
    (pixels[(y * 6 + x) * 3 + c]! / 255 - mean[c]!) / deviation[c]!;
  const values = Array.from({ length: 4 * 27 }, (_, n) => {
    const [patch, c, at] = [Math.floor(n / 27), Math.floor((n % 27) / 9), n % 9];
    return value(c, 3 * Math.floor(patch / 2) + Math.floor(at / 3), 3 * (patch % 2) + (at % 3));
  });
  const { model } = await loadModel(folder);
  const trace = capture(() => model.encode({ tokens: tf.tensor3d(values, [1, 4, 27]) }), undefined);
  model.dispose();
  const map = layerMap(trace.layers[1]!);
  for (const [t, row] of weights.entries())
    for (const [s, weight] of row.entries()) expect(weight).toBeCloseTo(map.row(1, t).values[s]!, 5);

  const whole = JSON.parse((await look(folder, picture, "--json")).out);
  expect(whole).toMatchObject({ picture, tokens });
  for (const [args, sentence] of [
    [[], "heed look: a model of pictures reads the file of one, got none; name a PNG or JPEG file\n"],
    [
      ["--ids", "1"],
      "heed look: a model of pictures reads the file of one, got --ids; name a PNG or JPEG file\n",
    ],
  ] as const)
    expect(await look(folder, ...args)).toEqual({ code: 2, out: "", err: sentence });
  const missing = await look(folder, "no.png");
  expect([missing.code, missing.err.split("\n").length]).toEqual([2, 2]);
  rmSync(path.dirname(folder), { recursive: true });
});
