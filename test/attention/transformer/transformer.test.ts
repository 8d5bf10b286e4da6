import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type DecoderCache,
  fromTorchDecoderLayer,
  fromTorchEncoderLayer,
  type TransformerDecoderParameters,
  type TransformerEncoderParameters,
  transformerDecoderLayer,
  transformerEncoderLayer,
} from "../../../src/attention/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/index.ts";
import {
  type FixtureArray,
  type FixtureArrays,
  fixture,
  GRADIENTS,
  OUTPUTS,
  toTensor,
} from "../../layers/fixture.ts";
import { distance, onEveryBackend, random, tensor } from "../support.ts";

interface TorchCase {
  title: string;
  state: FixtureArrays;
  inputs: FixtureArray[];
  masks: FixtureArrays;
  dout: FixtureArray;
  output: FixtureArray;
  gradients: FixtureArrays;
}

/** What the cases of tools/fixtures/layers.py were made with. */
const ENCODERS = [
  [2, {}],
  [3, { preNorm: true, activation: "gelu", epsilon: 1e-3 }],
  [2, {}],
] as const;
const DECODERS = [
  [2, {}],
  [3, { preNorm: true, activation: "gelu" }],
] as const;
const encoders = fixture<TorchCase[]>("torch-encoder").map(
  (given, n) => [given.title, { ...given, made: ENCODERS[n]! }] as const,
);
const decoders = fixture<TorchCase[]>("torch-decoder").map(
  (given, n) => [given.title, { ...given, made: DECODERS[n]! }] as const,
);

/** PyTorch's padding says what is hidden. */
function shown(padding: FixtureArray | undefined) {
  return padding
    ? { allow: tf.expandDims(tf.expandDims(tf.logicalNot(toTensor(padding, "bool")), 1), 1) }
    : {};
}

/** Output and gradients of a block of PyTorch's own tensors. */
function expectTorch(
  given: TorchCase,
  run: (state: Record<string, tf.Tensor>, inputs: tf.Tensor[]) => tf.Tensor,
) {
  const names = Object.keys(given.state);
  const inputs = given.inputs.map((array) => toTensor(array));
  const state = names.map((name) => toTensor(given.state[name]!));
  const call = (...tensors: tf.Tensor[]) =>
    run(
      Object.fromEntries(names.map((name, n) => [name, tensors[inputs.length + n]!])),
      tensors.slice(0, inputs.length),
    );
  const output = call(...inputs, ...state);
  expect(distance(output.dataSync(), given.output.values)).toBeLessThanOrEqual(OUTPUTS);
  const gradients = tf.grads(call)([...inputs, ...state], toTensor(given.dout));
  [...["x", "memory"].slice(0, inputs.length), ...names].forEach((name, n) => {
    const expected = given.gradients[name]!.values;
    const size = Math.max(1, ...expected.map(Math.abs));
    expect(distance(gradients[n]!.dataSync(), expected), name).toBeLessThanOrEqual(GRADIENTS * size);
  });
}

const weights = (seed: number, ...shape: number[]) => tf.mul(tensor(random(seed, shape)), 0.4);
function attention(seed: number, C: number, H: number, D: number, Cm = C) {
  const w = (n: number, ...shape: number[]) => weights(seed + n, ...shape) as never;
  return {
    ...{ wq: w(0, C, H, D), bq: w(1, H, D), wk: w(2, Cm, H, D), bk: w(3, H, D) },
    ...{ wv: w(4, Cm, H, D), bv: w(5, H, D), wo: w(6, H, D, C), bo: w(7, C) },
  };
}
function rest(seed: number, C: number, F: number) {
  const w = (n: number, ...shape: number[]) => weights(seed + n, ...shape) as never;
  const norm = (n: number) => ({ gamma: tf.add(weights(seed + n, C), 1) as tf.Tensor1D, beta: w(n + 1, C) });
  return {
    feedForward: { w1: w(10, C, F), b1: w(11, F), w2: w(12, F, C), b2: w(13, C) },
    ...{ selfNorm: norm(20), crossNorm: norm(22), feedForwardNorm: norm(24) },
  };
}
function encoderParameters(C: number, H: number, D: number, F: number): TransformerEncoderParameters {
  const { crossNorm: _, ...others } = rest(50, C, F);
  return { selfAttention: attention(30, C, H, D), ...others };
}
function decoderParameters(
  C: number,
  H: number,
  D: number,
  F: number,
  Cm: number,
): TransformerDecoderParameters {
  return {
    selfAttention: attention(30, C, H, D),
    crossAttention: attention(40, C, H, D, Cm),
    ...rest(50, C, F),
  };
}

/** Parameters by dotted names, and the way back. */
function flat(parameters: object): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([part, tensors]) =>
      Object.entries(tensors as Record<string, tf.Tensor>).map(([name, x]) => [`${part}.${name}`, x]),
    ),
  );
}
function nested<P>(named: Record<string, tf.Tensor>): P {
  const parameters: Record<string, Record<string, tf.Tensor>> = {};
  for (const [path, x] of Object.entries(named)) {
    const [part, name] = path.split(".") as [string, string];
    parameters[part] = { ...parameters[part], [name]: x };
  }
  return parameters as P;
}

onEveryBackend("transformerEncoderLayer", () => {
  it.each(encoders)("equals PyTorch's TransformerEncoderLayer, %s, gradients too", (_, given) => {
    tf.tidy(() => {
      const [H, options] = given.made;
      const mask = shown(given.masks.src_key_padding_mask);
      expectTorch(
        given,
        (state, [x]) =>
          transformerEncoderLayer(x as tf.Tensor3D, fromTorchEncoderLayer(state, H), { ...options, mask })
            .output,
      );
    });
  });

  it("gives its attention's weights, and the same output with them", () => {
    tf.tidy(() => {
      const [C, H, D, F] = [5, 2, 3, 7];
      const x = tensor<tf.Tensor3D>(random(1, [2, 4, C]));
      const parameters = encoderParameters(C, H, D, F);
      const mask = { causal: true } as const;
      const { output, weights } = transformerEncoderLayer(x, parameters, { mask, weights: true });
      expect(weights.shape).toEqual([2, H, 4, 4]);
      // Each row of float32 weights sums to 1 within a rounding for each of its terms.
      expect(distance(tf.sum(weights, -1).dataSync(), Array(2 * H * 4).fill(1))).toBeLessThanOrEqual(
        4 * 2 ** -24,
      );
      expect(output.dataSync()).toEqual(transformerEncoderLayer(x, parameters, { mask }).output.dataSync());
    });
  });

  it("drops in training only, and in other places for another seed", () => {
    tf.tidy(() => {
      const x = tensor<tf.Tensor3D>(random(1, [2, 4, 5]));
      const parameters = encoderParameters(5, 2, 3, 7);
      const run = (seed: number, training: boolean) => [
        ...transformerEncoderLayer(x, parameters, {
          dropout: { rate: 0.5, seed },
          training,
        }).output.dataSync(),
      ];
      expect(run(1, false)).toEqual([...transformerEncoderLayer(x, parameters).output.dataSync()]);
      expect(run(1, true)).toEqual(run(1, true));
      expect(run(1, true)).not.toEqual(run(1, false));
      expect(run(1, true)).not.toEqual(run(2, true));
    });
  });

  it("leaves no tensor behind", () => {
    const x = tensor<tf.Tensor3D>(random(1, [2, 4, 5]));
    const parameters = encoderParameters(5, 2, 3, 7);
    const { numTensors } = tf.memory();
    transformerEncoderLayer(x, parameters, { weights: true });
    expect(tf.memory().numTensors).toBe(numTensors + 2);
  });
});

onEveryBackend("transformerDecoderLayer", () => {
  it.each(decoders)("equals PyTorch's TransformerDecoderLayer, %s, gradients too", (_, given) => {
    tf.tidy(() => {
      const [H, options] = given.made;
      const memoryMask = shown(given.masks.memory_key_padding_mask);
      expectTorch(given, (state, [x, memory]) => {
        const inputs = { x: x as tf.Tensor3D, memory: memory as tf.Tensor3D };
        return transformerDecoderLayer(inputs, fromTorchDecoderLayer(state, H), { ...options, memoryMask })
          .output;
      });
    });
  });

  it.each([false, true])("decodes step by step as all at once, pre-norm %s", (preNorm) => {
    const [B, T, S, C, H, D, F, CM] = [2, 5, 3, 6, 2, 5, 7, 4] as const;
    const x = tensor<tf.Tensor3D>(random(1, [B, T, C]));
    const memory = tensor<tf.Tensor3D>(random(2, [B, S, CM]));
    const parameters = decoderParameters(C, H, D, F, CM);
    const memoryMask = { keyLengths: [3, 2] };
    const options = { preNorm, memoryMask };
    const whole = transformerDecoderLayer({ x, memory }, parameters, options).output.dataSync();
    const before = tf.memory().numTensors;
    let cache: DecoderCache | undefined;
    let at = 0;
    for (const steps of [2, 1, 1, 1]) {
      const next = tf.slice(x, [0, at, 0], [B, steps, C]);
      const step = transformerDecoderLayer(cache ? { x: next, cache } : { x: next, memory }, parameters, {
        ...options,
        cache: true,
      });
      const got = step.output.dataSync();
      const expected = tf.tidy(() =>
        tf.slice(tf.tensor(whole, [B, T, C]), [0, at, 0], [B, steps, C]).dataSync(),
      );
      expect(distance(got, expected), `from ${at}`).toBeLessThanOrEqual(1e-5);
      tf.dispose([next, step.output, cache?.self, cache?.cross] as tf.TensorContainer);
      cache = step.cache;
      at += steps;
    }
    expect(cache!.self.keys.shape).toEqual([B, T, H, D]);
    tf.dispose([cache!.self, cache!.cross] as unknown as tf.TensorContainer);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("is causal, bit for bit, unless told otherwise", () => {
    tf.tidy(() => {
      const [B, T, C] = [1, 4, 6] as const;
      const x = tensor<tf.Tensor3D>(random(1, [B, T, C]));
      const later = tf.concat(
        [tf.slice(x, [0, 0, 0], [B, 2, C]), tf.fill([B, 2, C], Number.NaN)],
        1,
      ) as tf.Tensor3D;
      const memory = tensor<tf.Tensor3D>(random(2, [B, 3, 5]));
      const parameters = decoderParameters(C, 2, 3, 7, 5);
      const run = (given: tf.Tensor3D, causal?: boolean) => [
        ...transformerDecoderLayer({ x: given, memory }, parameters, { ...(causal === false && { causal }) })
          .output.dataSync()
          .slice(0, 2 * C),
      ];
      expect(run(later)).toEqual(run(x));
      expect(run(x, false)).not.toEqual(run(x));
    });
  });

  it("gives the weights of both attentions", () => {
    tf.tidy(() => {
      const x = tensor<tf.Tensor3D>(random(1, [2, 4, 6]));
      const memory = tensor<tf.Tensor3D>(random(2, [2, 3, 5]));
      const parameters = decoderParameters(6, 2, 3, 7, 5);
      const { weights } = transformerDecoderLayer({ x, memory }, parameters, { weights: true });
      expect([weights.self.shape, weights.cross.shape]).toEqual([
        [2, 2, 4, 4],
        [2, 2, 4, 3],
      ]);
      expect(weights.self.arraySync()[0]![0]![0]).toEqual([1, 0, 0, 0]);
    });
  });
});

describe("the gradients of the layers of a Transformer", () => {
  beforeAll(() => tf.setBackend("cpu"));

  // gelu, since differences across relu's corner mean nothing. About ten steps follow each other, each a sum of up to 7
  // products, which rounds three times, and norms divide by deviations below 1: twice that.
  const ROUNDINGS = 64;

  it.each([
    [2, 3, 5, 2, 2, 7, false],
    [1, 2, 3, 1, 4, 5, true],
    [3, 2, 7, 1, 2, 5, false],
  ])(
    "agree with differences in the encoder at B=%i T=%i C=%i H=%i D=%i F=%i, pre-norm %s",
    (B, T, C, H, D, F, preNorm) => {
      const parameters = encoderParameters(C, H, D, F);
      const inputs = { x: tensor(random(1, [B, T, C])), ...flat(parameters) };
      const options = {
        preNorm,
        activation: "gelu",
        mask: { keyLengths: Array(B).fill(Math.max(1, T - 1)) },
      } as const;
      gradcheckTensors(
        ({ x, ...named }) => transformerEncoderLayer(x as tf.Tensor3D, nested(named), options).output,
        inputs,
        ROUNDINGS,
      );
    },
  );

  it.each([
    [2, 3, 2, 5, 2, 3, 7, 4, false],
    [1, 2, 3, 3, 1, 2, 5, 2, true],
    [1, 3, 2, 7, 1, 2, 5, 4, false],
  ])(
    "agree with differences in the decoder at B=%i T=%i S=%i C=%i H=%i D=%i F=%i Cm=%i, pre-norm %s",
    (B, T, S, C, H, D, F, CM, preNorm) => {
      const parameters = decoderParameters(C, H, D, F, CM);
      const inputs = {
        x: tensor(random(1, [B, T, C])),
        memory: tensor(random(2, [B, S, CM])),
        ...flat(parameters),
      };
      gradcheckTensors(
        ({ x, memory, ...named }) =>
          transformerDecoderLayer({ x: x as tf.Tensor3D, memory: memory as tf.Tensor3D }, nested(named), {
            ...{ preNorm, activation: "gelu", memoryMask: { keyLengths: Array(B).fill(S - 1) } },
          }).output,
        inputs,
        ROUNDINGS,
      );
    },
  );
});

describe("the layers of a Transformer", () => {
  beforeAll(() => tf.setBackend("cpu"));
  const x = () => tf.zeros<tf.Rank.R3>([2, 3, 5]);
  const refused: [string, () => unknown, typeof ShapeError | typeof OptionError, string][] = [
    [
      "x of rank 2",
      () => transformerEncoderLayer(tf.zeros([2, 5]) as never, encoderParameters(5, 2, 3, 7)),
      ShapeError,
      "transformerEncoderLayer: x [B, T, C] must have rank 3, got shape [2, 5]; reshape it first",
    ],
    [
      "an output of another width",
      () => {
        const parameters = encoderParameters(5, 2, 3, 7);
        const selfAttention = { ...parameters.selfAttention, wo: tf.zeros<tf.Rank.R3>([2, 3, 4]) };
        return transformerEncoderLayer(x(), { ...parameters, selfAttention });
      },
      ShapeError,
      "transformerEncoderLayer: selfAttention.wo [H, Dv, C] must keep the width C=5 of x, got shape [2, 3, 4]; what a " +
        "sublayer computes is added to x",
    ],
    [
      "feed-forward maps that do not meet",
      () => {
        const parameters = encoderParameters(5, 2, 3, 7);
        const feedForward = { ...parameters.feedForward, w2: tf.zeros<tf.Rank.R2>([6, 5]) };
        return transformerEncoderLayer(x(), { ...parameters, feedForward });
      },
      ShapeError,
      "transformerEncoderLayer: w1 [C, F] and w2 [F, C] must have the same F, got shapes [5, 7] and [6, 5]; make their F equal",
    ],
    [
      "an activation it does not know",
      () => transformerEncoderLayer(x(), encoderParameters(5, 2, 3, 7), { activation: "silu" as never }),
      OptionError,
      'transformerEncoderLayer: activation must be "relu" or "gelu", got silu; choose one of them',
    ],
    [
      "a decoder without memory",
      () => transformerDecoderLayer({ x: x() }, decoderParameters(5, 2, 3, 7, 4)),
      ShapeError,
      "transformerDecoderLayer: memory or cache must be given, got neither; pass what the encoder gave, or the cache of the step before",
    ],
    [
      "a cache of other examples",
      () => {
        const parameters = decoderParameters(5, 2, 3, 7, 4);
        const memory = tf.zeros<tf.Rank.R3>([2, 6, 4]);
        const { cache } = transformerDecoderLayer({ x: x(), memory }, parameters, { cache: true });
        return transformerDecoderLayer({ x: tf.zeros([1, 1, 5]), cache }, parameters);
      },
      ShapeError,
      "transformerDecoderLayer: x [B, T, C] and cache.self.keys [B, S, Hkv, D] must have the same B, got shapes [1, 1, 5] " +
        "and [2, 3, 2, 3]; make their B equal",
    ],
    [
      "a memory of another width, with a cache too",
      () =>
        transformerDecoderLayer({ x: x(), memory: tf.zeros([2, 6, 5]) }, decoderParameters(5, 2, 3, 7, 4), {
          cache: true,
        }),
      ShapeError,
      "transformerDecoderLayer: wk must be float32 of shape [Ck, Hkv, D] = [5, 2, 3], got float32 of shape [4, 2, 3]; the " +
        "letters must mean the same sizes in all of the call's tensors",
    ],
    [
      "a state without a name",
      () => fromTorchEncoderLayer({ "layers.0.norm1.weight": tf.zeros([5]) }, 1),
      ShapeError,
      "fromTorchEncoderLayer: the state must have self_attn.in_proj_weight, got layers.0.norm1.weight; pass the state of " +
        "one layer, without the prefix of its name",
    ],
  ];
  it.each(refused)("refuse %s", (_, call, type, message) => {
    expect(call).toThrow(type);
    expect(call).toThrow(expect.objectContaining({ message }));
  });
});
