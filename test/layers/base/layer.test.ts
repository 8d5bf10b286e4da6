import * as tf from "@tensorflow/tfjs-core";
import { initializers, regularizers } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import {
  byDefault,
  choice,
  flag,
  integer,
  type LayerCall,
  MechanismLayer,
  required,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
} from "../../../src/layers/base/index.ts";
import "../../attention/support.ts";

const fields = {
  units: required(integer(1, 512)),
  mode: byDefault(choice("sum", "product"), "sum"),
  useBias: byDefault(flag(), true),
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("bias", "zeros"),
  seed: seed(),
};

class Probe extends MechanismLayer<typeof fields> {
  static readonly className = "Probe";
  static readonly inputs = [
    { name: "x", letters: "[B, …, C]" },
    { name: "context", letters: "[B, C]", optional: true },
  ];
  static readonly fields = fields;
  static readonly callOptions = ["more"];
  static readonly ignored = ["queryShape"];
  calls: LayerCall[] = [];
  protected override parameters({ C }: Sizes): WeightTable<typeof fields> {
    const { units, useBias } = this.config;
    return {
      "inner/kernel": { shape: [C, 2, units], kind: "kernel", matrix: [C, 2 * units] },
      "inner/bias": useBias && { shape: [units], kind: "bias" },
      gain: { shape: [1], initializer: "ones", trainable: false },
    };
  }
  protected override compute([x]: tf.Tensor[], call: LayerCall): tf.Tensor {
    this.calls.push(call);
    return tf.mul(x!, this.weight("gain"));
  }
}

beforeAll(() => tf.setBackend("cpu"));

const x = () => tf.ones([2, 3, 5]);

it("takes the defaults of its fields, and null for them", () => {
  const layer = new Probe({ units: 4, mode: null, seed: null });
  expect(layer.config.mode).toBe("sum");
  expect(layer.getConfig()).toEqual({
    name: layer.name,
    trainable: true,
    units: 4,
    mode: "sum",
    useBias: true,
    kernelInitializer: {
      className: "VarianceScaling",
      config: { scale: 1, mode: "fanAvg", distribution: "uniform", seed: undefined },
    },
    kernelRegularizer: null,
    kernelConstraint: null,
    biasInitializer: { className: "Zeros", config: {} },
    biasRegularizer: null,
    biasConstraint: null,
    seed: null,
  });
});

it("has a constructor whose types follow from the fields", () => {
  // @ts-expect-error units is a number
  expect(() => new Probe({ units: "4" })).toThrow("units must be an integer from 1 to 512");
  // @ts-expect-error bogus is no field
  expect(() => new Probe({ units: 4, bogus: 1 })).toThrow("got bogus");
  // @ts-expect-error units is required
  expect(() => new Probe({})).toThrow("got nothing");
  // @ts-expect-error and so are the arguments
  expect(() => new Probe()).toThrow("got nothing");
});

it("refuses a class that does not say its inputs", () => {
  class Silent extends MechanismLayer<typeof fields> {
    static readonly className = "Silent";
    static readonly fields: typeof fields = fields;
    protected override compute([x]: tf.Tensor[]): tf.Tensor {
      return x!;
    }
  }
  const message =
    "Silent: a class of layers must have the statics className, inputs and fields, got className and fields; write them " +
    "into the class: a layer has no constructor that passes them on";
  expect(() => new Silent({ units: 4 })).toThrow(OptionError);
  expect(() => new Silent({ units: 4 })).toThrow(expect.objectContaining({ code: "OPTION", message }));
});

it("reads what Keras writes", () => {
  const layer = Probe.fromConfig(Probe as never, {
    name: "probe_of_keras",
    dtype: { module: "keras", class_name: "DTypePolicy", config: { name: "float32" } },
    units: 4,
    use_bias: false,
    kernel_initializer: { class_name: "RandomNormal", config: { mean: 1, stddev: 2, seed: 3 } },
    bias_initializer: "zeros",
    kernel_regularizer: { module: "keras", class_name: "L1L2", config: { l1: 0, l2: 0.25 } },
    kernel_constraint: "non_neg",
    query_shape: [null, 3],
  }) as unknown as Probe;
  expect(layer.name).toBe("probe_of_keras");
  expect(layer.config.useBias).toBe(false);
  expect(layer.config.kernelInitializer.getConfig()).toEqual({ mean: 1, stddev: 2, seed: 3 });
  expect(layer.config.kernelRegularizer!.getConfig()).toEqual({ l1: 0, l2: 0.25 });
  expect(layer.config.kernelConstraint!.getClassName()).toBe("NonNeg");
});

it("names its weights as Keras does, with what belongs to each", () => {
  const kernelRegularizer = regularizers.l2({ l2: 0.5 });
  const layer = new Probe({ name: "probe", units: 4, kernelRegularizer, kernelInitializer: "ones" });
  layer.apply(x());
  expect(layer.weights.map((weight) => weight.originalName)).toEqual([
    "probe/inner/kernel",
    "probe/inner/bias",
    "probe/gain",
  ]);
  expect(layer.nonTrainableWeights.map((weight) => weight.originalName)).toEqual(["probe/gain"]);
  expect(layer.calculateLosses().map((loss) => loss.dataSync()[0])).toEqual([0.5 * 5 * 2 * 4]);
});

it("draws kernels of more axes as the matrix that they are", () => {
  const layer = new Probe({ units: 300, seed: 1 });
  layer.apply(x());
  const kernel = layer.getWeights()[0]!;
  const limit = Math.sqrt(6 / (5 + 2 * 300));
  const largest = Math.max(...kernel.dataSync().map(Math.abs));
  expect(kernel.shape).toEqual([5, 2, 300]);
  expect(largest).toBeLessThanOrEqual(limit);
  expect(largest).toBeGreaterThan(0.99 * limit);
  // 3000 uniform numbers: their variance is limit²/3, known to √(0.8/3000) = 1.6 %; four of those.
  const variance = [...kernel.dataSync()].reduce((sum, w) => sum + w * w, 0) / kernel.size;
  expect(Math.abs(variance / (limit ** 2 / 3) - 1)).toBeLessThan(0.065);
});

it("draws the same weights for a seed on every backend, other ones for each weight and each seed", async () => {
  const drawn = async (backend: string, layerSeed: number) => {
    await tf.setBackend(backend);
    const layer = new Probe({ units: 4, seed: layerSeed, biasInitializer: "glorotUniform" });
    layer.apply(x());
    return layer.getWeights().map((weight) => [...weight.dataSync()]);
  };
  const [cpu, heed, other] = [await drawn("cpu", 3), await drawn("heed", 3), await drawn("cpu", 4)];
  expect(heed).toEqual(cpu);
  expect(other![0]).not.toEqual(cpu![0]);
  expect(cpu![1]![0]).not.toBe(cpu![0]![0]);
});

it("leaves an initialiser with a seed of its own alone", () => {
  const drawn = (layerSeed: number) => {
    const layer = new Probe({
      units: 4,
      seed: layerSeed,
      kernelInitializer: initializers.glorotNormal({ seed: 9 }),
    });
    layer.apply(x());
    return layer.getWeights()[0]!.dataSync();
  };
  expect(drawn(1)).toEqual(drawn(2));
});

it("hands masks, training and other arguments to compute, and another seed for each step of training", () => {
  const layer = new Probe({ units: 4, seed: 1 });
  const mask = tf.ones([2, 3], "bool");
  const context = tf.ones([2, 5]);
  layer.apply([x(), context], { mask: [null, mask], training: true, more: 7 });
  layer.apply([x(), context], { mask: [mask], training: true });
  layer.apply(x());
  const [first, second, third] = layer.calls as [LayerCall, LayerCall, LayerCall];
  expect(first.masks).toEqual([undefined, mask]);
  expect(first.kwargs).toEqual({ more: 7 });
  expect(second.masks).toEqual([mask, undefined]);
  expect(third.masks).toEqual([undefined]);
  expect([first, second, third].map(({ training }) => training)).toEqual([true, true, false]);
  expect(new Set([first, second, third].map(({ seed }) => seed)).size).toBe(3);
  expect(Number.isSafeInteger(first.seed)).toBe(true);
});

const apply = (...shapes: number[][]) => new Probe({ units: 4 }).apply(shapes.map((shape) => tf.ones(shape)));
const refused: [string, () => unknown, unknown, string][] = [
  [
    "an unknown key",
    () => new Probe({ units: 4, bogus: 1 } as never),
    OptionError,
    "Probe: every key of its configuration must be one of units, mode, useBias, kernelInitializer, " +
      "kernelRegularizer, kernelConstraint, biasInitializer, biasRegularizer, biasConstraint, seed, name, trainable, " +
      "dtype, inputShape, batchInputShape, batchSize, inputDType, weights, got bogus; correct its spelling or remove it",
  ],
  [
    "Keras' spelling of a key",
    () => new Probe({ units: 4, use_bias: true } as never),
    OptionError,
    "got use_bias; did you mean useBias?",
  ],
  [
    "a field left out",
    () => new Probe({} as never),
    OptionError,
    "Probe: units must be an integer from 1 to 512, got nothing; a layer needs one",
  ],
  [
    "a word that is no choice",
    () => new Probe({ units: 4, mode: "mean" as never }),
    OptionError,
    'Probe: mode must be "sum" or "product", got "mean"; leave it out for "sum"',
  ],
  [
    "an initialiser that does not exist",
    () => new Probe({ units: 4, kernelInitializer: "glorot" }),
    OptionError,
    'Probe: kernelInitializer must be an initializer: a name such as "glorotUniform", or one made by ' +
      'tf.initializers, got "glorot"; leave it out for "glorotUniform"',
  ],
  [
    "another rank",
    () => apply([3]),
    ShapeError,
    "Probe: x [B, …, C] must have rank 2 or more, got shape [3]; reshape it first",
  ],
  [
    "sizes that share a letter and differ",
    () => apply([2, 3, 5], [2, 4]),
    ShapeError,
    "Probe: x [B, …, C] and context [B, C] must have the same C, got shapes [2, 3, 5] and [2, 4]; make their C equal",
  ],
  [
    "too many inputs",
    () => apply([2, 5], [2, 5], [2, 5]),
    ShapeError,
    "Probe: its inputs must be [x [B, …, C], context [B, C]?], got 3 of them; apply it to a list in that order",
  ],
  [
    "a width that is not known",
    () => new Probe({ units: 4 }).build([null, null]),
    OptionError,
    "Probe: the shape of the weight inner/kernel must be known and without 0, got [undefined, 2, 4] from " +
      "[x [B, …, C], context [B, C]?]; give the input layers those sizes",
  ],
];
it.each(refused)("refuses %s", (_, call, type, message) => {
  expect(call).toThrow(type as typeof OptionError);
  expect(call).toThrow(message);
});
