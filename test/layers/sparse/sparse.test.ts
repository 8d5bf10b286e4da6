import * as tf from "@tensorflow/tfjs-core";
import { input, model as makeModel, layers as stock } from "@tensorflow/tfjs-layers";
import { expect, it } from "vitest";
import {
  denseMask,
  fixedPattern,
  longformerPattern,
  type Pattern,
  patternMask,
  softAttention,
  stridedPattern,
} from "../../../src/attention/index.ts";
import { BlockSparseAttention, LongformerAttention } from "../../../src/layers/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs } from "../harness.ts";

const [B, T, C] = [2, 7, 6];
const sizes = { numHeads: 2, keyDim: 3 };
// A bias of keys moves all scores of a query alike, which a softmax does not see.
const still = ["key/bias"];

describeLayer(LongformerAttention, {
  "a window": {
    args: { ...sizes, attentionWindow: 4, seed: 5 },
    inputs: [[T, C]],
    still,
    heads: { options: ["useCausalMask", "numKeyValueHeads", "valueDim"], hides: "last" },
  },
  "causal, with gaps, global positions and shared keys": {
    args: {
      ...{ ...sizes, numKeyValueHeads: 1, attentionWindow: 2, dilation: 2 },
      ...{ globalPositions: [0, 5], useCausalMask: true },
    },
    inputs: [[T, C]],
    still: ["key/bias", "key_global/bias"],
  },
});
describeLayer(BlockSparseAttention, {
  "BigBird's pattern": {
    args: { ...sizes, blockSize: 1, globalBlocks: [0], numRandomBlocks: 1, patternSeed: 3 },
    inputs: [[T, C]],
    heads: { options: ["useCausalMask", "numKeyValueHeads", "valueDim", "dropout"], hides: "last" },
    still,
  },
  "a causal window of blocks": {
    args: { ...sizes, pattern: "window", blockSize: 2, useCausalMask: true, numKeyValueHeads: 1 },
    inputs: [[T, C]],
    still,
  },
  "the strided pattern": {
    args: { ...sizes, pattern: "strided", stride: 3, useBias: false },
    inputs: [[T, C]],
  },
  "the fixed pattern": {
    args: { ...sizes, pattern: "fixed", stride: 4, summary: 2 },
    inputs: [[T, C]],
    still,
  },
});

/** The layer's formula of dense attention under a mask, with its own weights. */
function dense(layer: stock.Layer, x: tf.Tensor, pattern: Pattern, keyLengths?: number[]): tf.Tensor {
  const weight = (name: string) => layer.weights.find((w) => w.originalName.endsWith(name))!.read();
  const heads = (name: string) => {
    const w = weight(`${name}/kernel`);
    const [, H, D] = w.shape as [number, number, number];
    const rows = tf.matMul(tf.reshape(x, [B * T, C]), tf.reshape(w, [C, H * D]));
    const biased = tf.add(rows, tf.reshape(weight(`${name}/bias`), [H * D]));
    return tf.transpose(tf.reshape(biased, [B, T, H, D]), [0, 2, 1, 3]) as tf.Tensor4D;
  };
  const allow = patternMask(T, T, pattern);
  const { output } = softAttention(heads("query"), heads("key"), heads("value"), { allow, keyLengths });
  const w = tf.reshape(weight("attention_output/kernel"), [-1, C]);
  const rows = tf.reshape(tf.transpose(output, [0, 2, 1, 3]), [B * T, -1]);
  return tf.reshape(tf.add(tf.matMul(rows, w), weight("attention_output/bias")), [B, T, C]);
}

onEveryBackend("sparse layers", () => {
  const cases = {
    Longformer: () => {
      const layer = new LongformerAttention({
        ...sizes,
        attentionWindow: 4,
        dilation: 2,
        biasInitializer: "ones",
      });
      return { layer, pattern: longformerPattern({ window: { left: 2, right: 2 }, dilation: 2 }) };
    },
    BigBird: () => {
      const layer = new BlockSparseAttention({
        ...sizes,
        blockSize: 2,
        numRandomBlocks: 1,
        biasInitializer: "ones",
      });
      const cells = tf.tidy(() => denseMask(layer.mask(T)).dataSync());
      return { layer, pattern: (i: number, j: number) => cells[i * T + j] !== 0 };
    },
    strided: () => {
      const layer = new BlockSparseAttention({
        ...sizes,
        pattern: "strided",
        stride: 3,
        biasInitializer: "ones",
      });
      return { layer, pattern: stridedPattern({ stride: 3 }) };
    },
    fixed: () => {
      const layer = new BlockSparseAttention({
        ...sizes,
        pattern: "fixed",
        stride: 3,
        biasInitializer: "ones",
      });
      return { layer, pattern: fixedPattern({ stride: 3 }) };
    },
  };

  it.each(Object.entries(cases))("%s: projections, dense attention under the mask, projection", (_, make) => {
    tf.tidy(() => {
      const { layer, pattern } = make();
      const [x] = layerInputs([[T, C]]);
      const output = layer.apply(x!) as tf.Tensor;
      expect(distance(output.dataSync(), dense(layer, x!, pattern).dataSync())).toBeLessThanOrEqual(2e-6);
    });
  });

  it.each(Object.entries(cases))(
    "%s: hides padding, whatever it holds, from output and gradients",
    (_, make) => {
      tf.tidy(() => {
        const { layer, pattern } = make();
        const [x] = layerInputs([[T, C]]);
        const lengths = [5, T];
        const mask = tf.tensor2d(
          lengths.flatMap((n) => Array.from({ length: T }, (_, t) => (t < n ? 1 : 0))),
          [B, T],
          "bool",
        );
        const dirty = tf.where(tf.expandDims(mask, 2), x!, Number.NaN);
        const run = (x: tf.Tensor) => layer.apply(x, { mask }) as tf.Tensor;
        const shown = (y: tf.Tensor) => tf.where(tf.expandDims(mask, 2), y, 0).dataSync();
        const output = run(x!);
        expect(distance(shown(output), shown(dense(layer, x!, pattern, lengths)))).toBeLessThanOrEqual(2e-6);
        expect(run(dirty).dataSync()).toEqual(output.dataSync());
        const variables = layer.trainableWeights.map((w) => w.read() as tf.Variable);
        const read = (x: tf.Tensor) => {
          const { grads } = tf.variableGrads(() => tf.sum(tf.square(run(x))) as tf.Scalar, variables);
          return Object.values(grads).map((g) => g.dataSync());
        };
        expect(read(dirty)).toEqual(read(x!));
      });
    },
  );

  it("learn in a model behind an embedding whose mask they take", async () => {
    const tokens = input({ shape: [T] });
    const embedded = stock
      .embedding({ inputDim: 5, outputDim: C, maskZero: true })
      .apply(tokens) as typeof tokens;
    const attended = new LongformerAttention({ ...sizes, attentionWindow: 2, globalPositions: [0] }).apply(
      embedded,
    );
    const model = makeModel({ inputs: tokens, outputs: attended as typeof tokens });
    model.compile({ optimizer: "adam", loss: "meanSquaredError" });
    const x = tf.tensor2d(
      Array.from({ length: 2 * T }, (_, n) => (n % T < 5 ? 1 + (n % 4) : 0)),
      [2, T],
    );
    const y = tf.ones([2, T, C]);
    const first = (await model.trainOnBatch(x, y)) as number;
    for (let n = 0; n < 20; n++) await model.trainOnBatch(x, y);
    expect((await model.trainOnBatch(x, y)) as number).toBeLessThan(first);
  });

  it("say what is wrong", () => {
    const x = tf.zeros([2, 3, C]);
    const layer = new BlockSparseAttention({ ...sizes, blockSize: 1, globalBlocks: [0] });
    const mask = tf.tensor2d([1, 0, 1, 1, 1, 1], [2, 3], "bool");
    expect(() => layer.apply(x, { mask })).toThrow(
      "BlockSparseAttention: its mask must hide the last positions of an example alone, got position 1 of example 0 hidden before one that is not; pad at the end",
    );
    expect(() => new BlockSparseAttention({ ...sizes, pattern: "fixed", dropout: 0.1 })).toThrow(
      'BlockSparseAttention: dropout must be 0 with the pattern "fixed", which joins several softmaxes, got 0.1; leave it ' +
        'out, or use "bigbird" or "window"',
    );
    expect(() => new LongformerAttention({ ...sizes, attentionWindow: 2, causal: true } as never)).toThrow(
      "got causal; its name here is useCausalMask",
    );
    expect(() => new LongformerAttention({ ...sizes, attentionWindow: 3 })).toThrow(
      "LongformerAttention: attentionWindow must be an even integer ≥ 2, got 3; a layer needs one",
    );
    expect(() => new LongformerAttention({ ...sizes, attentionWindow: 2, globalPositions: [1, 1] })).toThrow(
      "LongformerAttention: globalPositions must be a list of different integers ≥ 0, got [1,1]; leave it out for []",
    );
    expect(() => new BlockSparseAttention({ ...sizes, pattern: "dense" as "fixed" })).toThrow(
      /BlockSparseAttention: pattern must be "bigbird" or "window" or "strided" or "fixed", got "dense"/,
    );
  });
});
