import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { expect, onTestFinished, test } from "vitest";
import { useHeedBackend } from "../../../src/host/select.ts";
import { LoraAdapter } from "../../../src/models/index.ts";
import { withClassifier } from "../../../src/models/transformer/classifier.ts";
import { fullConfig } from "../../../src/models/transformer/config.ts";
import { transformerParameters } from "../../../src/models/transformer/parameters.ts";
import { llama } from "../../../src/models/transformer/presets/llama.ts";
import { publishedNames } from "../../../src/models/transformer/published.ts";
import { Transformer } from "../../../src/models/transformer/transformer.ts";
import {
  loadAdapter,
  loadModel,
  writeAdapter,
  writePretrained,
} from "../../../src/tasks/pretrained/index.ts";
import { fixture } from "../../models/transformer/fixture.ts";
import { encodeGguf } from "../../support/gguf.ts";
import { modelFolder, writeModelFolder } from "./fixture.ts";

function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "heed-write-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a folder is written whole, with the tokenizer of where it came from, and loads as that did", async () => {
  const from = modelFolder("bert");
  const to = path.join(scratch(), "copy");
  const model = await loadModel(from);
  const shares: number[] = [];
  await writePretrained(to, model, { from, onProgress: (share) => shares.push(share) });
  expect(readdirSync(to).toSorted()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
  expect(shares.at(-1)).toBe(1);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  const again = await loadModel(to);
  const { ids } = again.encode("the cat sat");
  expect(again.states(ids).dataSync()).toEqual(model.states(ids).dataSync());
  expect(again.config).toEqual({
    ...model.config,
    architectures: ["BertForMaskedLM"],
    torch_dtype: "float32",
  });
  again.dispose();
  // Over itself, twice the same.
  const bytes = readFileSync(path.join(to, "model.safetensors"));
  await writePretrained(to, model, { from: to });
  expect(readFileSync(path.join(to, "model.safetensors"))).toEqual(bytes);
  expect(existsSync(path.join(to, "tokenizer.json"))).toBe(true);
  model.dispose();
});

test("a run that is stopped, or a number that is lost, leaves what was there", async () => {
  const from = modelFolder("bert");
  const model = await loadModel(from);
  const place = scratch();
  const stop = new AbortController();
  const onProgress = (share: number) => share > 0.3 && stop.abort();
  await expect(
    writePretrained(path.join(place, "new"), model, { onProgress, signal: stop.signal }),
  ).rejects.toThrow("aborted");
  expect(readdirSync(place)).toEqual([]);
  writeFileSync(path.join(place, "config.json"), "old");
  const gamma = model.model.parameters.variables["encoder/1/feed/norm/gamma"]!;
  gamma.assign(tf.fill(gamma.shape, 1e6));
  await expect(writePretrained(place, model, { dtype: "F16" })).rejects.toThrow("F16 must hold every number");
  expect(readdirSync(place)).toEqual(["config.json"]);
  expect(readFileSync(path.join(place, "config.json"), "utf8")).toBe("old");
  await expect(writePretrained(path.join(place, "config.json"), model)).rejects.toThrow(
    "config.json must be a folder that can be written",
  );
  await expect(
    writePretrained(path.join(place, "a"), model, { from: path.join(place, "none") }),
  ).rejects.toThrow("openModel: a model must be a folder, or a file of weights");
  expect(readdirSync(place)).toEqual(["config.json"]);
  model.dispose();
});

test("a GGUF file becomes a Llama's folder, with the tokenizer that was within it", async () => {
  const place = scratch();
  const file = path.join(place, "small.gguf");
  const { metadata: tokenizer } = JSON.parse(
    readFileSync(path.resolve(import.meta.dirname, "../../fixtures/tokenizers/smollm.json"), "utf8"),
  ) as { metadata: Record<string, string[]> };
  const vocabulary = tokenizer["tokenizer.ggml.tokens"]!.length;
  const sizes = { layers: 2, width: 12, heads: 3, keyValueHeads: 1, inner: 7, vocabulary, tied: true };
  const config = llama({ ...sizes, ropeBase: 100, epsilon: 1e-5 });
  const specs = transformerParameters(fullConfig(config));
  const made = new Transformer(config, 1);
  const tensors = Object.fromEntries(
    Object.entries(publishedNames(GGUF_NAMES, specs)).map(([parameter, name]) => {
      const { shape } = specs[parameter]!;
      return [name, { shape, values: made.parameters.variables[parameter]!.dataSync() as Float32Array }];
    }),
  );
  made.dispose();
  writeFileSync(file, encodeGguf({ ...LLAMA_METADATA, ...tokenizer }, tensors));
  const model = await loadModel(file);
  const to = path.join(place, "folder");
  await writePretrained(to, model, { from: file });
  expect(readdirSync(to).toSorted()).toEqual([
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
  expect(JSON.parse(readFileSync(path.join(to, "config.json"), "utf8"))).toMatchObject({
    ...{ model_type: "llama", architectures: ["LlamaForCausalLM"], max_position_embeddings: 77 },
    ...{ rope_theta: 100, tie_word_embeddings: true, num_key_value_heads: 1, attention_bias: false },
  });
  const written = JSON.parse(readFileSync(path.join(to, "tokenizer.json"), "utf8"));
  expect(written.added_tokens[0]).toMatchObject({ single_word: false, lstrip: false, rstrip: false });
  expect(written.model.merges[0]).toMatch(/^\S+ \S+$/);
  const again = await loadModel(to);
  const text = "Hello  world, 3 times!";
  const { ids } = model.encode(text);
  expect(again.encode(text)).toEqual(model.encode(text));
  const [here, there] = [model, again].map((one) => one.states(ids).dataSync());
  // Norms make states of about 1; a score's four products are summed in another order.
  for (const [n, state] of here!.entries()) expect(Math.abs(state - there![n]!)).toBeLessThan(1e-5);
  model.dispose();
  again.dispose();
});

const LLAMA_METADATA = {
  ...{ "general.architecture": "llama", "llama.block_count": 2, "llama.embedding_length": 12 },
  ...{ "llama.attention.head_count": 3, "llama.attention.head_count_kv": 1, "llama.feed_forward_length": 7 },
  ...{ "llama.rope.freq_base": 100, "llama.context_length": 77 },
};
const GGUF_NAMES = {
  "embedding/token": "token_embd.weight",
  "decoder/#/self/query": "blk.#.attn_q",
  "decoder/#/self/key": "blk.#.attn_k",
  "decoder/#/self/value": "blk.#.attn_v",
  "decoder/#/self/output": "blk.#.attn_output",
  "decoder/#/self/norm": "blk.#.attn_norm",
  "decoder/#/feed/gate": "blk.#.ffn_gate",
  "decoder/#/feed/in": "blk.#.ffn_up",
  "decoder/#/feed/out": "blk.#.ffn_down",
  "decoder/#/feed/norm": "blk.#.ffn_norm",
  "decoder/norm": "output_norm",
};

test("an adapter is written and read beside the base that it was begun on", async () => {
  const folder = path.join(scratch(), "adapter");
  const base = await loadModel(modelFolder("bert"));
  const adapter = LoraAdapter.start(base.model, base.config, { r: 2, seed: 5 });
  for (const { b } of adapter.pairs) b.assign(tf.randomNormal(b.shape, 0, 1, "float32", 3));
  writeAdapter(folder, adapter, { base: "my-base" });
  expect(readdirSync(folder).toSorted()).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
  const again = await loadAdapter(folder, base);
  expect(again.config).toEqual(adapter.config);
  for (const [name, variable] of Object.entries(adapter.variables))
    expect(again.variables[name]!.dataSync()).toEqual(variable.dataSync());
  await expect(loadAdapter(path.dirname(folder), base)).rejects.toThrow(
    `loadAdapter: an adapter's folder must have adapter_config.json and adapter_model.safetensors or adapter_model.bin, got no adapter_config.json in ${path.dirname(folder)}; check the folder's name`,
  );
  adapter.dispose();
  again.dispose();
  base.dispose();
});

const python = process.env.HEED_TORCH_PYTHON ?? process.env.HEED_PYTHON ?? "python3";
const check = "import torch, transformers; assert transformers.__version__ == '4.42.4'";
const { status } = spawnSync(python, ["-c", check], { stdio: "ignore" });
const why =
  status === 0
    ? ""
    : ` (skipped: ${python} has no torch and transformers 4.42.4; set HEED_TORCH_PYTHON to one that has)`;

/** Loads each folder by the class that its config.json names, and prints what it computes as JSON. */
const LOADS = `
import json, sys, torch, transformers
from pathlib import Path
out = {}
for folder in map(Path, sys.argv[1:]):
    config = json.loads((folder / "config.json").read_text())
    inputs = json.loads((folder / "inputs.json").read_text())
    make = getattr(transformers, config["architectures"][0])
    model, info = make.from_pretrained(folder, output_loading_info=True)
    assert not info["mismatched_keys"] and not info["error_msgs"], info
    missing = [key for key in info["missing_keys"] if "embed_positions" not in key and "pooler" not in key]
    assert not missing, missing
    given = {key: torch.tensor(value["values"]).reshape(value["shape"]) for key, value in inputs.items()}
    with torch.no_grad():
        result = model.eval()(**given)
    out[folder.name] = (result.logits if "logits" in result else result.last_hidden_state).flatten().tolist()
print(json.dumps(out))
`;

const MODELS = {
  ...{ albert: "logits", bert: "logits", "bert-classifier": "classes", distilbert: "logits" },
  ...{
    "distilbert-classifier": "classes",
    gpt2: "logits",
    llama: "logits",
    marian: "logits",
    mistral: "logits",
  },
  ...{
    qwen2: "logits",
    roberta: "states",
    "roberta-classifier": "classes",
    t5: "logits",
    "t5-gated": "logits",
  },
  vit: "classes",
} as const;

test.skipIf(status !== 0)(
  `transformers loads the folder of every architecture and computes what it computed before${why}`,
  async () => {
    await useHeedBackend();
    const place = scratch();
    const wanted: Record<string, number[]> = {};
    for (const [name, output] of Object.entries(MODELS)) {
      const from = path.join(place, "from", name);
      writeModelFolder(from, name, []);
      const model = await loadModel(from);
      const to = path.join(place, name);
      await writePretrained(to, model, { from });
      model.dispose();
      const { inputs, outputs } = fixture(name);
      writeFileSync(path.join(to, "inputs.json"), JSON.stringify(inputsOf(inputs)));
      wanted[name] = outputs[output]!.values;
    }
    // The classifier is new here, and DistilBERT's has another activation: transformers must agree with heed.
    for (const name of ["bert", "distilbert"]) {
      const title = `${name}-made-a-classifier`;
      const loaded = await loadModel(path.join(place, "from", name));
      const model = withClassifier(loaded.model, 3, 1);
      const to = path.join(place, title);
      await writePretrained(to, { model, config: loaded.config });
      const tokens = tf.tensor2d([[3, 1, 4, 1, 5]], [1, 5], "int32");
      wanted[title] = [...model.classLogits(model.encode({ tokens })).dataSync()];
      const inputs = { input_ids: { shape: [1, 5], values: [3, 1, 4, 1, 5] } };
      writeFileSync(path.join(to, "inputs.json"), JSON.stringify(inputs));
      model.dispose();
    }
    const folders = Object.keys(wanted).map((name) => path.join(place, name));
    const printed = execFileSync(python, ["-c", LOADS, ...folders], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const got = JSON.parse(printed) as Record<string, number[]>;
    for (const [name, values] of Object.entries(wanted)) {
      expect([name, got[name]!.length]).toEqual([name, values.length]);
      // The fixtures have seven digits.
      const off = values.map((value, n) => Math.abs(value - got[name]![n]!) / Math.max(1, Math.abs(value)));
      expect([name, Math.max(...off) < 2e-6]).toEqual([name, true]);
    }
  },
  600_000,
);

const peft = spawnSync(python, ["-c", "import torch, transformers, peft"], { stdio: "ignore" }).status === 0;
const whyNot = peft
  ? ""
  : ` (skipped: ${python} has no torch, transformers and peft; set HEED_TORCH_PYTHON to one that has)`;

const ADAPTED = `
import json, sys, torch, transformers
from peft import PeftModel
out = []
for make, base, adapter in (("LlamaForCausalLM", *sys.argv[1:3]), ("GPT2LMHeadModel", *sys.argv[3:5])):
    model = PeftModel.from_pretrained(getattr(transformers, make).from_pretrained(base), adapter).eval()
    with torch.no_grad():
        out.append(model(input_ids=torch.tensor([[3, 1, 4, 1, 5]])).logits.flatten().tolist())
print(json.dumps(out))
`;

test.skipIf(!peft)(
  `PEFT loads the adapters that are written here and computes what they compute here${whyNot}`,
  async () => {
    const place = scratch();
    const [wanted, folders]: [number[][], string[]] = [[], []];
    const targets = { llama: ["q_proj", "down_proj"], gpt2: ["c_attn", "c_fc"] };
    for (const [name, chosen] of Object.entries(targets)) {
      const made = path.join(place, "made", name);
      writeModelFolder(made, name, []);
      const base = await loadModel(made);
      const from = path.join(place, name);
      await writePretrained(from, base);
      const adapter = LoraAdapter.start(base.model, base.config, { r: 2, rslora: true, targets: chosen });
      for (const { b } of adapter.pairs) b.assign(tf.randomNormal(b.shape, 0, 0.3, "float32", 3));
      writeAdapter(path.join(place, `${name}-adapter`), adapter, { base: from });
      const plain = tf.tidy(() => base.model.logits(base.states([3, 1, 4, 1, 5])).dataSync());
      base.model.adapter = adapter;
      const adapted = tf.tidy(() => base.model.logits(base.states([3, 1, 4, 1, 5])).dataSync());
      expect(Math.max(...plain.map((value, n) => Math.abs(value - adapted[n]!)))).toBeGreaterThan(0.1);
      wanted.push([...adapted]);
      folders.push(from, path.join(place, `${name}-adapter`));
      adapter.dispose();
      base.dispose();
    }
    const printed = execFileSync(python, ["-c", ADAPTED, ...folders], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const got = JSON.parse(printed) as number[][];
    for (const [n, values] of wanted.entries()) {
      expect(got[n]!.length).toBe(values.length);
      for (const [at, value] of values.entries()) expect(Math.abs(value - got[n]![at]!)).toBeLessThan(1e-5);
    }
  },
  600_000,
);

/** A fixture's inputs by the names that transformers has for them. */
function inputsOf(inputs: ReturnType<typeof fixture>["inputs"]): Record<string, unknown> {
  const { tokens, patches, types, lengths, targets, ...others } = inputs as Record<
    string,
    { shape: number[]; values: number[] }
  > & {
    lengths?: number[];
  };
  const named: Record<string, unknown> = { ...others };
  if (tokens) named.input_ids = tokens;
  if (types) named.token_type_ids = types;
  if (lengths) {
    const [B, T] = tokens!.shape as [number, number];
    const values = Array.from({ length: B * T }, (_, at) => (at % T < lengths[Math.floor(at / T)]! ? 1 : 0));
    named.attention_mask = { shape: [B, T], values };
  }
  if (targets) named.decoder_input_ids = targets;
  if (patches) named.pixel_values = pixelsOf(patches);
  return named;
}

/** Patches [B, 2·2, 2·3·3] back as pictures [B, 2, 6, 6]. */
function pixelsOf({ values }: { values: number[] }): { shape: number[]; values: number[] } {
  const B = values.length / 72;
  const out = new Array<number>(values.length);
  for (const [at, value] of values.entries()) {
    const [b, patch, channel] = [Math.floor(at / 72), Math.floor((at % 72) / 18), Math.floor((at % 18) / 9)];
    const [row, column] = [Math.floor((at % 9) / 3), at % 3];
    const [y, x] = [3 * Math.floor(patch / 2) + row, 3 * (patch % 2) + column];
    out[((b * 2 + channel) * 6 + y) * 6 + x] = value;
  }
  return { shape: [B, 2, 6, 6], values: out };
}
