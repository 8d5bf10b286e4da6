/** What every glimpse model must do, as tests: `describeModel` and a maker of models. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { decodeSafetensors, encodeSafetensors } from "../../../src/core/safetensors.ts";
import { useHeedBackend } from "../../../src/host/select.ts";
import { namedGradients } from "../../../src/train/named-gradients.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../../attention/support.ts";
import { slopeOf, slopeWithKinks } from "../slope.ts";

interface Model {
  readonly parameters: { readonly variables: Readonly<Record<string, tf.Variable>> };
  dispose(): void;
}

export interface ModelCase<M extends Model> {
  make(start?: number | Record<string, Float32Array>): M;
  /** [H, W, C] of the images. */
  image: readonly [number, number, number];
  loss(model: M, images: tf.Tensor4D): tf.Scalar;
  /** Everything that a model says about images, one row of numbers for each. */
  outputs(model: M, images: tf.Tensor4D): tf.Tensor2D;
  /** Roundings on the way to the loss, where its value is what its gradient belongs to. @default not so */
  roundings?: number;
  /** Whether the loss has kinks, such as those of a ReLU. @default false */
  kinks?: boolean;
}

/** Images from 0 to 1. */
export function images(count: number, shape: readonly number[], seed = 1): tf.Tensor4D {
  const all = [count, ...shape] as [number, number, number, number];
  const values = new RandomStream(seed).fillUniform(new Float32Array(all.reduce((a, b) => a * b)));
  return tf.tensor4d(values, all);
}

/** A model whose every parameter, biases too, is far enough from zero for its effect to be seen. */
export function shaken<M extends Model>(model: M, deviation = 0.4): M {
  for (const [n, variable] of Object.values(model.parameters.variables).entries()) {
    const { shape, values } = random(100 + n, variable.shape);
    const moved = tensor({ shape, dtype: "float32", values: values.map((x) => deviation * x) });
    variable.assign(moved);
    moved.dispose();
  }
  return model;
}

export const rowsOf = (x: tf.Tensor2D): number[][] => {
  const flat = Array.from(x.dataSync());
  const width = x.shape[1];
  return Array.from({ length: x.shape[0] }, (_, n) => flat.slice(n * width, (n + 1) * width));
};

/** The error that a call throws, and the number of tensors that it leaves behind. */
export function refusal(call: () => unknown): { message: string; left: number } {
  const before = tf.memory().numTensors;
  try {
    call();
  } catch (error) {
    return { message: (error as Error).message, left: tf.memory().numTensors - before };
  }
  throw new Error("nothing was refused");
}

export function describeModel<M extends Model>(name: string, theCase: ModelCase<M>): void {
  const { make, image, loss, outputs, roundings, kinks = false } = theCase;
  const run = (model: M, from: tf.Tensor4D) => tf.tidy(() => rowsOf(outputs(model, from)));

  onEveryBackend(name, () => {
    test("a gradient reaches every parameter", () => {
      const model = shaken(make());
      const x = images(3, image);
      const { grads } = namedGradients(model.parameters.variables, () => loss(model, x));
      const still = Object.keys(model.parameters.variables).filter(
        (key) => !grads[key]?.dataSync().some((g) => g !== 0 && Number.isFinite(g)),
      );
      expect(still).toEqual([]);
      tf.dispose([grads, x]);
      model.dispose();
    });

    test("one seed makes one model, and another seed another", () => {
      const [a, b, c] = [make(1), make(1), make(2)];
      const x = images(2, image);
      expect(run(b, x)).toEqual(run(a, x));
      expect(run(c, x)).not.toEqual(run(a, x));
      for (const one of [a, b, c, x]) one.dispose();
    });

    test("saved as safetensors and loaded, it says the same", () => {
      const model = shaken(make());
      const x = images(2, image);
      const tensors = Object.entries(model.parameters.variables).map(
        ([key, x]) =>
          [key, { dtype: "F32" as const, shape: x.shape, data: x.dataSync() as Float32Array }] as const,
      );
      expect(tensors.length).toBeGreaterThan(0);
      const again = decodeSafetensors(encodeSafetensors(Object.fromEntries(tensors))).tensors;
      const values = Object.entries(again).map(([key, { data }]) => [key, data as Float32Array] as const);
      const loaded = make(Object.fromEntries(values));
      expect(run(loaded, x)).toEqual(run(model, x));
      for (const one of [model, loaded, x]) one.dispose();
    });

    test("an example of a batch is treated as it is alone, beside one of NaN too", () => {
      const model = shaken(make());
      const [first, second] = [images(1, image, 1), images(1, image, 2)];
      const alone = run(model, first)[0]!;
      const empty = tf.fill(second.shape, Number.NaN) as tf.Tensor4D;
      for (const other of [second, empty]) {
        const both = tf.concat([first, other]) as tf.Tensor4D;
        // Products of other sizes may sum in another order.
        const scale = Math.max(1, ...alone.map(Math.abs));
        expect(distance(run(model, both)[0]!, alone)).toBeLessThan(64 * ROUNDING * scale);
        both.dispose();
      }
      for (const one of [model, first, second, empty]) one.dispose();
    });

    test("it leaves no tensor behind", () => {
      const before = tf.memory().numTensors;
      const model = make();
      const x = images(2, image);
      const made = tf.memory().numTensors;
      run(model, x);
      const { grads } = namedGradients(model.parameters.variables, () => loss(model, x));
      tf.dispose(grads);
      expect(tf.memory().numTensors).toBe(made);
      for (const one of [model, x]) one.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });
  });
  if (roundings !== undefined)
    test(`the gradients of ${name} are those of differences`, async () => {
      await useHeedBackend();
      const model = shaken(make());
      const x = images(2, image);
      const { grads } = namedGradients(model.parameters.variables, () => loss(model, x));
      const lossOf = () => tf.tidy(() => loss(model, x).dataSync()[0]!);
      for (const [key, variable] of Object.entries(model.parameters.variables)) {
        const gradient = grads[key]!.dataSync() as Float32Array;
        const norm = Math.hypot(...gradient);
        const along = (kinks ? slopeWithKinks : slopeOf)(
          variable,
          gradient.map((g) => g / norm),
          lossOf,
          roundings,
        );
        // A gradient that was wrong by a quarter would be seen.
        expect(along.tolerance, key).toBeLessThan(norm / 4);
        expect(Math.abs(norm - along.value), key).toBeLessThanOrEqual(along.tolerance);
      }
      tf.dispose([grads, x]);
      model.dispose();
    });
}
