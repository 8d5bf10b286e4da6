import * as tf from "@tensorflow/tfjs-core";
import { input, layers, model } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { patchLayerMasks } from "../../src/host/layer-masks.ts";
import "../attention/support.ts";

beforeAll(() => tf.setBackend("cpu"));
patchLayerMasks();
patchLayerMasks();

const toList = <T>(x: T | T[]): T[] => (Array.isArray(x) ? x : [x]);
type Symbolic = ReturnType<typeof input>;

/** A layer that remembers which masks it was given. */
class Probe extends layers.Layer {
  static readonly className = "MaskProbe";
  readonly takesMasks?: true;
  seen: (number[] | null)[] | null | undefined;
  constructor(takesMasks: boolean) {
    super({});
    this.supportsMasking = true;
    if (takesMasks) this.takesMasks = true;
  }
  override computeOutputShape(shape: (number | null)[] | (number | null)[][]) {
    return (Array.isArray(shape[0]) ? shape[0] : shape) as (number | null)[];
  }
  override computeMask(_: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]) {
    return Array.isArray(mask) ? mask[0]! : mask!;
  }
  override call(inputs: tf.Tensor | tf.Tensor[], { mask }: { mask?: tf.Tensor | (tf.Tensor | null)[] }) {
    this.seen = mask && toList(mask).map((each) => (each ? [...each.dataSync()] : null));
    return tf.clone(toList(inputs)[0]!);
  }
}

const T = 3;
const ids = () =>
  tf.tensor2d(
    [
      [1, 2, 0],
      [4, 0, 0],
    ],
    [2, T],
    "int32",
  );
const MASK = [1, 1, 0, 1, 0, 0];

/** Embedded ids with a mask behind a Dropout, plain numbers without one, and probes on both. */
function graph() {
  const words = input({ shape: [T], dtype: "int32" });
  const numbers = input({ shape: [T, 2] });
  const embedded = layers.embedding({ inputDim: 9, outputDim: 2, maskZero: true }).apply(words) as Symbolic;
  const dropped = layers.dropout({ rate: 0.1 }).apply(embedded) as Symbolic;
  const probes = {
    masked: new Probe(false),
    unmasked: new Probe(false),
    both: new Probe(true),
    behind: new Probe(false),
  };
  const outputs = [
    probes.masked.apply(dropped),
    probes.unmasked.apply(numbers),
    probes.both.apply([numbers, dropped]),
  ] as Symbolic[];
  outputs.push(probes.behind.apply(outputs[0]!) as Symbolic);
  return { probes, model: model({ inputs: [words, numbers], outputs }) };
}

it.each(["predict", "training"])("gives each layer the masks of its own inputs in %s", async (mode) => {
  const { probes, model } = graph();
  const inputs = [ids(), tf.ones([2, T, 2])];
  if (mode === "predict") model.predict(inputs);
  else {
    model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    await model.trainOnBatch(
      inputs,
      [0, 1, 2, 3].map(() => tf.zeros([2, T, 2])),
    );
  }
  expect(probes.masked.seen).toEqual([MASK]);
  expect(probes.unmasked.seen).toBeUndefined();
  expect(probes.both.seen).toEqual([null, MASK]);
  expect(probes.behind.seen).toEqual([MASK]);
});

it("gives recurrent layers of TensorFlow.js the mask of their input, and no other", () => {
  const words = input({ shape: [T], dtype: "int32" });
  const numbers = input({ shape: [T, 2] });
  const embedded = layers.embedding({ inputDim: 9, outputDim: 2, maskZero: true }).apply(words) as Symbolic;
  // The usual initialiser, orthogonal, calls methods that tfjs-core alone does not have.
  const gru = () => layers.gru({ units: 4, recurrentInitializer: "glorotUniform" });
  const both = [gru().apply(embedded), gru().apply(numbers)] as Symbolic[];
  const joint = model({ inputs: [words, numbers], outputs: both });
  const alone = model({ inputs: numbers, outputs: both[1]! });
  const x = tf.randomNormal([2, T, 2]);
  const [, beside] = joint.predict([ids(), x]) as tf.Tensor[];
  expect([...beside!.dataSync()]).toEqual([...(alone.predict(x) as tf.Tensor).dataSync()]);
});

it("reaches into a model within a model", () => {
  const inner = input({ shape: [T, 2] });
  const probe = new Probe(false);
  const nested = model({ inputs: inner, outputs: probe.apply(inner) as Symbolic });
  const words = input({ shape: [T], dtype: "int32" });
  const embedded = layers.embedding({ inputDim: 9, outputDim: 2, maskZero: true }).apply(words) as Symbolic;
  model({ inputs: words, outputs: nested.apply(embedded) as Symbolic }).predict(ids());
  expect(probe.seen).toEqual([MASK]);
});

it.each(["add", "multiply", "average", "maximum", "minimum"] as const)(
  "gives what %s returns the mask of what is there in one of its inputs, and none where one has none",
  (kind) => {
    const [words, others] = [input({ shape: [T], dtype: "int32" }), input({ shape: [T], dtype: "int32" })];
    const numbers = input({ shape: [T, 2] });
    const embed = (x: Symbolic) =>
      layers.embedding({ inputDim: 9, outputDim: 2, maskZero: true }).apply(x) as Symbolic;
    const [a, again, b] = [embed(words), embed(words), embed(others)];
    const probes = [new Probe(false), new Probe(false), new Probe(false), new Probe(false)] as const;
    const sums = [
      [a, again],
      [a, b, again],
      [a, numbers],
      [numbers, a],
    ].map((summands, n) => probes[n]!.apply(layers[kind]().apply(summands) as Symbolic) as Symbolic);
    const later = tf.tensor2d([0, 0, 5, 6, 0, 0], [2, T], "int32");
    model({ inputs: [words, others, numbers], outputs: sums }).predict([ids(), later, tf.ones([2, T, 2])]);
    expect(probes.map(({ seen }) => seen)).toEqual([[MASK], [[1, 1, 1, 1, 0, 0]], undefined, undefined]);
  },
);

it("joins masks along any axis of Concatenate, an input without one being there everywhere", () => {
  const words = input({ shape: [T], dtype: "int32" });
  const numbers = input({ shape: [T, 2] });
  const embedded = layers.embedding({ inputDim: 9, outputDim: 2, maskZero: true }).apply(words) as Symbolic;
  const probes = [new Probe(false), new Probe(false), new Probe(false)] as const;
  const outputs = ([1, 1, -1] as const).map((axis, n) => {
    const parts = n === 1 ? [embedded, numbers] : [numbers, embedded];
    return probes[n]!.apply(layers.concatenate({ axis }).apply(parts) as Symbolic) as Symbolic;
  });
  model({ inputs: [words, numbers], outputs }).predict([ids(), tf.ones([2, T, 2])]);
  expect(probes.map(({ seen }) => seen)).toEqual([
    [[1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0]],
    [[1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1]],
    [[1, 1, 1, 1, 1, 1]],
  ]);
});

it("joins masks of positions that are images", () => {
  const [H, W] = [2, 5];
  const x = tf.ones([1, T, H, W]);
  const mask = tf.tensor2d([1, 0, 1], [1, T], "bool");
  const [deep, long] = [3, 1].map((axis) => {
    const joined = layers.concatenate({ axis }).apply([x, x], { mask: [mask, mask] });
    return (joined as tf.Tensor & { kerasMask: tf.Tensor }).kerasMask.arraySync();
  });
  expect(deep).toEqual([[1, 0, 1]]);
  expect(long).toEqual([[1, 0, 1, 1, 0, 1]]);
});

it("leaves a mask that the caller gives", () => {
  const mask = tf.tensor2d([1, 0, 1], [1, 3], "bool");
  const probe = new Probe(true);
  const x = tf.ones([1, 3, 2]);
  probe.apply([x, x], { mask: [null, mask] });
  expect(probe.seen).toEqual([null, [1, 0, 1]]);
  const one = new Probe(false);
  one.apply(x, { mask });
  expect(one.seen).toEqual([[1, 0, 1]]);
});

it("leaves no tensor behind", async () => {
  const { model } = graph();
  model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  const inputs = [ids(), tf.ones([2, T, 2])];
  const targets = [0, 1, 2, 3].map(() => tf.zeros([2, T, 2]));
  const step = async () => {
    tf.dispose(model.predict(inputs));
    await model.trainOnBatch(inputs, targets);
  };
  await step();
  const { numTensors } = tf.memory();
  for (let n = 0; n < 5; n++) await step();
  expect(tf.memory().numTensors).toBe(numTensors);
});
