/** What every layer of heed must do, as tests: `describeLayer` and a maker of layers. */
import * as tf from "@tensorflow/tfjs-core";
import { input, type layers, loadLayersModel, model as makeModel, type Shape } from "@tensorflow/tfjs-layers";
import "../../src/layers/index.ts";
import { expect, it } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { onEveryBackend, random, tensor } from "../attention/support.ts";
import { type HeadCase, headCases } from "./head-cases.ts";

type Layer = layers.Layer;
type LayerClass<A> = {
  new (args: A): Layer;
  readonly className: string;
  readonly fields: object;
  fromConfig: typeof layers.Layer.fromConfig;
};
type Symbolic = ReturnType<typeof input>;

export interface LayerCase<A> {
  readonly args: A;
  /** The shape of each input without its batch axis, every size known. */
  readonly inputs: readonly number[][];
  /** Weights that training need not change, such as a bias of keys, whose gradient is 0. @default none */
  readonly still?: readonly string[];
  /** What a layer of heads can do: runs the cases of head-cases.ts with these arguments and inputs. @default none */
  readonly heads?: HeadCase;
  /** @default 2 */
  readonly batch?: number;
}

const toList = <T>(x: T | T[]): T[] => (Array.isArray(x) ? x : [x]);
const one = <T>(list: T[]): T | T[] => (list.length === 1 ? list[0]! : list);
const values = (x: tf.Tensor | tf.Tensor[]) => toList(x).map((t) => [...t.dataSync()]);

/** One number for each output: TensorFlow.js adds up those of several outputs before it takes means. */
const squaredError = (y: tf.Tensor, output: tf.Tensor) => tf.mean(tf.square(tf.sub(y, output)));

/** Inputs for a layer, filled with normal numbers. */
export function layerInputs(shapes: readonly number[][], batch = 2, seed = 1): tf.Tensor[] {
  return shapes.map((shape, at) => tensor(random(seed + at, [batch, ...shape])));
}

/** A model of one layer. */
export function modelOf(layer: Layer, shapes: readonly Shape[]) {
  const inputs = shapes.map((shape) => input({ shape }));
  return makeModel({ inputs: one(inputs), outputs: layer.apply(one(inputs)) as Symbolic });
}

/** Saves a model to memory and loads it again. */
export async function reloaded(model: ReturnType<typeof modelOf>) {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = JSON.parse(JSON.stringify({ ...artifacts, weightData: undefined }));
      saved!.weightData = artifacts.weightData!;
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
  return loadLayersModel(tf.io.fromMemory(saved!));
}

/** Tests of one layer, on every backend. */
export function describeLayer<A>(Class: LayerClass<A>, cases: Readonly<Record<string, LayerCase<A>>>): void {
  onEveryBackend(Class.className, () => {
    for (const [title, { args, inputs: shapes, still = [], heads, batch = 2 }] of Object.entries(cases)) {
      const make = (extra: object = {}) => new Class({ ...args, ...extra });
      const inputs = () => one(layerInputs(shapes, batch));
      if (heads) {
        const { className: name, fields } = Class;
        headCases({ title, name, fields, args: args as object, inputs: shapes, heads, make });
      }

      it(`${title}: makes itself again from its configuration`, () => {
        const layer = make({ name: "again" });
        const config = JSON.parse(JSON.stringify(layer.getConfig()));
        const again = Class.fromConfig(Class as never, config) as Layer;
        expect(JSON.parse(JSON.stringify(again.getConfig()))).toEqual(config);
        expect(again).toBeInstanceOf(Class);
      });

      it(`${title}: computes the same once saved and loaded, and as a clone`, async () => {
        const layer = make();
        const model = modelOf(layer, shapes);
        const expected = values(model.predict(inputs()));
        expect(expected.flat().some((value) => value !== 0)).toBe(true);
        expect(expected.flat().every(Number.isFinite)).toBe(true);
        const loaded = await reloaded(model);
        expect(values(loaded.predict(inputs()))).toEqual(expected);
        expect(loaded.weights.map((w) => w.originalName)).toEqual(model.weights.map((w) => w.originalName));
        const clone = Class.fromConfig(Class as never, { ...layer.getConfig(), name: "clone" }) as Layer;
        const cloned = modelOf(clone, shapes);
        clone.setWeights(layer.getWeights());
        expect(values(cloned.predict(inputs()))).toEqual(expected);
      });

      it(`${title}: has the shapes that it computed, called on tensors and in models of unknown batch`, () => {
        const layer = make();
        const model = modelOf(layer, shapes);
        const outputs = toList(layer.apply(inputs()) as tf.Tensor | tf.Tensor[]);
        const computed = layer.computeOutputShape(one(shapes.map((shape) => [batch, ...shape])));
        expect(outputs.map(({ shape }) => shape)).toEqual(Array.isArray(computed[0]) ? computed : [computed]);
        const unknown = toList(model.outputs).map(({ shape }) => shape.slice(1));
        expect(outputs.map(({ shape }) => shape.slice(1))).toEqual(unknown);
      });

      it(`${title}: learns, and every weight of it`, async () => {
        const layer = make("seed" in make().getConfig() ? { seed: 11 } : {});
        const model = modelOf(layer, shapes);
        if (layer.trainableWeights.length === 0) return;
        model.compile({ optimizer: tf.train.adam(0.01), loss: squaredError });
        const before = layer.weights.map(
          (weight) => [weight.originalName, [...weight.read().dataSync()]] as const,
        );
        const targets = one(
          toList(model.outputs).map(({ shape }, at) =>
            tensor(random(90 + at, [batch, ...(shape.slice(1) as number[])])),
          ),
        );
        const loss = () =>
          toList(model.evaluate(inputs(), targets) as tf.Scalar | tf.Scalar[])[0]!.dataSync()[0]!;
        const first = loss();
        for (let step = 0; step < 10; step++) await model.trainOnBatch(inputs(), targets);
        expect(loss()).toBeLessThan(first);
        for (const [at, [name, old]] of before.entries()) {
          if (still.some((ending) => name.endsWith(ending)) || !layer.weights[at]!.trainable) continue;
          expect([...layer.weights[at]!.read().dataSync()], name).not.toEqual(old);
        }
      });

      it(`${title}: leaves no tensor behind, step after step, nor when called on tensors`, async () => {
        const layer = make();
        const model = modelOf(layer, shapes);
        model.compile({ optimizer: "sgd", loss: squaredError });
        const x = inputs();
        const y = tf.tidy(() => model.predict(x));
        const step = async () => {
          if (layer.trainableWeights.length > 0) await model.trainOnBatch(x, y);
          else tf.dispose(model.predict(x));
          tf.dispose(layer.apply(x) as tf.Tensor);
        };
        await step();
        const { numTensors } = tf.memory();
        // What leaks, leaks in every step, or where a step meets what an earlier one kept.
        for (let n = 0; n < 10; n++) await step();
        expect(tf.memory().numTensors).toBe(numTensors);
      });

      it(`${title}: refuses keys that it does not know`, () => {
        const unknown = () => make({ bogus: 1 });
        expect(unknown).toThrow(OptionError);
        expect(unknown).toThrow(
          new RegExp(`^${Class.className}: every key of its configuration must be one of .*, got bogus; `),
        );
        expect(() => Class.fromConfig(Class as never, { ...make().getConfig(), bogus_key: 1 })).toThrow(
          /got bogusKey;/,
        );
      });

      it(`${title}: draws the same weights for the same seed, and others for another`, () => {
        if (!("seed" in make().getConfig())) return;
        const drawn = (seed: number) => {
          const layer = make({ seed });
          modelOf(layer, shapes);
          return values(layer.getWeights());
        };
        expect(drawn(5)).toEqual(drawn(5));
        if (
          drawn(5)
            .flat()
            .some((value) => value !== 0 && value !== 1)
        )
          expect(drawn(6)).not.toEqual(drawn(5));
      });
    }
  });
}
