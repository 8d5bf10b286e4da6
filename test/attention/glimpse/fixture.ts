import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";

export interface FixtureArray {
  shape: number[];
  values: number[];
}

/** test/fixtures/glimpse/<name>.json, which tools/fixtures/glimpse.py writes. */
export function fixture<T>(name: string): T {
  const file = new URL(`../../fixtures/glimpse/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as T;
}

export function toTensor<T extends tf.Tensor>({ shape, values }: FixtureArray): T {
  return tf.tensor(values, shape, "float32") as T;
}

/** One number for each example. */
export const perExample = (...values: number[]) => tf.tensor1d(values);

/** Tensors left behind by a call whose results are disposed. */
export function leftBehind(f: () => tf.TensorContainer): number {
  const before = tf.memory().numTensors;
  tf.dispose(f());
  return tf.memory().numTensors - before;
}

/** Images of a plane for each channel. */
export function plane([B, H, W, C]: readonly [number, number, number, number]): number[] {
  return Array.from({ length: B * H * W * C }, (_, e) => {
    const [c, m, n] = [e % C, Math.floor(e / C) % W, Math.floor(e / (C * W)) % H];
    return (0.13 + 0.1 * c) * m - 0.09 * n;
  });
}
