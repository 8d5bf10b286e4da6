import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import * as core from "../../src/core/index.ts";
import * as heed from "../../src/index.ts";
import * as layers from "../../src/layers/index.ts";
import * as models from "../../src/models/index.ts";
import { Parameters } from "../../src/models/parameters.ts";
import * as onnx from "../../src/onnx/index.ts";
import * as ops from "../../src/ops/index.ts";
import * as tasks from "../../src/tasks/index.ts";
import * as train from "../../src/train/index.ts";

/** The tables of the README that say what things of other libraries are called here. */
const root = path.resolve(import.meta.dirname, "../..");
const readme = readFileSync(path.join(root, "README.md"), "utf8");

/** The rows below a header: their cells. */
function rowsBelow(header: RegExp): string[][] {
  const from = readme.split("\n").findIndex((line) => header.test(line));
  expect(from, String(header)).toBeGreaterThan(0);
  const lines = readme.split("\n").slice(from + 2);
  return lines
    .slice(
      0,
      lines.findIndex((line) => !line.startsWith("|")),
    )
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const codes = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

test("every name of heed in the table of Keras and PyTorch is published", () => {
  const published = { ...core, ...ops, ...layers, ...models, ...onnx, ...tasks, ...heed };
  const rows = rowsBelow(/^\| There +\| Here/);
  const names = rows
    .flatMap(([, here]) => codes(here!))
    .filter((code) => !/^(true|0|heed\/\w+|false)$/.test(code))
    .flatMap((code) =>
      [...code.matchAll(/\b([a-z]\w+)(?=\()|^(\w+)$/gi)].map(([, call, name]) => call ?? name!),
    );
  expect(names).toEqual(expect.arrayContaining(["multiHeadAttention", "fromTorchEncoderLayer", "fromHF"]));
  const isMethod = (name: string) =>
    name in layers.MultiHeadAttention.prototype || name in Parameters.prototype;
  expect(names.filter((name) => !(name in published) && !isMethod(name))).toEqual([]);
  const keras = codes(rows[0]![0]!).map((code) => code.split(".").at(-1)!);
  expect(keras.filter((name) => !(name in layers))).toEqual([]);
});

test("every name of heed in the table of transformers.js is published", () => {
  const published = { ...models, ...tasks, ...train };
  // The first table of that header is the one of Keras and PyTorch.
  const text = readme.slice(readme.indexOf("## Coming from transformers.js"));
  const rows = text
    .slice(0, text.indexOf("\n## "))
    .split("\n")
    .filter((line) => line.startsWith("| "));
  const names = rows.slice(2).flatMap((row) => {
    const here = row.split("|").at(-2)!;
    return codes(here).flatMap((code) => /^(?:(\w+)\.)?(\w+)(?:\(|$)/.exec(code)?.slice(1, 3) ?? []);
  });
  expect(names).toEqual(
    expect.arrayContaining(["loadModel", "loadEmbedder", "continueText", "trainOn", "look"]),
  );
  const isMethod = (name: string) => name in tasks.PretrainedModel.prototype;
  const known = (name: string | undefined) =>
    name === undefined || name === "model" || name in published || isMethod(name);
  expect(names.filter((name) => !known(name))).toEqual([]);
});

describe("the arguments of PyTorch's Transformer layers", () => {
  const rows = rowsBelow(/^\| PyTorch +\| heed/);
  /** Where each row leads: PyTorch's names, and heed's argument of the layer if there is one. */
  const meant = rows.map(([there, here]) => ({ there: codes(there!), here: codes(here!) }));

  test("are all there, by PyTorch's names", () => {
    const signature =
      "d_model nhead dim_feedforward dropout activation layer_norm_eps batch_first norm_first bias";
    const call = "src_mask is_causal tgt_is_causal tgt_mask memory_mask";
    const padding = "src_key_padding_mask tgt_key_padding_mask memory_key_padding_mask";
    expect(meant.flatMap(({ there }) => there)).toEqual(`${signature} ${call} ${padding}`.split(" "));
  });

  const VALUES: Record<string, unknown> = {
    numHeads: 3,
    intermediateDim: 7,
    dropout: 0.25,
    activation: "gelu",
    layerNormEpsilon: 1e-3,
    normalizeFirst: true,
    useBias: false,
    useCausalMask: true,
  };

  test("have heed's names, which the layers take", () => {
    const names = meant.map(({ here }) => here[0]!).filter((name) => name in VALUES);
    expect(names.toSorted()).toEqual(Object.keys(VALUES).toSorted());
    const args = VALUES as unknown as layers.TransformerEncoderLayerOptions;
    for (const Layer of [layers.TransformerEncoderLayer, layers.TransformerDecoderLayer])
      expect(new Layer(args).getConfig()).toMatchObject(VALUES);
  });

  test("have the defaults that the table says", () => {
    const args = { numHeads: 3, intermediateDim: 7 };
    const [encoder, decoder] = [layers.TransformerEncoderLayer, layers.TransformerDecoderLayer].map((Layer) =>
      new Layer(args).getConfig(),
    );
    expect(encoder).toMatchObject({
      dropout: 0,
      useCausalMask: false,
      activation: "relu",
      layerNormEpsilon: 1e-5,
    });
    expect(decoder).toMatchObject({ dropout: 0, useCausalMask: true });
    const words = meant.find(({ there }) => there[0] === "activation")!.here.slice(1);
    for (const word of words) new layers.TransformerEncoderLayer({ ...args, activation: JSON.parse(word) });
  });
});
