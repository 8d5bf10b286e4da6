/** Layers in the forms that they have, as models, and what onnxruntime-web makes of the files of these. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { expect } from "vitest";
import { exportOnnx } from "../../src/onnx/index.ts";
import { distance, random } from "../attention/support.ts";
import { sessionOf } from "./runtime.ts";

export type Symbolic = tfl.SymbolicTensor;
type Layer = tfl.layers.Layer;

export const WIDTH = 6;
export const CHANNELS = 8;
export const seed = 3;

export const input = (name: string, shape: (number | null)[], dtype?: "int32") =>
  tfl.input({ shape, name, ...(dtype && { dtype }) });
export const vectors = (name: string, C = WIDTH) => input(name, [null, C]);

/** Weights that begin as zeros or ones say little: all are drawn, variances above 0. */
export function drawn(model: tfl.LayersModel): tfl.LayersModel {
  tf.tidy(() => {
    const made = model.weights.map(({ shape, originalName }, n) => {
      const { values } = random(n + 1, shape.length > 0 ? (shape as number[]) : [1]);
      const isVariance = originalName.endsWith("moving_variance");
      return tf.tensor(Float32Array.from(values, isVariance ? Math.abs : Number), shape as number[]);
    });
    model.setWeights(made);
  });
  return model;
}

/**
 * What a layer is applied to: sequences `x` and `memory`, `a` and `b` with a mask, which ids of 0 make; images of any size and of
 * one; vectors.
 */
const SOURCES = {
  x: () => vectors("x"),
  memory: () => vectors("memory"),
  a: () => input("a", [null], "int32"),
  b: () => input("b", [null], "int32"),
  fixed: () => input("fixed", [5, WIDTH]),
  image: () => input("image", [null, null, CHANNELS]),
  picture: () => input("picture", [4, 6, CHANNELS]),
  state: () => input("state", [WIDTH]),
  crop: () => input("crop", [4]),
} as const;
export type Source = keyof typeof SOURCES;

/** A layer in one of its forms, and over which inputs. */
export interface Form {
  readonly make: () => Layer;
  readonly over: readonly (readonly Source[])[];
}
/** Forms of layers by the names of their classes. */
export type Forms = Readonly<Record<string, readonly Form[]>>;

export const form = (make: () => Layer, ...over: Form["over"]): Form => ({ make, over });

/** A sequence alone and with another, both also partly masked. */
export const ONE = [["x"], ["a"]] as const;
export const TWO = [
  ["x", "memory"],
  ["a", "b"],
] as const;

/** One model of all forms. */
export function modelOf(forms: readonly Form[]): tfl.LayersModel {
  const embedding = tfl.layers.embedding({ inputDim: 11, outputDim: WIDTH, maskZero: true });
  const inputs = new Map<Source, Symbolic>();
  const read = (source: Source): Symbolic => {
    const symbol = inputs.get(source) ?? SOURCES[source]();
    inputs.set(source, symbol);
    return symbol.dtype === "int32" ? (embedding.apply(symbol) as Symbolic) : symbol;
  };
  const outputs = forms.flatMap(({ make, over }) =>
    over.flatMap((sources) => {
      const symbols = sources.map(read);
      return make().apply(symbols.length > 1 ? symbols : symbols[0]!) as Symbolic | Symbolic[];
    }),
  );
  return drawn(tfl.model({ inputs: [...inputs.values()], outputs }));
}

/** Sizes of the inputs of a model: B = 2, then T = 5 and S = 3, and after them another batch. */
function inputsOf(model: tfl.LayersModel, B: number, lengths: readonly number[]) {
  return model.inputs.map(({ shape, dtype, sourceLayer }, n) => {
    let at = n;
    const sizes = shape.map((size, axis) => size ?? (axis === 0 ? B : lengths[at++ % lengths.length]!));
    if (sourceLayer.name === "pairs") sizes[1] = sizes[2] = lengths[0]!;
    const { values } = random(n + 7, sizes);
    const isIds = dtype === "int32";
    // The last ids of a row are 0, and so hidden; one example has nothing to see at all.
    const id = (value: number, at: number) =>
      at % sizes[1]! >= sizes[1]! - Math.floor(at / sizes[1]!) - (sourceLayer.name === "b" && B === 3 ? 1 : 0)
        ? 0
        : 1 + (Math.floor(1e4 * Math.abs(value)) % 10);
    const made = Float32Array.from(values, (value, at) =>
      sourceLayer.name === "pairs" ? Number(value > -0.5) : isIds ? id(value, at) : value,
    );
    return { name: sourceLayer.name, shape: sizes, values: made, isIds };
  });
}

/** Sizes of batches, and lengths in them. */
const BATCHES: readonly (readonly [B: number, lengths: readonly number[]])[] = [
  [2, [5, 3]],
  [3, [2, 7]],
];

/** Expects the same of a model's file as of the model, for batches with lengths of their own. */
export async function expectSame(
  model: tfl.LayersModel,
  attention: "operator" | "plain",
  batches = BATCHES,
): Promise<void> {
  const session = await sessionOf(exportOnnx(model, { attention }));
  for (const [B, lengths] of batches) {
    const inputs = inputsOf(model, B, lengths);
    const feeds = Object.fromEntries(
      inputs.map(({ name, shape, values, isIds }) => [
        name,
        { shape, values: isIds ? Int32Array.from(values) : values },
      ]),
    );
    const got = await session.run(feeds);
    tf.tidy(() => {
      const tensors = inputs.map(({ shape, values, isIds }) =>
        tf.tensor(values, shape, isIds ? "int32" : "float32"),
      );
      const wanted = [model.predict(tensors)].flat();
      expect(session.outputs.length).toBe(wanted.length);
      for (const [n, tensor] of wanted.entries()) {
        const { shape, values } = got[session.outputs[n]!]!;
        expect(shape).toEqual(tensor.shape);
        const expected = Array.from(tensor.dataSync());
        expect(expected.every(Number.isFinite)).toBe(true);
        const most = Math.max(1, ...expected.map(Math.abs));
        expect(distance(Array.from(values), expected), `${session.outputs[n]} of ${B}`).toBeLessThan(
          1e-5 * most,
        );
      }
    });
  }
  await session.release();
}
