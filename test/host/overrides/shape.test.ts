import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { BACKEND } from "../../../src/host/backend.ts";
import { describeBuilds } from "../../support/kernel-build.ts";
import { expectLikeCpu, normal } from "../compare.ts";

/** TensorFlow.js' own, as long as nothing has been tiled on heed. */
const stockTileGradient = tf.getGradient("Tile");

const DTYPES = ["float32", "int32", "bool"] as const;

/** Numbers that differ from their neighbours in every dtype that can hold them. */
function counted(shape: number[], dtype: tf.DataType): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: size }, (_, i) => (dtype === "bool" ? ((i * 7) % 3) % 2 : i - 5));
  return tf.tensor(values, shape, dtype as "float32");
}

const shapes = (rank: number) =>
  fc.array(fc.integer({ min: 0, max: 6 }), { minLength: rank, maxLength: rank });

describeBuilds("Transpose", () => {
  it("permutes any axes of any rank and dtype", async () => {
    const cases = fc.integer({ min: 1, max: 5 }).chain((rank) =>
      fc.record({
        shape: shapes(rank),
        perm: fc.shuffledSubarray([...Array(rank).keys()], { minLength: rank, maxLength: rank }),
        dtype: fc.constantFrom(...DTYPES),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, ({ shape, perm, dtype }) =>
        expectLikeCpu(() => tf.transpose(counted(shape, dtype), perm)),
      ),
      { numRuns: 150, seed: 1 },
    );
  });

  it.each([
    [
      [17, 23],
      [1, 0],
    ],
    [
      [4, 16],
      [1, 0],
    ],
    [
      [19, 4],
      [1, 0],
    ],
    [
      [2, 7, 3, 5],
      [0, 2, 1, 3],
    ],
    [
      [3, 5, 17, 19],
      [0, 1, 3, 2],
    ],
    [
      [3, 5, 17, 19],
      [3, 2, 1, 0],
    ],
    [
      [2, 1, 3, 1, 5, 7],
      [5, 0, 3, 2, 1, 4],
    ],
  ])("moves %j to the axes %j", async (shape, perm) => {
    for (const dtype of DTYPES) await expectLikeCpu(() => tf.transpose(counted(shape, dtype), perm));
  });
});

describeBuilds("Slice", () => {
  it("cuts any box out of any rank and dtype", async () => {
    const axis = fc.integer({ min: 1, max: 6 }).chain((size) =>
      fc.integer({ min: 0, max: size - 1 }).chain((begin) =>
        fc.record({
          size: fc.constant(size),
          begin: fc.constant(begin),
          take: fc.integer({ min: 0, max: size - begin }),
        }),
      ),
    );
    const cases = fc.record({
      axes: fc.array(axis, { minLength: 1, maxLength: 5 }),
      dtype: fc.constantFrom(...DTYPES),
    });
    await fc.assert(
      fc.asyncProperty(cases, ({ axes, dtype }) => {
        const pick = (key: "size" | "begin" | "take") => axes.map((one) => one[key]);
        return expectLikeCpu(() => tf.slice(counted(pick("size"), dtype), pick("begin"), pick("take")));
      }),
      { numRuns: 150, seed: 2 },
    );
  });

  it("takes the rest of an axis for a size of -1, and rows of more than a page", async () => {
    await expectLikeCpu(() => [
      tf.slice(counted([5, 7], "float32"), [1, 2], [-1, -1]),
      tf.slice(counted([3, 1031], "float32"), [0, 3], [3, 1025]),
    ]);
  });

  it("leaves strings to the stock kernel", async () => {
    await tf.setBackend(BACKEND);
    const x = tf.tensor1d(["a", "b", "c"]);
    const cut = tf.slice(x, [1], [2]);
    expect(cut.dataSync()).toEqual(["b", "c"]);
    tf.dispose([x, cut]);
  });
});

describeBuilds("Tile", () => {
  it("repeats any axes of any rank and dtype, and its gradient adds the repetitions", async () => {
    const axis = fc.record({ size: fc.integer({ min: 0, max: 5 }), reps: fc.integer({ min: 1, max: 5 }) });
    const cases = fc.record({
      axes: fc.array(axis, { minLength: 1, maxLength: 4 }),
      dtype: fc.constantFrom(...DTYPES),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ axes, dtype }) => {
        const shape = axes.map(({ size }) => size);
        const reps = axes.map((one) => one.reps);
        await expectLikeCpu(() => tf.tile(counted(shape, dtype), reps));
        const out = shape.map((size, i) => size * reps[i]!);
        if (out.includes(0)) return;
        await expectLikeCpu(
          () => tf.grad((x) => tf.sum(tf.mul(tf.tile(x, reps), normal(out))))(normal(shape)),
          reps.reduce((a, b) => a * b),
        );
      }),
      { numRuns: 60, seed: 3 },
    );
  });

  it("differentiates rank 5, which TensorFlow.js does not", async () => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      const gradient = tf.grad((x) => tf.sum(tf.tile(x, [2, 1, 3, 1, 1])))(normal([1, 2, 1, 2, 1]));
      expect([...gradient.dataSync()]).toEqual([6, 6, 6, 6]);
    });
  });

  it("has its own gradient even when TensorFlow.js' gradients come after setBackend", async () => {
    await tf.setBackend(BACKEND);
    tf.unregisterGradient("Tile");
    tf.registerGradient(stockTileGradient);
    tf.tidy(() => {
      const gradient = tf.grad((x) => tf.sum(tf.tile(x, [2, 1, 3, 1, 1])))(normal([1, 2, 1, 2, 1]));
      expect([...gradient.dataSync()]).toEqual([6, 6, 6, 6]);
    });
  });

  it("leaves the gradient of other backends as it was", async () => {
    const gradient = () =>
      tf.tidy(() => [
        ...tf
          .grad((x) => tf.sum(tf.mul(tf.tile(x, [3, 2]), normal([6, 6]))))(normal([2, 3]))
          .dataSync(),
      ]);
    await tf.setBackend("cpu");

    const profile = await tf.profile(() => tf.tensor1d(gradient()));

    tf.dispose(profile.result as tf.Tensor);
    expect(profile.kernels.filter(({ name }) => name === "Slice").length).toBe(6);
  });
});

describeBuilds("Select", () => {
  it.each(DTYPES)("chooses between %s tensors, broadcast on every side", async (dtype) => {
    await expectLikeCpu(() => {
      const condition = counted([5, 7], "bool");
      return [
        tf.where(condition, counted([5, 7], dtype), tf.zeros([5, 7], dtype)),
        tf.where(condition, counted([7], dtype), tf.zeros([5, 1], dtype)),
        tf.where(counted([3, 1, 7], "bool"), counted([5, 7], dtype), tf.zeros([], dtype)),
        tf.where(counted([0, 7], "bool"), counted([0, 7], dtype), tf.zeros([], dtype)),
      ];
    });
  });

  it.each([
    ["int32", "float32"],
    ["float32", "int32"],
    ["bool", "int32"],
    ["float32", "bool"],
  ] as const)("makes one dtype of %s and %s", async (t, e) => {
    await expectLikeCpu(() => tf.where(counted([5, 7], "bool"), counted([5, 7], t), counted([7], e)));
  });

  it("writes nothing where a condition or a choice is repeated 0 times", async () => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      // tf.broadcastTo hands 11 elements on here, for a result of none.
      for (let n = 0; n < 50; n++) {
        const neighbour = tf.fill([13], n);
        const none = tf.zeros([5, 0, 11]);
        expect(tf.where(counted([1, 1, 11], "bool"), none, -1).shape).toEqual([5, 0, 11]);
        expect(tf.where(tf.cast(none, "bool"), tf.ones([5, 1, 11]), none).shape).toEqual([5, 0, 11]);
        expect([...neighbour.dataSync()]).toEqual(new Array(13).fill(n));
      }
    });
  });

  it("keeps NaN where it is chosen and only there", async () => {
    await expectLikeCpu(() => {
      const nan = tf.fill([7], Number.NaN);
      return tf.where(tf.tensor1d([1, 0, 1, 0, 0, 1, 0], "bool"), nan, tf.ones([7]));
    });
  });
});

describeBuilds("Concat, Pack, SplitV and Unpack", () => {
  it.each(DTYPES)("join %s tensors along every axis", async (dtype) => {
    await expectLikeCpu(() => {
      const [a, b, c] = [
        [2, 3, 5],
        [2, 1, 5],
        [2, 0, 5],
      ].map((shape) => counted(shape, dtype));
      return [
        tf.concat([a!, b!, c!], 1),
        tf.concat([a!, a!], 0),
        tf.concat(
          [a!, b!, a!].map((t) => tf.transpose(t, [0, 2, 1])),
          -1,
        ),
        tf.stack([a!, a!, a!], 0),
        tf.stack([a!, a!], 3),
        tf.stack([a!, a!], 1),
        tf.stack([a!], 2),
      ];
    });
  });

  it.each(DTYPES)("cut %s tensors along every axis", async (dtype) => {
    await expectLikeCpu(() => {
      const x = counted([4, 6, 5], dtype);
      return [
        tf.split(x, [1, 3, 0], 0),
        tf.split(x, 3, 1),
        tf.split(x, [2, 3], -1),
        tf.unstack(x, 0),
        tf.unstack(x, 2),
      ].flat();
    });
  });

  it("give the gradients of cpu", async () => {
    await expectLikeCpu(() => {
      const weighted = (t: tf.Tensor) => tf.sum(tf.mul(t, normal(t.shape, 9)));
      const [a, b] = [normal([2, 3, 5], 1), normal([2, 3, 5], 2)];
      return [
        ...tf.grads((x, y) => weighted(tf.concat([x!, y!], 2)))([a, b]),
        ...tf.grads((x, y) => weighted(tf.stack([x!, y!], 1)))([a, b]),
        tf.grad((x) => weighted(tf.split(x, [1, 2], 1)[1]!))(a),
        tf.grad((x) => weighted(tf.unstack(x, 1)[2]!))(a),
      ];
    }, 3);
  });
});

describeBuilds("GatherV2 and UnsortedSegmentSum", () => {
  it.each(DTYPES)("pick %s rows along any axis, per batch too", async (dtype) => {
    await expectLikeCpu(() => {
      const x = counted([3, 7, 5], dtype);
      const ids = tf.tensor2d(
        [
          [1, 6, 0, 6],
          [3, 3, 2, 5],
          [0, 1, 2, 3],
        ],
        [3, 4],
        "int32",
      );
      const few = tf.tensor1d([2, 0], "int32");
      return [
        tf.gather(x, few, 0),
        tf.gather(x, ids, 1),
        tf.gather(x, few, -1),
        tf.gather(x, ids, 1, 1),
        tf.gather(x, tf.tensor1d([], "int32"), 1),
      ];
    });
  });

  it.each([7, -1])("refuse the index %d of a table of 7", async (index) => {
    await tf.setBackend(BACKEND);
    const table = normal([7, 3]);
    const ids = tf.tensor1d([2, index, 0], "int32");
    const before = tf.memory().numTensors;
    expect(() => tf.gather(table, ids)).toThrow(
      `gather: every index must be at least 0 and below 7, the size of axis 0 of x, got ${index} at position 1; ` +
        "check the ids against the vocabulary or table they index",
    );
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([table, ids]);
  });

  it.each(["float32", "int32"] as const)("sum %s rows by segment, dropping ids outside", async (dtype) => {
    await expectLikeCpu(() => {
      const x = counted([5, 3, 7], dtype);
      const ids = tf.tensor1d([1, 4, 1, -1, 9], "int32");
      const sums = [tf.unsortedSegmentSum(x, ids, 6), tf.unsortedSegmentSum(counted([5], dtype), ids, 3)];
      // cpu turns integers into float32 here; TensorFlow and ours keep the dtype of x.
      return sums.map((t) => tf.cast(t, dtype));
    });
  });

  it("count truth values by segment", async () => {
    await expectLikeCpu(() => {
      const ids = tf.tensor1d([1, 2, 1, 0, 1, 2, 2], "int32");
      const sums = tf.unsortedSegmentSum(tf.tensor1d([1, 0, 1, 1, 0, 1, 1], "bool"), ids, 3);
      return tf.cast(sums, "int32");
    });
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      const ids = tf.tensor1d([0, 0], "int32");
      expect(tf.unsortedSegmentSum(tf.ones([2], "bool"), ids, 1).dtype).toBe("int32");
    });
  });

  it("give the gradient of an embedding", async () => {
    await expectLikeCpu(() => {
      const ids = tf.tensor2d(
        [
          [1, 6, 0],
          [1, 1, 2],
        ],
        [2, 3],
        "int32",
      );
      return tf.grad((table) => tf.sum(tf.square(tf.gather(table, ids))))(normal([7, 13]));
    }, 3);
  });

  it("are ours alone: stock wasm still has no UnsortedSegmentSum", () => {
    expect(tf.getKernel("UnsortedSegmentSum", "wasm")).toBeUndefined();
    expect(tf.getKernel("UnsortedSegmentSum", BACKEND)).toBeDefined();
  });
});
