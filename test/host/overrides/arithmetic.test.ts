import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { BACKEND } from "../../../src/host/backend.ts";
import { describeBuilds } from "../../support/kernel-build.ts";
import { expectLikeCpu, normal } from "../compare.ts";

const BINARY = [
  ["add", tf.add],
  ["sub", tf.sub],
  ["mul", tf.mul],
  ["div", tf.div],
  ["maximum", tf.maximum],
  ["minimum", tf.minimum],
  ["squaredDifference", tf.squaredDifference],
] as const;

describeBuilds("Broadcast arithmetic", () => {
  it.each(BINARY)("%s broadcasts any pair of shapes", async (_, f) => {
    const axis = fc.record({ size: fc.integer({ min: 0, max: 6 }), a: fc.boolean(), b: fc.boolean() });
    const cases = fc.record({
      axes: fc.array(axis, { maxLength: 5 }),
      dropA: fc.integer({ min: 0, max: 3 }),
      dropB: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, ({ axes, dropA, dropB }) => {
        const shape = (key: "a" | "b", drop: number) =>
          axes.map((one) => (one[key] ? one.size : 1)).slice(drop);
        return expectLikeCpu(() => f(normal(shape("a", dropA), 1), normal(shape("b", dropB), 2)), 2);
      }),
      { numRuns: 60, seed: 4 },
    );
  });

  it.each([
    [[37, 19], [19]],
    [
      [37, 19],
      [37, 1],
    ],
    [
      [37, 1],
      [1, 19],
    ],
    [
      [2, 5, 7, 19],
      [2, 1, 7, 1],
    ],
    [
      [5, 1, 7],
      [3, 1, 17, 7],
    ],
    [[67], [67]],
    [[], [67]],
  ])("%j and %j with their gradients", async (a, b) => {
    for (const [, f] of BINARY.slice(0, 4)) {
      await expectLikeCpu(
        () =>
          tf.grads((x, y) => tf.sum(tf.square(f(x!, tf.add(tf.square(y!), 1)))))([
            normal(a, 1),
            normal(b, 2),
          ]),
        2000,
      );
    }
  });

  it("passes NaN and Infinity on, in full rows and in tails", async () => {
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1];
    for (const [, f] of BINARY) {
      await expectLikeCpu(() => f(tf.tensor1d(odd), tf.reshape(tf.tensor1d(odd), [7, 1])));
    }
  });

  it("leaves integers to the stock kernels", async () => {
    await expectLikeCpu(() => {
      const a = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3], "int32");
      return [tf.add(a, tf.tensor1d([7, 8, 9], "int32")), tf.mul(a, a), tf.add(a, 0.5)];
    });
  });
});

describeBuilds("Sum and Mean", () => {
  it("reduce any axes, kept or not", async () => {
    const cases = fc.integer({ min: 1, max: 5 }).chain((rank) =>
      fc.record({
        shape: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: rank, maxLength: rank }),
        axes: fc.subarray([...Array(rank).keys()]),
        keep: fc.boolean(),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, ({ shape, axes, keep }) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return expectLikeCpu(() => {
          const x = normal(shape);
          return [tf.sum(x, axes, keep), tf.mean(x, axes, keep), tf.sum(x, undefined, keep)];
        }, size);
      }),
      { numRuns: 100, seed: 5 },
    );
  });

  it.each([
    [[1031, 37], [0]],
    [[37, 1031], [1]],
    [[7, 129, 33], [1]],
    [
      [7, 129, 33],
      [0, 2],
    ],
  ])("%j over %j", async (shape, axes) =>
    expectLikeCpu(() => [tf.sum(normal(shape), axes), tf.mean(normal(shape), axes)], 200),
  );

  it("sum nothing to zero and integers to integers", async () => {
    await expectLikeCpu(() => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3], "int32");
      return [
        tf.sum(tf.zeros([0, 3]), 0),
        tf.sum(tf.zeros([3, 0]), 0),
        tf.sum(x, 0),
        tf.mean(x, 0),
        tf.sum(tf.cast(x, "bool")),
      ];
    });
  });

  it("pass NaN on to its row and column alone", async () => {
    await expectLikeCpu(() => {
      const x = tf.tensor2d([Number.NaN, 1, 2, 3, 4, 5], [2, 3]);
      return [tf.sum(x, 0), tf.sum(x, 1), tf.mean(x)];
    });
  });
});

describeBuilds("Exp, Tanh and Erf", () => {
  const special = [
    Number.NEGATIVE_INFINITY,
    -1000,
    -90,
    -1,
    -1e-30,
    -0,
    0,
    1e-30,
    1,
    80,
    1000,
    Number.POSITIVE_INFINITY,
  ];

  // Ours and cpu's exp and tanh may each be wrong by 3 ulp of the element; cpu's erf by 1.5e-7 whatever its size
  // (test/ops/math.test.ts holds ours to its own ulps).
  it.each([
    ["exp", tf.exp, { relative: 6 }],
    ["tanh", tf.tanh, { relative: 6 }],
    ["erf", tf.erf, 3],
  ] as const)("%s is right at the ends of the range, with NaN, at every length", async (_, f, tolerance) => {
    for (let length = 0; length <= 9; length++) {
      const x = () => tf.concat([tf.tensor1d(special), tf.tensor1d([Number.NaN]), normal([length])]);
      await expectLikeCpu(() => f(x()), tolerance);
    }
  });

  it.each(["Exp", "Tanh", "Erf"])("%s of bool and int32 is that of the numbers, as float32", async (name) => {
    await tf.setBackend(BACKEND);
    tf.tidy(() => {
      const run = (x: tf.Tensor) => tf.engine().runKernel(name, { x }) as unknown as tf.Tensor;
      for (const dtype of ["bool", "int32"] as const) {
        const x = tf.tensor1d(dtype === "bool" ? [1, 0, 0, 1, 1] : [-3, 0, 1, 2, 5], dtype);
        expect(run(x).dtype).toBe("float32");
        expect([...run(x).dataSync()]).toEqual([...run(tf.cast(x, "float32")).dataSync()]);
      }
    });
  });

  it("exp is exactly 0 at -Infinity and Infinity at 1000", async () => {
    await tf.setBackend(BACKEND);
    const values = tf.tidy(() => [
      ...tf.exp(tf.tensor1d([Number.NEGATIVE_INFINITY, 1000, Number.NaN, 0])).dataSync(),
    ]);
    expect(values).toEqual([0, Number.POSITIVE_INFINITY, Number.NaN, 1]);
  });
});

describeBuilds("Cast", () => {
  it("takes everything but zero for true, 256 and NaN too", async () => {
    await expectLikeCpu(() => {
      const numbers = [0, -0, 1, 2, 255, 256, -256, 0.25, Number.NaN, Number.POSITIVE_INFINITY];
      const integers = tf.tensor1d([0, 1, 255, 256, 65536, -1, 7], "int32");
      return [
        tf.cast(tf.tensor1d(numbers), "bool"),
        tf.cast(integers, "bool"),
        tf.cast(tf.zeros([0, 3]), "bool"),
      ];
    });
  });

  it("converts between the other dtypes as cpu does", async () => {
    await expectLikeCpu(() => {
      const x = tf.tensor1d([-2.75, -0.5, 0, 0.5, 2.75, 1e6]);
      const bool = tf.tensor1d([1, 0, 1], "bool");
      return [
        tf.cast(x, "int32"),
        tf.cast(bool, "float32"),
        tf.cast(bool, "int32"),
        tf.cast(tf.cast(x, "int32"), "float32"),
      ];
    });
  });
});
