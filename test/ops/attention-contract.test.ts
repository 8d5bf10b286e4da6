/** What the op promises besides its numbers: bits, masks, leaks, errors, kernels, memory. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import { size } from "../../src/core/notation.ts";
import { heapOf } from "../../src/host/heap.ts";
import { type AttentionOptions, attention } from "../../src/ops/index.ts";
import { floats, holes, normal } from "../kernels/cases.ts";
import { useBuild } from "../support/kernel-build.ts";
import { B, BACKENDS, far, H, inputs, largest, read, S, SHAPES, T, tensor } from "./attention-support.ts";

async function kernelsOf(f: () => tf.TensorContainer): Promise<string[]> {
  const { kernels } = await tf.profile(() => tf.tidy(() => f()) as tf.TensorContainer);
  return kernels.map(({ name }) => name).filter((name) => name.startsWith("HeedAttention"));
}
describe.each(BACKENDS)("attention on %s", (backend, use) => {
  beforeAll(async () => void (await use()));

  it("gives the same bits whether or not weights and lse are asked for", () => {
    tf.tidy(() => {
      const x = inputs();
      const plain = attention(...x, { causal: "topLeft" });
      expect(Object.keys(plain)).toEqual(["output"]);
      const all = attention(...x, { causal: "topLeft", weights: true, lse: true });
      expect(read(all.output)).toEqual(read(plain.output));
      expect([all.output.shape, all.weights.shape, all.lse.shape]).toEqual([
        [B, H, T, SHAPES.Dv],
        [B, H, T, S],
        [B, H, T],
      ]);
    });
  });

  it("takes one tensor as q, k and v, and variables", () => {
    tf.tidy(() => {
      const x = tensor(floats(4, [1, 2, 5, 7])) as tf.Tensor4D;
      const [dq, dk, dv] = tf.grads(
        (q, k, v) => attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D).output,
      )([x, tf.clone(x), tf.clone(x)]);
      const expected = read(tf.addN([dq!, dk!, dv!]));
      const one = tf.grad((y) => attention(y as tf.Tensor4D, y as tf.Tensor4D, y as tf.Tensor4D).output)(x);
      expect(far(read(one), expected)).toBeLessThanOrEqual(2e-6 * largest(expected));
      const variable = tf.variable(x);
      const loss = () => tf.sum(attention(variable, variable, variable).output) as tf.Scalar;
      const { grads } = tf.variableGrads(loss, [variable as tf.Variable]);
      expect(far(read(Object.values(grads)[0]!), expected)).toBeLessThanOrEqual(2e-6 * largest(expected));
      variable.dispose();
    });
  });

  it("differentiates through a mask that was made of its own input, without a gradient of the mask", () => {
    tf.tidy(() => {
      const [q, k, v] = inputs({ ...SHAPES, H: 3 });
      const f = (x: tf.Tensor, allow?: tf.Tensor) =>
        attention(q, k, x as tf.Tensor4D, {
          allow: allow ?? tf.reshape(tf.greater(tf.slice(x, [0, 0, 0, 0], [1, 1, 1, S]), 0), [1, S]),
        }).output;
      const allow = tf.reshape(tf.greater(tf.slice(v, [0, 0, 0, 0], [1, 1, 1, S]), 0), [1, S]);
      expect(read(tf.grad((x) => f(x))(v))).toEqual(read(tf.grad((x) => f(x, allow))(v)));
    });
  });

  it("takes integers for numbers", () => {
    tf.tidy(() => {
      const q = tf.tensor4d([1, 2], [1, 1, 1, 2], "int32");
      const k = tf.tensor4d([0, 0, 0, 0], [1, 1, 2, 2], "int32");
      expect(read(attention(q, k, tf.tensor4d([4, 8], [1, 1, 2, 1], "int32")).output)).toEqual([6]);
    });
  });

  it("gives nothing of nothing: no queries, no keys, no examples", () => {
    tf.tidy(() => {
      for (const empty of [{ T: 0 }, { S: 0 }, { B: 0 }]) {
        const shapes = { ...SHAPES, ...empty };
        const x = inputs(shapes);
        const { output, lse, weights } = attention(...x, { lse: true, weights: true });
        expect([output.size, lse.size, weights.size]).toEqual([
          size([shapes.B, H, shapes.T, SHAPES.Dv]),
          size([shapes.B, H, shapes.T]),
          size([shapes.B, H, shapes.T, shapes.S]),
        ]);
        expect(read(output).every((y) => y === 0)).toBe(true);
        expect(read(lse).every((y) => y === Number.NEGATIVE_INFINITY)).toBe(true);
      }
    });
  });

  it.each([
    ["queries", { T: 0 }],
    ["keys", { S: 0 }],
    ["queries and keys", { T: 0, S: 0 }],
    ["examples", { B: 0 }],
  ])(
    "without %s gives nothing under every mask, gradients of 0, and touches no other tensor",
    (_name, empty) => {
      const shapes = { ...SHAPES, ...empty };
      const { B, T, S } = shapes;
      // Memory that is written by mistake is found in one of many small tensors.
      const others = Array.from({ length: 64 }, (_, n) => tf.fill([n + 1], n + 0.5));
      const square = T === S;
      const masks: Omit<AttentionOptions, "weights" | "lse">[] = [
        { allow: tf.ones([T, S], "bool") },
        { allow: tf.ones([B, 1, T, S], "bool"), onEmptyRow: "uniform" },
        { queryLengths: new Array<number>(B).fill(T), keyLengths: new Array<number>(B).fill(S) },
        { causal: square ? true : "bottomRight", window: { left: 2, right: 0 }, softCap: 2 },
        { bias: tf.zeros([1, S]), sink: 0.5, layout: "bthd" },
        { dropout: { rate: 0.5, seed: 1 }, training: true },
      ];
      for (let round = 0; round < 5; round++)
        for (const options of masks)
          tf.tidy(() => {
            const heads = inputs(shapes);
            const x = options.layout
              ? heads.map((y) => tf.zeros([y.shape[0], y.shape[2], y.shape[1], y.shape[3]]))
              : heads;
            const [q, k, v] = x as typeof heads;
            const { output, lse, weights } = attention(q, k, v, { ...options, lse: true, weights: true });
            expect([output.size, weights.size]).toEqual([B * H * T * SHAPES.Dv, 0]);
            expect(read(output).every((y) => y === 0)).toBe(true);
            const alone = options.sink === undefined ? Number.NEGATIVE_INFINITY : 0.5;
            expect(read(lse)).toEqual(new Array<number>(B * H * T).fill(alone));
            const [bias, sink] = [tf.ones([T, 1]), tf.range(0, H)];
            const loss = (...y: tf.Tensor[]) => {
              const learned = { ...options, bias: y[3]!, sink: y[4]! };
              const result = attention(y[0] as typeof q, y[1] as typeof q, y[2] as typeof q, {
                ...learned,
                lse: true,
              });
              return tf.add(tf.sum(result.output), tf.sum(result.lse));
            };
            const gradients = tf.grads(loss)([q, k, v, bias, sink]);
            gradients.slice(0, 4).forEach((g, n) => {
              expect(g.shape).toEqual([q, k, v, bias][n]!.shape);
              expect(read(g).every((dy) => dy === 0)).toBe(true);
            });
            // The log-sum-exp without keys is the sink's logit.
            expect(read(gradients[4]!)).toEqual(new Array<number>(H).fill(B * T));
          });
      others.forEach((x, n) => {
        expect(read(x)).toEqual(new Array<number>(n + 1).fill(n + 0.5));
        x.dispose();
      });
    },
  );

  it("leaves no tensor behind, forward, backward and when it fails half-way", () => {
    const x = inputs();
    const bias = tensor(floats(5, [1, H, T, S]));
    const sink = tensor(floats(6, [H])) as tf.Tensor1D;
    const allow = tensor(holes(7, [T, S], true));
    const round = () => {
      tf.tidy(() => {
        attention(...x, { bias, sink, allow, onEmptyRow: "uniform", weights: true, lse: true });
        const loss = (...y: tf.Tensor[]) => {
          const [q, k, v, b, s] = y as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor, tf.Tensor];
          const { output, weights } = attention(q, k, v, { bias: b, sink: s, allow, weights: true });
          return tf.add(tf.sum(output), tf.sum(tf.square(weights)));
        };
        tf.grads(loss)([...x, bias, sink]);
        expect(() => attention(...x, { allow, onEmptyRow: "error" })).toThrow(OptionError);
      });
    };
    const held = () => tf.memory().numTensors + tf.engine().backend.numDataIds();
    round();
    const before = held();
    for (let n = 0; n < 50; n++) round();
    expect(held()).toBe(before);
    tf.dispose([...x, bias, sink, allow]);
  });

  it("refuses gradients of gradients in a sentence of ours", () => {
    tf.tidy(() => {
      const [q, k, v] = inputs();
      const loss = (x: tf.Tensor) => tf.sum(tf.square(attention(x as tf.Tensor4D, k, v).output));
      const twice = () => tf.grad((x) => tf.sum(tf.square(tf.grad(loss)(x))))(q);
      expect(twice).toThrow(OptionError);
      expect(twice).toThrow(
        "attention: gradients of gradients are not available, got a request for one; compose that op of elementary ones of TensorFlow.js",
      );
    });
  });

  const refused: [
    string,
    typeof ShapeError | typeof OptionError,
    (x: ReturnType<typeof inputs>) => unknown,
    string,
  ][] = [
    [
      "another order of axes",
      OptionError,
      (x) => attention(...x, { layout: "thd" as "bhtd" }),
      'attention: layout must be "bhtd" or "bthd", got thd; choose one of them',
    ],
    [
      "positions where heads should be",
      ShapeError,
      (x) => attention(...x, { layout: "bthd" }),
      "attention: query heads H=5 must be a multiple of key/value heads Hkv=7, got 5 and 7; pass k and v with 1 or 5 heads",
    ],
    [
      "k and v of different lengths",
      ShapeError,
      ([q, k]) => attention(q, k, tf.zeros([2, 3, 6, 4])),
      "attention: k [B, Hkv, S, D] and v [B, Hkv, S, Dv] must have the same S, got shapes [2, 3, 7, 11] and [2, 3, 6, 4]; make their S equal",
    ],
    [
      "other widths, heads last",
      ShapeError,
      ([q]) => attention(q, tf.zeros([2, 4, 6, 3]), tf.zeros([2, 4, 6, 3]), { layout: "bthd" }),
      "attention: q [B, T, H, D] and k [B, S, Hkv, D] must have the same D, got shapes [2, 6, 5, 11] and [2, 4, 6, 3]; make their D equal",
    ],
    [
      "a mask of 0 and 1",
      OptionError,
      (x) => attention(...x, { allow: tf.ones([T, S]) }),
      "attention: allow must be bool, true where a query may attend, got float32; cast it to bool, or pass numbers to add to the scores as bias",
    ],
    [
      "an empty row",
      OptionError,
      (x) => attention(...x, { keyLengths: [7, 0], onEmptyRow: "error" }),
      'attention: with onEmptyRow: "error" every query must see a key, got none for example 1, head 0, query 0; allow a key there, or use onEmptyRow: "zero" or "uniform"',
    ],
  ];
  it.each(refused)("refuses %s", (_, type, call, message) => {
    tf.tidy(() => {
      const x = inputs();
      expect(() => call(x)).toThrow(type);
      expect(() => call(x)).toThrow(expect.objectContaining({ message }));
    });
  });

  it("runs its kernels where there are some, and none for what is not asked", async () => {
    const x = inputs();
    const fused = backend !== "wasm";
    expect(await kernelsOf(() => attention(...x).output)).toEqual(fused ? ["HeedAttention"] : []);
    expect(await kernelsOf(() => attention(...x, { weights: true }).weights)).toEqual(
      fused ? ["HeedAttention", "HeedAttentionWeights"] : [],
    );
    const grad = () => tf.grad((q) => attention(q as tf.Tensor4D, x[1], x[2]).output)(x[0]);
    expect(await kernelsOf(grad)).toEqual(fused ? ["HeedAttention", "HeedAttentionGrad"] : []);
    tf.dispose(x);
  });
});

describe("attention on heed", () => {
  beforeAll(async () => void (await useBuild("relaxed")));

  it("stays right when the heap grows between forward and backward", () => {
    tf.tidy(() => {
      const x = inputs();
      const plain = tf.grads(
        (q, k, v) => attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D).output,
      );
      const expected = plain(x).map(read);
      const { memory } = heapOf(tf.backend());
      const before = memory.buffer.byteLength;
      const grown = tf.grads((q, k, v) => {
        const { output } = attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D);
        tf.zeros([memory.buffer.byteLength / 4]);
        return output;
      });
      expect(grown(x).map(read)).toEqual(expected);
      expect(memory.buffer.byteLength).toBeGreaterThan(before);
    });
  });

  it("takes tensors that were made on the cpu backend, masks and sinks too", async () => {
    const options = { keyLengths: [7, 4] };
    const make = () => ({
      x: inputs(),
      more: {
        ...{
          allow: tensor(holes(8, [T, S])),
          bias: tensor(floats(9, [T, S])),
          sink: tensor(floats(10, [H])),
        },
        ...options,
      },
    });
    const here = make();
    const expected = read(attention(...here.x, here.more).output);
    await tf.setBackend("cpu");
    const there = make();
    await tf.setBackend("heed");
    const loss = (q: tf.Tensor) => attention(q as tf.Tensor4D, there.x[1], there.x[2], there.more).output;
    expect(read(attention(...there.x, there.more).output)).toEqual(expected);
    expect(read(tf.grad(loss)(there.x[0])).every(Number.isFinite)).toBe(true);
  });

  it("needs no more memory for longer sequences than their rows", () => {
    tf.tidy(() => {
      const N = 3001;
      const x = [1, 2, 3].map((seed) => tf.tensor4d(normal(seed, N * 3), [1, 1, N, 3])) as [
        tf.Tensor4D,
        tf.Tensor4D,
        tf.Tensor4D,
      ];
      const { memory } = heapOf(tf.backend());
      const before = memory.buffer.byteLength;
      tf.grads((q, k, v) => attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D).output)(x);
      // The scores would be 36 MB.
      expect(memory.buffer.byteLength - before).toBeLessThan(4 * N * N);
    });
  });
});
