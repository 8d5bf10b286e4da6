import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { distance } from "../support.ts";

interface Numbers {
  shape: number[];
  values: number[];
}
interface Case<Options> {
  options: Options;
  inputs: Record<string, Numbers>;
  cotangents: Numbers;
  outputs: Record<string, Numbers>;
  gradients: Record<string, Numbers>;
}
type Tensors = Record<string, tf.Tensor>;

/** Holds a mechanism to its PyTorch fixture: outputs to 1e-5, the gradient of every input and parameter to 1e-4. */
export function expectFixture<Options>(
  name: string,
  run: (inputs: Tensors, options: Options) => { output: tf.Tensor },
): void {
  const url = new URL(`../../fixtures/adaptive/${name}.json`, import.meta.url);
  const one = JSON.parse(readFileSync(url, "utf8")) as Case<Options>;
  const read = ({ shape, values }: Numbers) => tf.tensor(values, shape);
  tf.tidy(() => {
    const names = Object.keys(one.inputs);
    const tensors = names.map((input) => read(one.inputs[input]!));
    const call = (x: tf.Tensor[]) =>
      run(Object.fromEntries(names.map((input, n) => [input, x[n]!])), one.options);
    const result = call(tensors) as unknown as Tensors;
    for (const [output, expected] of Object.entries(one.outputs)) {
      expect(result[output]!.shape, output).toEqual(expected.shape);
      expect(distance(result[output]!.dataSync(), expected.values), output).toBeLessThanOrEqual(1e-5);
    }
    const gradients = tf.grads((...x: tf.Tensor[]) => call(x).output)(tensors, read(one.cotangents));
    names.forEach((input, n) => {
      const { values } = one.gradients[input]!;
      const size = Math.max(1, ...values.map(Math.abs));
      expect(distance(gradients[n]!.dataSync(), values), input).toBeLessThanOrEqual(1e-4 * size);
      expect(values.every((d) => d !== 0) || input !== "z", input).toBe(true);
    });
  });
}
