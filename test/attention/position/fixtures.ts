/** Arrays of the fixtures of tools/fixtures/position.py and efficient.py. */
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { distance } from "../support.ts";

export interface FixtureArray {
  shape: number[];
  values: number[];
}

export function fixtureTensor<T extends tf.Tensor>({ shape, values }: FixtureArray): T {
  return tf.tensor(values, shape, "float32") as T;
}

/** f of these inputs, and its gradients, are those of the fixture: to 1e-5 and 1e-4. */
export function expectFixture(
  f: (...x: tf.Tensor[]) => tf.Tensor,
  inputs: Record<string, FixtureArray>,
  {
    dy,
    output,
    gradients,
  }: { dy: FixtureArray; output: FixtureArray; gradients: Record<string, FixtureArray> },
): void {
  tf.tidy(() => {
    const names = Object.keys(inputs);
    const x = names.map((name) => fixtureTensor(inputs[name]!));
    const y = f(...x);
    expect(y.shape).toEqual(output.shape);
    expect(distance(y.dataSync(), output.values)).toBeLessThanOrEqual(1e-5);
    const got = tf.grads(f)(x, fixtureTensor(dy));
    names.forEach((name, n) => {
      expect(
        distance(got[n]!.dataSync(), gradients[name]!.values),
        `gradient of ${name}`,
      ).toBeLessThanOrEqual(1e-4);
    });
  });
}
