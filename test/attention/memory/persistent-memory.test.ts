import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { persistentMemoryAttention } from "../../../src/attention/memory/index.ts";
import { ShapeError } from "../../../src/core/errors.ts";
import { attention } from "../../../src/ops/attention.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [B, H, Hkv, T, S, M, D, Dv] = [2, 4, 2, 3, 5, 11, 3, 7];
const CLOSE = 64 * ROUNDING;
const LETTERS = "the letters must mean the same sizes in all of the call's tensors";

const given = <X extends tf.Tensor>(seed: number, ...shape: number[]) => tensor<X>(random(seed, shape));
const inputs = () => ({
  q: given<tf.Tensor4D>(1, B, H, T, D),
  k: given<tf.Tensor4D>(2, B, Hkv, S, D),
  v: given<tf.Tensor4D>(3, B, Hkv, S, Dv),
  mk: given<tf.Tensor3D>(4, Hkv, M, D),
  mv: given<tf.Tensor3D>(5, Hkv, M, Dv),
});

onEveryBackend("persistentMemoryAttention", () => {
  it("is one softmax over context and memory: attention over both, one after the other", () => {
    tf.tidy(() => {
      const { q, k, v, mk, mv } = inputs();
      const allow = tf.tensor2d(
        Array.from({ length: T * S }, (_, e) => Math.floor(e / S) < 2 && e % 3 !== 1),
        [T, S],
        "bool",
      );
      const { output, weights, memoryWeights } = persistentMemoryAttention(
        q,
        k,
        v,
        { mk, mv },
        { allow, weights: true },
      );
      const forAll = (x: tf.Tensor3D) => tf.tile<tf.Tensor4D>(tf.expandDims(x, 0), [B, 1, 1, 1]);
      const joined = attention(q, tf.concat([k, forAll(mk)], 2), tf.concat([v, forAll(mv)], 2), {
        allow: tf.concat([allow, tf.ones([T, M], "bool")], 1),
        weights: true,
      });
      expect(distance(output.dataSync(), joined.output.dataSync())).toBeLessThanOrEqual(CLOSE);
      const both = tf.concat([weights, memoryWeights], 3);
      expect(distance(both.dataSync(), joined.weights.dataSync())).toBeLessThanOrEqual(CLOSE);
    });
  });

  it("worked by hand: a token and a memory that score alike are read half and half", () => {
    tf.tidy(() => {
      const x = tf.ones<tf.Rank.R4>([1, 1, 1, 2]);
      const memory = { mk: tf.ones<tf.Rank.R3>([1, 1, 2]), mv: tf.tensor3d([[[3, 5]]]) };
      const { output } = persistentMemoryAttention(x, x, x, memory, { causal: true });
      expect(distance(output.dataSync(), [2, 3])).toBeLessThanOrEqual(CLOSE);
    });
  });

  it("reads the memory alone where no key is visible, and gives 0 beyond the queries", () => {
    tf.tidy(() => {
      const { q, k, v, mk, mv } = inputs();
      const nan = tf.fill<tf.Rank.R4>([B, Hkv, S, D], Number.NaN);
      const options = { keyLengths: [0, 0], queryLengths: [2, T], weights: true } as const;
      const { output, weights, memoryWeights } = persistentMemoryAttention(
        q,
        nan,
        tf.mul(v, Number.NaN),
        { mk, mv },
        options,
      );
      const forAll = (x: tf.Tensor3D) => tf.tile<tf.Tensor4D>(tf.expandDims(x, 0), [B, 1, 1, 1]);
      const memory = attention(q, forAll(mk), forAll(mv), { queryLengths: [2, T], weights: true });
      expect(distance(output.dataSync(), memory.output.dataSync())).toBeLessThanOrEqual(CLOSE);
      expect(distance(memoryWeights.dataSync(), memory.weights.dataSync())).toBeLessThanOrEqual(CLOSE);
      expect([...weights.dataSync()].every((w) => w === 0)).toBe(true);
      expect(k.shape).toEqual(nan.shape);
    });
  });

  it("has gradients that agree with differences, of context and memory", () => {
    tf.tidy(() => {
      const small = (seed: number, ...shape: number[]) => tf.mul(given(seed, ...shape), 0.4);
      const x = {
        q: small(1, 1, 4, 2, D),
        k: small(2, 1, 2, 3, D),
        v: small(3, 1, 2, 3, 2),
        mk: small(4, 2, 5, D),
        mv: small(5, 2, 5, 2),
      };
      const f = ({ q, k, v, mk, mv }: Record<string, tf.Tensor>) =>
        persistentMemoryAttention(q as never, k as never, v as never, { mk, mv } as never, {
          causal: "bottomRight",
        }).output;
      expect(() => gradcheckTensors(f, x)).not.toThrow();
    });
  });

  it("leaves no tensor behind, and refuses a memory of another width, of other heads, or of nothing", () => {
    const { q, k, v, mk, mv } = inputs();
    const before = tf.memory().numTensors;
    const { output, weights, memoryWeights } = persistentMemoryAttention(
      q,
      k,
      v,
      { mk, mv },
      { weights: true },
    );
    expect(tf.memory().numTensors).toBe(before + 3);
    tf.tidy(() => {
      const refused: [() => unknown, string][] = [
        [
          () => persistentMemoryAttention(q, k, v, { mk: tf.ones([Hkv, M, 4]), mv }),
          `persistentMemoryAttention: mk must be float32 of shape [Hkv, M, D] = [2, 11, 3], got float32 of shape [2, 11, 4]; ${LETTERS}`,
        ],
        [
          () => persistentMemoryAttention(q, k, v, { mk, mv: tf.ones([H, M, Dv]) }),
          `persistentMemoryAttention: mv must be float32 of shape [Hkv, M, Dv] = [2, 11, 7], got float32 of shape [4, 11, 7]; ${LETTERS}`,
        ],
        [
          () => persistentMemoryAttention(q, k, v, { mk: tf.ones([Hkv, 0, D]), mv: tf.ones([Hkv, 0, Dv]) }),
          "persistentMemoryAttention: a memory must have S ≥ 1 slots, got S = 0; weights over nothing cannot add up to 1; give it a slot",
        ],
      ];
      for (const [call, message] of refused) {
        expect(call).toThrow(ShapeError);
        expect(call).toThrow(expect.objectContaining({ message }));
      }
    });
    tf.dispose([output, weights, memoryWeights, q, k, v, mk, mv]);
  });
});
