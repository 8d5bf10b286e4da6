/** A step of a decoder as one kernel gives, bit for bit, what its layers give one after another. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers TensorFlow.js' gradients
import { beforeAll, describe, expect, test } from "vitest";
import { BLOCKS } from "../../../src/checkpoints/gguf-blocks.ts";
import { HALF } from "../../../src/core/half.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import { watchKernels } from "../../../src/host/watch-kernels.ts";
import { PACKED_TYPES, packBlocks } from "../../../src/kernels/quantized/pack.ts";
import { type ParameterSpec, Parameters } from "../../../src/models/parameters.ts";
import { fullConfig } from "../../../src/models/transformer/config.ts";
import {
  gpt2,
  KeyValueCache,
  llama,
  Transformer,
  type TransformerConfig,
  transformerParameters,
  vaswani,
} from "../../../src/models/transformer/index.ts";
import { attentionCalls } from "../../../src/ops/attention/observe.ts";

beforeAll(useHeedBackend);

const KERNEL = "HeedDecoderStep";
const V = 17;
const SIZES = { layers: 2, width: 12, heads: 3, inner: 7, vocabulary: V };
const base = llama({ ...SIZES, keyValueHeads: 1 });
const rope = { kind: "rope", base: 1000 } as const;

const CONFIGS: Record<string, TransformerConfig> = {
  "grouped heads, rotary halves, gated SiLU": base,
  "a head for each query, neighbours of a part of each head, biases": {
    ...llama({ ...SIZES, attentionBias: true }),
    ...{ outputBias: true, innerBias: true, positions: { ...rope, width: 2, pairs: "interleaved" } },
  },
  "layer norm, learned positions, GELU by tanh": gpt2({ ...SIZES, positions: 32, dropout: 0 }),
  "norms after sublayers, sinusoids, ReLU": {
    ...{ ...base, norm: "layer", preNorm: false, activation: "relu", gated: false },
    positions: { kind: "sinusoidal", order: "interleaved" },
  },
  "gated exact GELU, layers that share weights, no positions": {
    ...{ ...base, activation: "gelu", layerGroups: 1, positions: { kind: "none" }, finalNorm: false },
  },
  "gated ReLU, wide heads, a window that is a ring": {
    ...{ ...base, activation: "relu", headWidth: 6, keyValueHeads: 3, window: 3 },
  },
};

const tokens = (rows: number[][]) => tf.tensor2d(rows, [rows.length, rows[0]!.length], "int32");
const text = (seed: number, length: number) =>
  Array.from({ length }, (_, n) => (seed * 7 + n * n * 5 + n) % V);

interface Given {
  readonly prompts: number[][];
  readonly lengths?: number[];
  readonly capacity?: number;
}

/** The states of five steps after a prompt, the layers one by one where somebody looks, and how often the kernel ran. */
function stepsOf(model: Transformer, { prompts, lengths, capacity }: Given, isWatched: boolean) {
  let kernels = 0;
  const states: number[][] = [];
  const cache = new KeyValueCache(model, {
    examples: prompts.length,
    ...(capacity !== undefined && { capacity }),
  });
  const run = () =>
    watchKernels(
      () =>
        tf.tidy(() => {
          model.decode({ tokens: tokens(prompts), ...(lengths && { lengths }) }, { cache });
          for (let n = 0; n < 5; n++) {
            const next = tokens(prompts.map((_, b) => [(n * 5 + b * 3 + 1) % V]));
            states.push([...model.decode({ tokens: next }, { cache }).dataSync()]);
          }
        }),
      ({ name }) => {
        if (name === KERNEL) kernels++;
      },
    );
  if (isWatched) attentionCalls.during(() => {}, run);
  else run();
  cache.dispose();
  return { states, kernels };
}

function expectSame(model: Transformer, given: Given): void {
  const { numTensors } = tf.memory();
  const [whole, layers] = [stepsOf(model, given, false), stepsOf(model, given, true)];
  expect([whole.kernels, layers.kernels]).toEqual([5, 0]);
  expect(whole.states.flat().every(Number.isFinite)).toBe(true);
  expect(whole.states).toEqual(layers.states);
  expect(tf.memory().numTensors).toBe(numTensors);
}

describe.each(Object.entries(CONFIGS))("%s", (_, config) => {
  test.each([
    ["one text", { prompts: [text(1, 4)] }],
    ["texts of different lengths", { prompts: [text(1, 4), text(2, 4), text(3, 4)], lengths: [4, 1, 3] }],
    ["a cache of its own size", { prompts: [text(4, 5), text(5, 5)], capacity: 11 }],
  ] as [string, Given][])("%s", (_, given) => {
    const model = new Transformer(config, 5);
    expectSame(model, given);
    model.dispose();
  });
});

const random = new RandomStream(7);

/** A matrix in some form, of random weights of about 0.05. */
function packed(type: string, [O, I]: readonly [number, number]) {
  if (type === "Float16" || type === "Bfloat16") {
    const values = Float32Array.from({ length: O * I }, () => 0.05 * random.normal());
    const bits = HALF[type === "Float16" ? "float16" : "bfloat16"].encode(values);
    return { form: type, words: new Int32Array(bits.buffer) } as const;
  }
  const { values, bytes } = BLOCKS[type]!;
  const all = Uint8Array.from({ length: ((O * I) / values) * bytes }, () => random.uniform() * 256);
  const view = new DataView(all.buffer);
  const [d, m] = HALF.float16.encode(Float32Array.of(type.endsWith("K") ? 2e-4 : 2e-3, -0.02));
  for (let at = 0; at < all.length; at += bytes) {
    view.setUint16(type === "Q6_K" ? at + 208 : at, d!, true);
    if (/_1$|[45]_K$/.test(type)) view.setUint16(at + 2, m!, true);
  }
  return packBlocks(type, all, [O, I])!;
}

const PACKABLE = llama({
  layers: 1,
  width: 256,
  heads: 4,
  keyValueHeads: 2,
  inner: 256,
  vocabulary: V,
  tied: true,
});

/** PACKABLE with matrices of these types in turn. */
function stored(types: readonly string[], config = PACKABLE): Promise<Transformer> {
  let n = 0;
  const read = async (_: string, { shape }: ParameterSpec) => {
    if (shape.length === 2) return packed(types[n++ % types.length]!, shape as [number, number]);
    return Float32Array.from({ length: shape[0]! }, () => 1 + 0.1 * random.normal());
  };
  return Parameters.read(transformerParameters(fullConfig(config)), read).then(
    (parameters) => new Transformer(config, parameters),
  );
}

const FORMS = [...PACKED_TYPES, "Float16", "Bfloat16"];

describe("stored weights", () => {
  test.each([...FORMS.map((type) => [type]), ["Q4_1", "Q8_0", "Q4_K", "Float16", "Q6_K"]])(
    "%s",
    async (...types) => {
      const model = await stored(types.filter((type) => typeof type === "string"));
      expectSame(model, { prompts: [text(1, 2)] });
      expectSame(model, { prompts: [text(1, 3), text(2, 3)], lengths: [3, 1] });
      model.dispose();
    },
  );

  test("of more texts than products are made one by one for go through the layers", async () => {
    const model = await stored(["Q4_0"]);
    const prompts = Array.from({ length: 7 }, (_, b) => text(b, 2));
    expect(stepsOf(model, { prompts }, false).kernels).toBe(0);
    expectSame(model, { prompts: prompts.slice(1) });
    model.dispose();
  });
});

test("what is not finite in one text stays there", () => {
  const model = new Transformer(base, 5);
  const table = model.parameters.variables["embedding/token"]!;
  // Token 1 is the first that the first text goes on with.
  const odd = table.arraySync() as number[][];
  odd[1]!.fill(Number.NaN);
  tf.tidy(() => table.assign(tf.tensor2d(odd)));
  const prompts = [text(1, 3), text(2, 3)].map((row) => row.map((id) => (id === 1 ? 0 : id)));
  const { states, kernels } = stepsOf(model, { prompts }, false);
  const alone = stepsOf(model, { prompts }, true);
  expect(kernels).toBe(5);
  expect(states[0]!.slice(0, 12).every(Number.isNaN)).toBe(true);
  expect(states.map((row) => row.slice(12))).toEqual(alone.states.map((row) => row.slice(12)));
  expect(states[0]!.slice(12).every(Number.isFinite)).toBe(true);
  model.dispose();
});

test("a step for which the cache has no room moves rows as before, and those after it go on", () => {
  const model = new Transformer(base, 5);
  const prompts = [text(1, 63)];
  const [whole, layers] = [stepsOf(model, { prompts }, false), stepsOf(model, { prompts }, true)];
  expect(whole.kernels).toBe(4);
  expect(whole.states).toEqual(layers.states);
  model.dispose();
});

/** Kernels of that name in a step after a prompt. */
function countIn(model: Transformer, options: object, memory?: tf.Tensor3D): number {
  let kernels = 0;
  const cache = new KeyValueCache(model);
  const of = memory && { memory };
  tf.tidy(() => {
    model.decode({ tokens: tokens([[3, 5]]) }, { cache, ...of });
    const step = () => model.decode({ tokens: tokens([[4]]) }, { cache, ...of, ...options });
    watchKernels(step, ({ name }) => {
      if (name === KERNEL) kernels++;
    });
  });
  cache.dispose();
  return kernels;
}

test("dropout, adapters, hypotheses, biases of scores and memories go through the layers", () => {
  const plain = new Transformer(base, 5);
  expect(countIn(plain, {})).toBe(1);
  expect(countIn(plain, { parents: [-1] })).toBe(0);
  plain.adapter = { pass: () => (_, __, y) => tf.clone(y) };
  expect(countIn(plain, {})).toBe(0);
  plain.dispose();
  const dropping = new Transformer({ ...base, dropout: 0.1 }, 5);
  expect([countIn(dropping, {}), countIn(dropping, { dropoutSeed: 3 })]).toEqual([1, 0]);
  dropping.dispose();
  for (const positions of [{ kind: "alibi" }, { kind: "t5", buckets: 8, maxDistance: 5 }] as const) {
    const biased = new Transformer({ ...base, positions }, 5);
    expect(countIn(biased, {})).toBe(0);
    biased.dispose();
  }
  const { layers, ...sizes } = SIZES;
  const both = new Transformer(vaswani({ ...sizes, encoderLayers: 1, decoderLayers: layers, dropout: 0 }), 5);
  const memory = both.encode({ tokens: tokens([[3, 1, 4]]) });
  expect(countIn(both, {}, memory)).toBe(0);
  memory.dispose();
  both.dispose();
});
