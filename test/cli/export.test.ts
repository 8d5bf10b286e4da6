import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { run } from "../../src/cli/program.ts";
import { MODEL_RECORD } from "../../src/data/locate-model.ts";
import { fixture } from "../models/transformer/fixture.ts";
import { sessionOf } from "../onnx/runtime.ts";
import { modelFolder } from "../tasks/pretrained/fixture.ts";
import { fakeIo } from "./fake-io.ts";

let work: string;
beforeAll(() => {
  work = mkdtempSync(path.join(tmpdir(), "heed-export-"));
});
afterAll(() => rmSync(work, { recursive: true }));

async function exported(name: string, ...args: string[]) {
  const folder = modelFolder(name);
  const out = path.join(work, name);
  const io = fakeIo();
  const code = await run(["export", folder, "--out", out, ...args], io);
  rmSync(path.dirname(folder), { recursive: true });
  return { code, out, said: io.out(), err: io.err() };
}

test("heed export writes a folder as transformers.js reads it", async () => {
  const { code, out, said } = await exported("bert");
  expect(code).toBe(0);
  expect(said).toBe(`${path.join(out, "onnx/model.onnx")}  0.0 MB\n`);
  expect(readdirSync(out).sort()).toEqual(["config.json", "onnx", "tokenizer.json"]);
  expect(readdirSync(path.join(out, "onnx"))).toEqual(["model.onnx"]);
});

test("a model that was fetched is exported by its name, with what stands beside it", async () => {
  const cache = path.join(work, "cache");
  const folder = path.join(cache, "heed/models/owner/name");
  const source = modelFolder("bert");
  cpSync(source, folder, { recursive: true });
  rmSync(path.dirname(source), { recursive: true });
  const record = { name: "owner/name", revision: "main", commit: "c", files: [] };
  writeFileSync(path.join(folder, MODEL_RECORD), JSON.stringify(record));
  vi.stubEnv("XDG_CACHE_HOME", cache);
  onTestFinished(() => void vi.unstubAllEnvs());
  const out = path.join(work, "by-name");
  const io = fakeIo();
  expect(await run(["export", "owner/name", "--out", out], io)).toBe(0);
  expect(io.err()).toBe("");
  expect(readdirSync(out).sort()).toEqual(["config.json", "onnx", "tokenizer.json"]);
});

test("images of a ViT go in as pixels and give the classes that transformers gives", async () => {
  const { out, said } = await exported("vit", "--json", "--attention", "plain");
  const file = path.join(out, "onnx/model.onnx");
  expect(JSON.parse(said)).toEqual({
    files: [{ file, bytes: readFileSync(file).length }],
    copied: ["config.json", "tokenizer.json"],
  });
  const { config, inputs, outputs } = fixture("vit");
  const [P, channels, side] = ["patch_size", "num_channels", "image_size"].map((key) => Number(config[key]));
  const [B, N, width] = inputs.patches!.shape as [number, number, number];
  const across = side! / P!;
  const pixels = new Float32Array(B * channels! * side! * side!);
  // A patch is channels · rows · columns; the patches of an image stand row by row.
  for (const [n, value] of inputs.patches!.values.entries()) {
    const [b, at, c] = [Math.floor(n / (N * width)), Math.floor(n / width) % N, n % width];
    const [channel, y, x] = [Math.floor(c / (P! * P!)), Math.floor(c / P!) % P!, c % P!];
    const [row, column] = [Math.floor(at / across) * P! + y, (at % across) * P! + x];
    pixels[((b * channels! + channel) * side! + row) * side! + column] = value;
  }
  const session = await sessionOf(readFileSync(file));
  const { logits } = await session.run({
    pixel_values: { shape: [B, channels!, side!, side!], values: pixels },
  });
  await session.release();
  for (const [n, value] of outputs.classes!.values.entries())
    expect(Math.abs(logits!.values[n]! - value)).toBeLessThan(1e-5);
});

test("a model with encoder and decoder becomes the two files of Optimum", async () => {
  const { code, out, err } = await exported("marian");
  expect(err).toBe("");
  expect(code).toBe(0);
  expect(readdirSync(path.join(out, "onnx")).sort()).toEqual([
    "decoder_model_merged.onnx",
    "encoder_model.onnx",
  ]);
});

test("what cannot be exported is one sentence, before anything is written", async () => {
  const io = fakeIo();
  const missing = path.join(work, "nothing");
  expect(await run(["export", missing, "--out", path.join(work, "out")], io)).toBe(2);
  expect(io.err()).toBe(
    `heed export: a model must be a folder, or a file of weights, got no such file for ${missing}; ` +
      'check the path; "heed models fetch OWNER/NAME" brings a model of the Hugging Face hub\n',
  );
  expect(existsSync(path.join(work, "out"))).toBe(false);
  const file = fakeIo();
  const folder = modelFolder("gpt2");
  expect(await run(["export", folder, "--out", path.join(folder, "config.json")], file)).toBe(2);
  rmSync(path.dirname(folder), { recursive: true });
  expect(file.err()).toMatch(/^heed export: .*config.json.onnx must be a folder that can be written, got /);
  const wrong = fakeIo();
  expect(await run(["export", missing, "--out", work, "--format", "keras"], wrong)).toBe(2);
  expect(wrong.err()).toContain('--format must be one of onnx, got "keras"');
});
