/** Against PyTorch and timm: tools/fixtures/feature.py made the vectors, in float64. */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { distance, onEveryBackend } from "../support.ts";
import { call, type Flat, outputOf } from "./support.ts";

interface Stored {
  shape: number[];
  values: number[];
}
interface Case {
  name: string;
  call: string;
  options: object;
  inputs: Record<string, Stored>;
  parameters: Record<string, Stored>;
  results: Record<string, Stored>;
  gradients: Record<string, Stored>;
}

const folder = new URL("../../fixtures/feature/", import.meta.url);
const FILES = ["gates", "channels", "spatial", "selective", "non-local", "positions"];
const cases = FILES.flatMap(
  (file) => JSON.parse(readFileSync(new URL(`${file}.json`, folder), "utf8")) as Case[],
);

const tensors = (stored: Record<string, Stored>): Flat =>
  Object.fromEntries(
    Object.entries(stored).map(([key, { shape, values }]) => [key, tf.tensor(values, shape)]),
  );

/** Whether softmax over the keys takes this parameter out again: what moves all scores of a query alike. */
const cancels = ({ call: name, options }: Case, key: string) =>
  name === "nonLocal" &&
  key === "bPhi" &&
  ["embeddedGaussian", undefined].includes((options as { kind?: string }).kind);

onEveryBackend("features against PyTorch and timm", () => {
  it.each(cases.map((one) => [`${one.call}: ${one.name}`, one] as const))("%s", (_, one) => {
    tf.tidy(() => {
      const inputs = tensors(one.inputs);
      const parameters = tensors(one.parameters);
      const wanted = "weights" in one.results ? { ...one.options, weights: true } : one.options;
      const results = call(one.call, inputs, parameters, wanted);
      for (const [key, expected] of Object.entries(one.results)) {
        const got = results[key] as tf.Tensor;
        expect(distance(got.dataSync(), expected.values), key).toBeLessThanOrEqual(1e-5);
      }
      const all = { ...inputs, ...parameters };
      const names = Object.keys(all);
      const f = outputOf(one.call, Object.keys(inputs), one.options);
      const grads = tf.grads((...given: tf.Tensor[]) =>
        f(Object.fromEntries(names.map((name, n) => [name, given[n]!]))),
      );
      const { output } = results;
      const dy = tf.tensor(
        Array.from({ length: output.size }, (__, e) => Math.cos(1 + e)),
        output.shape,
      );
      grads(Object.values(all), dy).forEach((gradient, n) => {
        const name = names[n]!;
        const expected = one.gradients[name]!.values;
        expect(gradient.shape, name).toEqual(all[name]!.shape);
        // Sums of up to 400 products of size 1: float32 keeps six digits of the largest.
        const size = Math.max(1, ...expected.map(Math.abs));
        expect(distance(gradient.dataSync(), expected), name).toBeLessThanOrEqual(1e-5 * size);
        expect(
          expected.some((value) => Math.abs(value) > 1e-6),
          name,
        ).toBe(!cancels(one, name));
      });
    });
  });
});
