import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  gatedDelta,
  linearAttention,
  linformerAttention,
  nystromAttention,
  performerAttention,
  retention,
} from "../../../src/attention/linear/index.ts";
import { lshAttention } from "../../../src/attention/sparse/index.ts";
import {
  GatedDeltaNet,
  LinearAttention,
  LinformerAttention,
  LSHSelfAttention,
  MultiScaleRetention,
  NystromAttention,
  PerformerAttention,
} from "../../../src/layers/index.ts";
import { distance, onEveryBackend } from "../../attention/support.ts";
import { describeLayer, layerInputs, modelOf } from "../harness.ts";

const [T, S, C, CV] = [5, 7, 3, 2];
const self = [[T, C]];
const cross = [
  [T, C],
  [S, CV],
];
const heads = { numHeads: 2, keyDim: 4, seed: 3 };

describeLayer(LinearAttention, {
  "of one input, causal": { args: { ...heads, useCausalMask: true, chunkSize: 2 }, inputs: self },
  "of two inputs": {
    args: heads,
    inputs: cross,
    heads: { options: ["useCausalMask", "numKeyValueHeads", "valueDim"] },
  },
  "of two inputs, without biases": { args: { ...heads, valueDim: 3, useBias: false }, inputs: cross },
});
describeLayer(PerformerAttention, {
  "of one input, causal": { args: { ...heads, features: 8, useCausalMask: true }, inputs: self },
  "of two inputs": {
    args: { ...heads, features: 8, kernelRegularizer: "l2" },
    inputs: cross,
    heads: { options: ["useCausalMask", "numKeyValueHeads", "valueDim"] },
  },
});
describeLayer(LinformerAttention, {
  "of one input, with shared mixtures": {
    args: { ...heads, mixtures: 3, shareMixtures: true },
    inputs: self,
  },
  "of two inputs, with dropout": {
    args: { ...heads, mixtures: 3, dropout: 0.2, maxLength: 9 },
    inputs: cross,
    heads: { options: ["numKeyValueHeads", "valueDim", "dropout"] },
  },
});
describeLayer(NystromAttention, {
  "with a skip": {
    args: { ...heads, valueDim: 3, landmarks: 2, convSize: 3 },
    inputs: self,
    heads: { options: ["valueDim"], hides: "last" },
  },
});
describeLayer(GatedDeltaNet, {
  "with decays": {
    args: { ...heads, valueDim: 3, chunkSize: 2 },
    inputs: self,
    heads: { options: ["numKeyValueHeads", "valueDim"], alwaysCausal: true },
  },
  "without decays and biases": { args: { ...heads, useDecay: false, useBias: false }, inputs: self },
});
describeLayer(MultiScaleRetention, {
  "with xpos": {
    args: { ...heads, valueDim: 3 },
    inputs: self,
    // A head of keys has a decay of its own.
    heads: {
      options: ["numKeyValueHeads", "valueDim"],
      hides: "last",
      alwaysCausal: true,
      repeats: false,
    },
  },
  "without xpos": { args: { ...heads, xpos: false, chunkSize: 2 }, inputs: self },
});
describeLayer(LSHSelfAttention, {
  "of two buckets": { args: { ...heads, valueDim: 3, buckets: 2, rounds: 2 }, inputs: self },
  "of one bucket, causal": {
    args: { ...heads, buckets: 1, useCausalMask: true },
    inputs: self,
    heads: { options: ["useCausalMask", "valueDim"], hides: "last" },
  },
});

type Layer = { getWeights(): tf.Tensor[]; weights: { originalName: string }[] };

/** The weights of a layer by their names in a file. */
function named(layer: Layer): Record<string, tf.Tensor> {
  const weights = layer.getWeights();
  return Object.fromEntries(
    layer.weights.map(({ originalName }, at) => [originalName.replace(/^[^/]*\//, ""), weights[at]!]),
  );
}

/** x·W + b as heads [B, H, T, D], written out. */
function project(x: tf.Tensor, weights: Record<string, tf.Tensor>, name: string): tf.Tensor4D {
  const w = weights[`${name}/kernel`]!;
  const [width, H, D] = w.shape as [number, number, number];
  const [B, N] = x.shape as [number, number];
  const rows = tf.matMul(tf.reshape(x, [B * N, width]), tf.reshape(w, [width, H * D]));
  const shaped = tf.add(tf.reshape(rows, [B, N, H, D]), weights[`${name}/bias`] ?? 0);
  return tf.transpose(shaped as tf.Tensor4D, [0, 2, 1, 3]);
}

function output(heads: tf.Tensor4D, weights: Record<string, tf.Tensor>): tf.Tensor {
  const [B, H, N, D] = heads.shape;
  const w = weights["attention_output/kernel"]!;
  const rows = tf.reshape(tf.transpose(heads, [0, 2, 1, 3]), [B * N, H * D]);
  const out = tf.matMul(rows, tf.reshape(w, [H * D, w.shape[2]!]));
  return tf.add(tf.reshape(out, [B, N, w.shape[2]!]), weights["attention_output/bias"] ?? 0);
}

const silu = (x: tf.Tensor4D) => tf.mul(x, tf.sigmoid(x)) as tf.Tensor4D;
const biased = { biasInitializer: "glorotNormal" } as const;

onEveryBackend("Layers of linear and approximate attention", () => {
  const x = () => layerInputs(self)[0]!;
  /** Compares a layer with its mechanism between projections that are written out. */
  const expectIs = (
    layer: Layer & { apply(x: never): unknown },
    inputs: tf.Tensor | tf.Tensor[],
    mechanism: (
      weights: Record<string, tf.Tensor>,
      head: (name: string, at?: number) => tf.Tensor4D,
    ) => tf.Tensor4D,
  ) => {
    const got = layer.apply(inputs as never) as tf.Tensor;
    const weights = named(layer);
    const list = Array.isArray(inputs) ? inputs : [inputs];
    const head = (name: string, at = 0) => project(list[at] ?? list[0]!, weights, name);
    const expected = output(mechanism(weights, head), weights);
    expect(got.shape).toEqual(expected.shape);
    expect(distance(got.dataSync(), expected.dataSync())).toBeLessThanOrEqual(1e-5);
  };

  it("are their mechanism between the projections of queries, keys, values and output", () => {
    const given = layerInputs(cross);
    expectIs(
      new LinearAttention({ ...heads, ...biased }),
      given,
      (_, head) => linearAttention(head("query"), head("key", 1), head("value", 1)).output,
    );
    expectIs(
      new PerformerAttention({ ...heads, ...biased, features: 8, useCausalMask: true }),
      x(),
      (w, head) =>
        performerAttention(
          head("query"),
          head("key"),
          head("value"),
          { w: w.features as tf.Tensor2D },
          { causal: true },
        ).output,
    );
    expectIs(
      new LinformerAttention({ ...heads, ...biased, mixtures: 3 }),
      given,
      (w, head) =>
        linformerAttention(head("query"), head("key", 1), head("value", 1), {
          e: w.key_mixtures as tf.Tensor2D,
          f: w.value_mixtures as tf.Tensor2D,
        }).output,
    );
    expectIs(
      new NystromAttention({ ...heads, ...biased, landmarks: 2, convSize: 3 }),
      x(),
      (w, head) =>
        nystromAttention(
          head("query"),
          head("key"),
          head("value"),
          { conv: w.conv as tf.Tensor2D },
          { landmarks: 2 },
        ).output,
    );
    expectIs(
      new LSHSelfAttention({ ...heads, ...biased, buckets: [2, 2], hashSeed: 4 }),
      x(),
      (_, head) => lshAttention(head("query_key"), head("value"), { buckets: [2, 2], seed: 4 }).output,
    );
  });

  it("normalise and gate the heads of retention and of the gated delta rule", () => {
    expectIs(new MultiScaleRetention({ ...heads, ...biased }), x(), (_, head) => {
      const read = retention(head("query"), head("key"), head("value"), { xpos: true }).output;
      const { mean, variance } = tf.moments(read, 3, true);
      const normed = tf.div(tf.sub(read, mean), tf.sqrt(tf.add(variance, 1e-5))) as tf.Tensor4D;
      return tf.mul(silu(head("gate")), normed);
    });
    expectIs(new GatedDeltaNet({ ...heads, ...biased }), x(), (w, head) => {
      const unit = (y: tf.Tensor4D) =>
        tf.div(y, tf.sqrt(tf.add(tf.sum(tf.square(y), 3, true), 1e-6))) as tf.Tensor4D;
      const perHead = (name: string) => {
        const rows = tf.matMul(tf.reshape(x(), [-1, C]), w[`${name}/kernel`]!);
        return tf.transpose(tf.reshape(rows, [2, T, 2]), [0, 2, 1]);
      };
      const rate = tf.reshape(tf.exp(w["decay/log_rate"]!), [1, 2, 1]);
      const pace = tf.softplus(tf.add(perHead("decay"), tf.reshape(w["decay/bias"]!, [1, 2, 1])));
      const read = gatedDelta(unit(silu(head("query"))), unit(silu(head("key"))), silu(head("value")), {
        beta: tf.sigmoid(perHead("beta")) as tf.Tensor3D,
        decay: tf.neg(tf.mul(rate, pace)),
      }).output;
      const normed = tf.div(read, tf.sqrt(tf.add(tf.mean(tf.square(read), 3, true), 1e-6)));
      return tf.mul(tf.mul(normed, w["norm/gamma"]!), silu(head("gate")));
    });
  });

  const masked = {
    LinearAttention: () => new LinearAttention(heads),
    "causal LinearAttention": () => new LinearAttention({ ...heads, useCausalMask: true, chunkSize: 2 }),
    PerformerAttention: () => new PerformerAttention({ ...heads, features: 8 }),
    LinformerAttention: () => new LinformerAttention({ ...heads, mixtures: 3 }),
    NystromAttention: () => new NystromAttention({ ...heads, landmarks: 2, convSize: 3 }),
    GatedDeltaNet: () => new GatedDeltaNet(heads),
    MultiScaleRetention: () => new MultiScaleRetention(heads),
    LSHSelfAttention: () => new LSHSelfAttention({ ...heads, buckets: 1 }),
  };

  it.each(Object.entries(masked))(
    "%s gives a padded example what it gives alone, and NaN in padding reaches nothing",
    (_, make) => {
      tf.tidy(() => {
        const layer = make();
        const given = x();
        const mask = tf.tensor2d([1, 1, 1, 1, 1, 1, 1, 1, 0, 0], [2, T], "bool");
        const whole = layer.apply(given, { mask }) as tf.Tensor3D;
        const alone = layer.apply(tf.slice(given, [1, 0, 0], [1, 3, C])) as tf.Tensor3D;
        expect(
          distance(tf.slice(whole, [1, 0, 0], [1, 3, C]).dataSync(), alone.dataSync()),
        ).toBeLessThanOrEqual(1e-5);
        const hidden = tf.slice(whole, [1, 3, 0], [1, 2, C]).dataSync();
        const bias = named(layer)["attention_output/bias"]!.dataSync();
        expect(hidden).toEqual(Float32Array.of(...bias, ...bias));
        const spoiled = given.dataSync().map((value, e) => (e >= (T + 3) * C ? Number.NaN : value));
        const dirty = tf.tensor(spoiled, given.shape);
        expect((layer.apply(dirty, { mask }) as tf.Tensor).dataSync()).toEqual(whole.dataSync());
        const { grads } = tf.variableGrads(() =>
          tf.sum(tf.square(layer.apply(dirty, { mask }) as tf.Tensor)),
        );
        for (const gradient of Object.values(grads))
          expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
      });
    },
  );

  it("hide keys by the values' mask alone where one tensor is given twice", () => {
    tf.tidy(() => {
      const one = x();
      const mask = tf.tensor2d(
        Array.from({ length: one.shape[0]! * one.shape[1]! }, (_, n) => n % 3),
        [...(one.shape.slice(0, 2) as [number, number])],
      );
      const bool = tf.cast(mask, "bool");
      for (const masks of [
        [null, bool],
        [bool, null],
      ]) {
        const layer = new LinearAttention({ ...heads, ...biased });
        const twice = layer.apply([one, one], { mask: masks } as never) as tf.Tensor;
        const copies = layer.apply([one, tf.clone(one)], { mask: masks } as never) as tf.Tensor;
        expect(twice.dataSync()).toEqual(copies.dataSync());
      }
    });
  });

  it("draw the directions of Performer anew when asked, and do not train them", async () => {
    const layer = new PerformerAttention({ ...heads, features: 8 });
    const model = modelOf(layer, self);
    const before = [...named(layer).features!.dataSync()];
    model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    await model.trainOnBatch(x(), x());
    expect([...named(layer).features!.dataSync()]).toEqual(before);
    layer.redraw(9);
    expect([...named(layer).features!.dataSync()]).not.toEqual(before);
  });
});
