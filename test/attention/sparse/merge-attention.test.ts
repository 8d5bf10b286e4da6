import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { softAttention } from "../../../src/attention/sequence/index.ts";
import { mergeAttention } from "../../../src/attention/sparse/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend } from "../support.ts";
import { expectDense, inputs, make, type Qkv } from "./inputs.ts";

/** Keys [from, to) of an input, as a part of their own. */
const keys = (x: tf.Tensor4D, from: number, to: number) => {
  const [B, H, , D] = x.shape;
  return tf.slice(x, [0, 0, from, 0], [B, H, to - from, D]);
};

onEveryBackend("mergeAttention", () => {
  it.each([
    [2, 3, 3, 5, 7, 3, 5],
    [1, 4, 2, 3, 11, 2, 3],
    [3, 1, 1, 7, 5, 5, 2],
  ])("of parts of the keys is attention to all of them, with its gradients: %i %i %i %i %i", (...sizes) => {
    const S = sizes[4]!;
    const merged = ({ q, k, v }: Qkv) =>
      mergeAttention(
        [
          [0, 2],
          [2, 3],
          [3, S],
        ].map(([from, to]) => softAttention(q, keys(k, from!, to!), keys(v, from!, to!), { lse: true })),
      );
    expectDense(merged, inputs(sizes), () => true);
  });

  it("takes nothing from a part without a key, and gives 0 where no part has one", () => {
    const x = inputs([2, 2, 2, 3, 5, 3, 3]);
    const merged = ({ q, k, v }: Qkv) =>
      mergeAttention([
        softAttention(q, keys(k, 0, 2), keys(v, 0, 2), { lse: true, keyLengths: [2, 0] }),
        softAttention(q, keys(k, 2, 5), keys(v, 2, 5), { lse: true, keyLengths: [1, 0] }),
      ]);
    expectDense(merged, x, () => true, { keyLengths: [3, 0] });
    tf.tidy(() => {
      const { output, lse } = merged(x);
      expect(output.dataSync().slice(18)).toEqual(new Float32Array(18));
      expect([...lse.dataSync().slice(6)]).toEqual(new Array(6).fill(-Infinity));
    });
  });

  it("passes gradcheck in outputs and lse", () => {
    const x = { a: make(1, 1, 2, 3, 5), b: make(2, 1, 2, 3, 5), s: make(3, 1, 2, 3), t: make(4, 1, 2, 3) };
    gradcheckTensors((x) => {
      const [a, b] = [x.a, x.b] as [tf.Tensor4D, tf.Tensor4D];
      const [s, t] = [x.s, x.t] as unknown as [tf.Tensor3D, tf.Tensor3D];
      const { output, lse } = mergeAttention([
        { output: a, lse: s },
        { output: b, lse: t },
      ]);
      return tf.concat([output, tf.expandDims(lse, 3)], 3);
    }, x);
  });

  it("says what is wrong", () => {
    const part = { output: make(1, 1, 2, 3, 5), lse: tf.zeros<tf.Rank.R3>([1, 2, 3]) };
    expect(() => mergeAttention([])).toThrow(
      "mergeAttention: parts must be 1 or more, got none; give what attention over each set gave",
    );
    expect(() => mergeAttention([part, { ...part, output: make(1, 1, 2, 4, 5) }])).toThrow(
      "mergeAttention: output [B, H, T, Dv] and output [B, H, T, Dv] of the first part must have the same shape, got shapes [1, 2, 4, 5] and [1, 2, 3, 5]; make their shape equal",
    );
  });
});
