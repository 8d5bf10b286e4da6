import * as tf from "@tensorflow/tfjs-core";
import { input, layers, model } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { fromTorchDecoderLayer, fromTorchEncoderLayer } from "../../../src/attention/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { TransformerDecoderLayer, TransformerEncoderLayer } from "../../../src/layers/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { type FixtureArray, type FixtureArrays, fixture, OUTPUTS, toTensor } from "../fixture.ts";
import { describeLayer, layerInputs, modelOf } from "../harness.ts";

const [T, S, C, CM, F] = [3, 5, 6, 4, 7];
const still = ["key/bias"];
type Symbolic = ReturnType<typeof input>;

describeLayer(TransformerEncoderLayer, {
  "post-norm, ReLU": { args: { numHeads: 2, intermediateDim: F, seed: 1 }, inputs: [[T, C]], still },
  "pre-norm, GELU, causal, with dropout and weights": {
    args: {
      ...{ numHeads: 3, intermediateDim: F, normalizeFirst: true, activation: "gelu", dropout: 0.2 },
      ...{ useCausalMask: true, returnAttentionScores: true, kernelRegularizer: "l2" },
    },
    inputs: [[T, C]],
    still,
  },
  "without biases": { args: { numHeads: 1, intermediateDim: F, useBias: false }, inputs: [[T, C]] },
});
describeLayer(TransformerDecoderLayer, {
  "post-norm, ReLU": {
    args: { numHeads: 2, intermediateDim: F, seed: 1 },
    inputs: [
      [T, C],
      [S, CM],
    ],
    still,
  },
  "pre-norm, GELU, with weights": {
    args: {
      ...{ numHeads: 3, intermediateDim: F, normalizeFirst: true, activation: "gelu" },
      ...{ returnAttentionScores: true, layerNormEpsilon: 1e-3 },
    },
    inputs: [
      [T, C],
      [S, C],
    ],
    still,
  },
});

interface TorchCase {
  state: FixtureArrays;
  inputs: FixtureArray[];
  masks: Record<string, FixtureArray>;
  output: FixtureArray;
}

/** Of a fixture: the layer with PyTorch's weights, applied to its inputs. */
function applied(
  layer: TransformerEncoderLayer | TransformerDecoderLayer,
  given: TorchCase,
  read: typeof fromTorchEncoderLayer | typeof fromTorchDecoderLayer,
  options: object,
) {
  const inputs = given.inputs.map((array) => toTensor(array));
  const x = inputs.length === 1 ? inputs[0]! : inputs;
  layer.apply(x);
  const state = Object.fromEntries(
    Object.entries(given.state).map(([name, array]) => [name, toTensor(array)]),
  );
  layer.setParameters(read(state, layer.config.numHeads));
  return layer.apply(x, options) as tf.Tensor;
}

onEveryBackend("The layers of a Transformer", () => {
  it("compute what PyTorch's do with its weights", () => {
    const [post, pre, bare] = fixture<[TorchCase, TorchCase, TorchCase]>("torch-encoder");
    const decoders = fixture<[TorchCase, TorchCase]>("torch-decoder");
    const shown = (padding: FixtureArray) => tf.logicalNot(toTensor(padding, "bool"));
    const common = { intermediateDim: 7 };
    const pairs: [TorchCase, tf.Tensor][] = [
      [
        post,
        applied(new TransformerEncoderLayer({ ...common, numHeads: 2 }), post, fromTorchEncoderLayer, {}),
      ],
      [
        bare,
        applied(
          new TransformerEncoderLayer({ ...common, numHeads: 2, useBias: false }),
          bare,
          fromTorchEncoderLayer,
          {},
        ),
      ],
      [
        decoders[0],
        applied(new TransformerDecoderLayer({ ...common, numHeads: 2 }), decoders[0], fromTorchDecoderLayer, {
          mask: [null, shown(decoders[0].masks.memory_key_padding_mask!)],
        }),
      ],
      [
        decoders[1],
        applied(
          new TransformerDecoderLayer({ ...common, numHeads: 3, activation: "gelu", normalizeFirst: true }),
          decoders[1],
          fromTorchDecoderLayer,
          {},
        ),
      ],
    ];
    for (const [{ output }, got] of pairs) {
      expect(distance(got.dataSync(), output.values)).toBeLessThanOrEqual(OUTPUTS);
    }
    // Where there is padding, PyTorch lets what stands there through to its own row; the others must agree.
    const padding = shown(pre.masks.src_key_padding_mask!);
    const layer = new TransformerEncoderLayer({
      ...{
        ...common,
        numHeads: 3,
        activation: "gelu" as const,
        normalizeFirst: true,
        layerNormEpsilon: 1e-3,
      },
    });
    const output = applied(layer, pre, fromTorchEncoderLayer, { mask: padding });
    const seen = tf.expandDims(padding, 2);
    const [got, expected] = [output, toTensor(pre.output)].map((x) => tf.where(seen, x, 0).dataSync());
    expect(distance(got!, expected!)).toBeLessThanOrEqual(OUTPUTS);
  });

  it("decode step by step as all at once, whatever the memory's mask hides", () => {
    const [x, memory] = layerInputs([
      [T, C],
      [S, CM],
    ]) as [tf.Tensor3D, tf.Tensor3D];
    const memoryMask = tf.tensor2d([1, 1, 0, 1, 0, 0, 1, 1, 1, 1], [2, S], "bool");
    const layer = new TransformerDecoderLayer({ numHeads: 2, intermediateDim: F, dropout: 0.3 });
    const whole = layer.apply([x, memory], { mask: [null, memoryMask] }) as tf.Tensor3D;
    const at = (t: number) => tf.slice(x, [0, t, 0], [2, 1, C]);
    const expected = (t: number) => tf.slice(whole, [0, t, 0], [2, 1, C]).dataSync();
    const first = layer.decode({ x: at(0), memory, memoryMask });
    const second = layer.decode({ x: at(1), memoryMask, cache: first.cache });
    const third = layer.decode({ x: at(2), memoryMask, cache: second.cache });
    [first, second, third].forEach(({ output }, t) => {
      expect(distance(output.dataSync(), expected(t)), `step ${t}`).toBeLessThanOrEqual(1e-5);
    });
    expect(third.cache.self.keys.shape).toEqual([2, T, 2, C / 2]);
  });

  it("take the masks of their inputs from the model, so that padding changes nothing", () => {
    const words = input({ shape: [null], dtype: "int32" });
    const source = input({ shape: [null], dtype: "int32" });
    const embed = (ids: Symbolic) =>
      layers.embedding({ inputDim: 9, outputDim: C, maskZero: true }).apply(ids) as Symbolic;
    const memory = new TransformerEncoderLayer({ numHeads: 2, intermediateDim: F }).apply(
      embed(source),
    ) as Symbolic;
    const decoder = new TransformerDecoderLayer({ numHeads: 3, intermediateDim: F });
    const outputs = decoder.apply([embed(words), memory]) as Symbolic;
    const run = model({ inputs: [words, source], outputs });
    const ids = (...rows: number[]) => tf.tensor2d([rows], [1, rows.length], "int32");
    const short = run.predict([ids(3, 4), ids(5, 6, 7)]) as tf.Tensor;
    const padded = run.predict([ids(3, 4, 0, 0), ids(5, 6, 7, 0)]) as tf.Tensor;
    expect(padded.shape).toEqual([1, 4, C]);
    // The same products in sums that have more terms, all 0.
    expect(distance(padded.dataSync().slice(0, 2 * C), short.dataSync())).toBeLessThanOrEqual(2e-6);
  });

  it("begin as the identity with zeroResiduals before their norms", () => {
    const [x] = layerInputs([[T, C]]) as [tf.Tensor];
    const layer = new TransformerEncoderLayer({
      ...{ numHeads: 2, intermediateDim: F, normalizeFirst: true, zeroResiduals: true },
    });
    expect([...(layer.apply(x) as tf.Tensor).dataSync()]).toEqual([...x.dataSync()]);
  });

  it("let NaN in padding reach no other row and no gradient", () => {
    const [x] = layerInputs([[S, C]]) as [tf.Tensor];
    const mask = tf.tensor2d([1, 1, 0, 1, 0, 0, 1, 1, 1, 1], [2, S], "bool");
    const layer = new TransformerEncoderLayer({ numHeads: 2, intermediateDim: F, activation: "gelu" });
    layer.apply(x);
    const seen = tf.expandDims(mask, 2);
    const variables = layer.weights.map((weight) => weight.read() as tf.Variable);
    const run = (hole: number) => {
      const holed = tf.where(seen, x, hole);
      const f = () =>
        tf.sum(tf.where(seen, tf.square(layer.apply(holed, { mask }) as tf.Tensor), 0)) as tf.Scalar;
      const { value, grads } = tf.variableGrads(f, variables);
      return [value, ...variables.map(({ name }) => grads[name]!)].map((t) => [...t.dataSync()]);
    };
    const clean = run(0);
    expect(run(Number.NaN)).toEqual(clean);
    expect(clean.flat().every(Number.isFinite)).toBe(true);
  });
});

beforeAll(() => tf.setBackend("cpu"));
const refused: [string, () => unknown, typeof OptionError | typeof ShapeError, string][] = [
  [
    "heads that do not divide the width",
    () => modelOf(new TransformerEncoderLayer({ numHeads: 4, intermediateDim: F }), [[T, C]]),
    OptionError,
    "TransformerEncoderLayer: numHeads must be a divisor of the width C=6 of x, got 4; every head reads C/numHeads of it",
  ],
  [
    "a decoder without memory",
    () => new TransformerDecoderLayer({ numHeads: 2, intermediateDim: F }).apply(tf.zeros([2, T, C])),
    ShapeError,
    "TransformerDecoderLayer: its inputs must be [x [B, T, C], memory [B, S, Cm]], got 1 of them; apply it to a list in that order",
  ],
  [
    "parameters before it has weights",
    () =>
      new TransformerEncoderLayer({ numHeads: 2, intermediateDim: F }).setParameters({
        ...{ selfAttention: {} as never, selfNorm: {}, feedForward: {} as never, feedForwardNorm: {} },
      }),
    OptionError,
    "TransformerEncoderLayer: a layer must have weights before they can be read or set, got none yet; apply it to something, or " +
      "build a model of it, first",
  ],
  [
    "parameters of another size",
    () => {
      const layer = new TransformerEncoderLayer({ numHeads: 2, intermediateDim: F, useBias: false });
      layer.apply(tf.zeros([2, T, C]));
      layer.setParameters({
        ...{ selfAttention: { wq: tf.zeros([4, 2, 3]) } as never, selfNorm: {} },
        ...{ feedForward: {} as never, feedForwardNorm: {} },
      });
    },
    ShapeError,
    "TransformerEncoderLayer: the weight self_attention/query/kernel must have shape [6, 2, 3], got shape [4, 2, 3]; " +
      "make the layer with the sizes and options of these parameters",
  ],
  [
    "a mask of another length",
    () =>
      new TransformerEncoderLayer({ numHeads: 2, intermediateDim: F }).apply(tf.zeros([2, T, C]), {
        mask: tf.ones([2, S]),
      }),
    ShapeError,
    "TransformerEncoderLayer: the mask of x [B, T, C] must have shape [2, 3], got shape [2, 5]; it says of each position " +
      "whether it is there",
  ],
];
it("A decoder layer without weights refuses a cache, which is another layer's", () => {
  const make = () => new TransformerDecoderLayer({ numHeads: 2, intermediateDim: 3 });
  const x = tf.zeros<tf.Rank.R3>([1, 1, 4]);
  const { cache } = make().decode({ x, memory: x });
  expect(() => make().decode({ x, cache })).toThrow(/^TransformerDecoderLayer: a layer must have weights/);
});

it.each(refused)("The layers of a Transformer refuse %s", (_, call, type, message) => {
  expect(call).toThrow(type);
  expect(call).toThrow(expect.objectContaining({ message }));
});
