import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { BACKEND } from "../../../src/host/backend.ts";
import { describeBuilds } from "../../support/kernel-build.ts";
import { expectLikeCpu, normal } from "../compare.ts";

const TRANSPOSES = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

/** Operands of a [M, K] by [K, N] product, stored transposed where asked. */
function operands(
  batchA: number[],
  batchB: number[],
  [M, N, K]: number[],
  [tA, tB]: readonly [boolean, boolean],
) {
  const a = normal([...batchA, ...(tA ? [K!, M!] : [M!, K!])], 1);
  const b = normal([...batchB, ...(tB ? [N!, K!] : [K!, N!])], 2);
  return { a, b, transposeA: tA, transposeB: tB };
}

describeBuilds("BatchMatMul", () => {
  const sizes = [
    [1, 1, 1],
    [1, 7, 13],
    [5, 1, 3],
    [6, 8, 4],
    [7, 9, 5],
    [13, 29, 389],
    [97, 17, 2],
    [101, 23, 397],
    [3, 531, 11],
    [103, 1031, 389],
    [0, 3, 5],
    [3, 0, 5],
  ];
  for (const transposes of TRANSPOSES) {
    it.each(sizes)(`multiplies %d × %d over %d, transposes ${transposes}`, async (M, N, K) => {
      await expectLikeCpu(() => {
        const { a, b } = operands([], [], [M, N, K], transposes);
        return tf.matMul(a, b, ...transposes);
      }, K);
    });
  }

  it.each([
    [[3], [3]],
    [[3], [1]],
    [[1], [3]],
    [
      [2, 3],
      [2, 3],
    ],
    [[2, 3], [3]],
    [[], [5]],
    [[0], [0]],
  ])("broadcasts batches %j and %j in every transpose", async (batchA, batchB) => {
    for (const transposes of TRANSPOSES) {
      await expectLikeCpu(() => {
        const { a, b } = operands(batchA, batchB, [5, 7, 11], transposes);
        return tf.matMul(a, b, ...transposes);
      }, 11);
    }
  });

  it.each([
    [
      [2, 1],
      [1, 3],
    ],
    [
      [2, 1],
      [2, 3],
    ],
    [
      [2, 3],
      [1, 3],
    ],
  ])("broadcasts batches %j and %j, which cpu gets wrong", async (batchA, batchB) => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      const a = normal([...batchA, 5, 7], 1);
      const b = normal([...batchB, 7, 2], 2);
      const whole = tf.matMul(a, b);
      const reps = (batch: number[]) => [2 / batch[0]!, 3 / batch[1]!, 1, 1];
      const tiled = tf.matMul(tf.tile(a, reps(batchA)), tf.tile(b, reps(batchB)));
      expect(whole.shape).toEqual([2, 3, 5, 2]);
      expect([...whole.dataSync()]).toEqual([...tiled.dataSync()]);
    });
  });

  it("sums over nothing to zero", async () => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      expect([...tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])).dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
    });
  });

  it("multiplies integers exactly", async () => {
    await expectLikeCpu(() => {
      const a = tf.tensor2d(
        [
          [16777217, -3],
          [5, 7],
        ],
        [2, 2],
        "int32",
      );
      const b = tf.tensor2d(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [2, 3],
        "int32",
      );
      return [tf.matMul(a, b), tf.matMul(b, a, true, true)];
    });
  });

  it("keeps NaN and Infinity in their row and column", async () => {
    await expectLikeCpu(() => {
      const a = tf.tensor2d([
        [Number.NaN, 1],
        [2, 3],
        [Number.POSITIVE_INFINITY, 1],
      ]);
      return tf.matMul(
        a,
        tf.tensor2d([
          [1, -1, 0],
          [4, 5, 6],
        ]),
      );
    });
  });

  it("gives the gradients of cpu in every transpose", async () => {
    for (const transposes of TRANSPOSES) {
      await expectLikeCpu(() => {
        const { a, b } = operands([3], [3], [5, 7, 11], transposes);
        const loss = (x: tf.Tensor, y: tf.Tensor) => tf.sum(tf.square(tf.matMul(x, y, ...transposes)));
        return tf.grads(loss)([a, b]);
      }, 11 * 7);
    }
  });

  it("refuses inner sizes that differ", async () => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      expect(() =>
        tf.engine().runKernel("BatchMatMul", { a: tf.zeros([1, 2, 3]), b: tf.zeros([1, 5, 7]) }, {}),
      ).toThrow(
        "matMul: the inner sizes of a and b must agree, got 3 and 5 (a [1,2,3], b [1,5,7], transposeA=undefined, " +
          "transposeB=undefined); transpose or reshape one of them",
      );
    });
  });
});

describeBuilds("_FusedMatMul", () => {
  const activations = ["linear", "relu", "relu6", "elu", "leakyrelu", "sigmoid", "prelu"] as const;

  it.each(activations)("adds the bias once and applies %s, batched and transposed", async (activation) => {
    for (const transposes of TRANSPOSES) {
      await expectLikeCpu(() => {
        const preluActivationWeights = activation === "prelu" ? normal([7], 4) : undefined;
        const fused = { activation, leakyreluAlpha: 0.3, preluActivationWeights, bias: normal([7], 3) };
        return tf.fused.matMul({ ...operands([3], [3], [5, 7, 101], transposes), ...fused });
      }, 101);
    }
  });

  it.each([[[5, 7]], [[5, 1]], [[1]], [[1, 7]]])("adds a bias of shape %j", async (shape) => {
    await expectLikeCpu(() => {
      const fused = { bias: normal(shape, 3), activation: "relu" as const };
      return tf.fused.matMul({ ...operands([], [], [5, 7, 11], [false, false]), ...fused });
    }, 11);
  });

  it("keeps NaN through relu and sigmoid", async () => {
    for (const activation of ["relu", "relu6", "elu", "leakyrelu", "sigmoid"] as const) {
      await expectLikeCpu(() => {
        const a = tf.tensor2d([[Number.NaN], [Number.POSITIVE_INFINITY], [-1000], [1]]);
        return tf.fused.matMul({ a, b: tf.ones([1, 5]), activation, leakyreluAlpha: 0.2 });
      }, 3);
    }
  });

  it("names the activations it has", async () => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      const inputs = { a: tf.zeros([1, 2, 3]), b: tf.zeros([1, 3, 2]) };
      expect(() => tf.engine().runKernel("_FusedMatMul", inputs, { activation: "softsign" })).toThrow(
        "fused.matMul: activation must be one of linear, relu, relu6, elu, leakyrelu, sigmoid, prelu, got softsign; " +
          "apply it to the result of a linear product",
      );
    });
  });
});

describe("stock wasm's _FusedMatMul", () => {
  it.each([
    ["batched", { a: [2, 3, 6], b: [2, 6, 5], transposeB: false }],
    ["transposed", { a: [3, 100], b: [5, 100], transposeB: true }],
  ])("is wrong where it is %s, and heed right", async (_, { a, b, transposeB }) => {
    const compute = () =>
      tf.tidy(() => {
        const product = { a: normal(a, 1), b: normal(b, 2), transposeB, bias: normal([5], 3) };
        return tf.fused.matMul(product).dataSync<"float32">();
      });
    const worst = async (backend: string, reference: ArrayLike<number>) => {
      await tf.setBackend(backend);
      return compute().reduce((most, value, i) => Math.max(most, Math.abs(value - reference[i]!)), 0);
    };
    await tf.setBackend("cpu");
    const reference = compute();
    expect(await worst("wasm", reference)).toBeGreaterThan(0.1);
    expect(await worst(BACKEND, reference)).toBeLessThan(1e-4);
  });
});
