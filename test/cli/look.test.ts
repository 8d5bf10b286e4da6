import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../src/cli/program.ts";
import { importTrace, layerMap } from "../../src/inspect/index.ts";
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
