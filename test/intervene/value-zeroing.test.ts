import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { intervene, valueZeroing } from "../../src/intervene/index.ts";
import { attention } from "../../src/ops/index.ts";
import { onEveryBackend } from "../attention/support.ts";
import { random } from "./support.ts";

const [T, S, H, D] = [5, 7, 2, 3];

onEveryBackend("valueZeroing", () => {
  it("is the turn of each state without a value, by the cosine, rows summing to 1", () => {
    const [q, k, v] = [random([1, H, T, D], 1), random([1, H, S, D], 2), random([1, H, S, D], 3)];
    const project = random<tf.Tensor2D>([H * D, 11], 4);
    const states = (v: tf.Tensor4D) => {
      attention(q, k, k);
      const { output, weights } = attention(q, k, v, { causal: "bottomRight", weights: true });
      const heads = tf.reshape(tf.transpose(output, [0, 2, 1, 3]), [T, H * D]);
      return { x: tf.tanh(tf.matMul(heads, project)), weights };
    };
    const before = tf.memory().numTensors;
    const { weights, map } = valueZeroing(() => states(v).x, 1);
    expect(tf.memory().numTensors).toBe(before);
    const clean = states(v).x.arraySync() as number[][];
    const cosines = Array.from({ length: S }, (_, s) => {
      const keep = tf.tensor4d(
        Array.from({ length: S }, (_, r) => Number(r !== s)),
        [1, 1, S, 1],
      );
      const other = states(tf.mul(v, keep)).x.arraySync() as number[][];
      const dot = (a: number[], b: number[]) => a.reduce((sum, x, c) => sum + x * b[c]!, 0);
      return clean.map((x, t) => 1 - dot(x, other[t]!) / Math.sqrt(dot(x, x) * dot(other[t]!, other[t]!)));
    });
    for (let t = 0; t < T; t++) {
      const sum = cosines.reduce((sum, of) => sum + of[t]!, 0);
      for (let s = 0; s < S; s++) {
        expect(weights[t * S + s]).toBeCloseTo(cosines[s]![t]! / sum, 4);
        if (s > t + S - T) expect(weights[t * S + s]).toBe(0);
      }
    }
    expect([...map.row(0, 1).values]).toEqual([...Float32Array.from(weights.subarray(S, 2 * S))]);
  });

  it("says which call is not there, and what states it needs", () => {
    const x = random([1, H, T, D], 1);
    expect(() => valueZeroing(() => attention(x, x, x).output, 1)).toThrow(
      "valueZeroing: layer must be within 0 to 0, as the run calls attention 1 times, got 1; name what is there; numbers begin at 0",
    );
    const before = tf.memory().numTensors;
    expect(() => valueZeroing(() => attention(x, x, x).output, 0)).toThrow(
      "valueZeroing: the run must return [T, C] or [1, T, C], got shape [1, 2, 5, 3]; return the states of one example",
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  it("keeps what goes through other layers", () => {
    const x = random([1, 1, T, D], 5);
    const run = () => tf.reshape(attention(x, x, attention(x, x, x).output as tf.Tensor4D).output, [T, D]);
    const { weights } = valueZeroing(run, 0);
    const turned = intervene(run, [{ do: "knockOut", layer: 0, keys: 2, weight: "lost" }]);
    expect(turned.dataSync()).not.toEqual(run().dataSync());
    expect(weights.reduce((sum, w) => sum + w, 0)).toBeCloseTo(T, 6);
  });
});
