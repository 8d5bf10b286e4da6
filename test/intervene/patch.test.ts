import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { additiveScore, attend, sparsemax } from "../../src/attention/index.ts";
import { watchKernels } from "../../src/host/watch-kernels.ts";
import { type Intervention, intervene, type Part, record } from "../../src/intervene/index.ts";
import { MultiHeadAttention } from "../../src/layers/index.ts";
import { additiveAttention, attention } from "../../src/ops/index.ts";
import { onEveryBackend } from "../attention/support.ts";
import { B, D, Dv, expectClose, H, Hkv, inLayout, makeInputs, random, S, T } from "./support.ts";

const run = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, layout: "bhtd" | "bthd" = "bhtd") =>
  attention(
    inLayout<tf.Tensor4D>(q, layout),
    inLayout<tf.Tensor4D>(k, layout),
    inLayout<tf.Tensor4D>(v, layout),
    { layout },
  ).output;

onEveryBackend("patch", () => {
  const others = () =>
    [random([B, H, T, D], 11), random([B, Hkv, S, D], 12), random([B, Hkv, S, Dv], 13)] as const;
  /** a where the heads and rows are named, else b. */
  const mixed = (a: tf.Tensor, b: tf.Tensor, heads: number[], rows: number[]) =>
    tf.where(
      tf.tensor4d(
        Array.from({ length: a.shape[1]! * a.shape[2]! }, (_, e) =>
          Number(heads.includes(Math.floor(e / a.shape[2]!)) && rows.includes(e % a.shape[2]!)),
        ),
        [1, a.shape[1]!, a.shape[2]!, 1],
        "bool",
      ),
      a,
      b,
    );

  it.each([
    ["q", { queries: [0, 3] }],
    ["k", { keys: [1, 6] }],
    ["v", { keys: [1, 6] }],
    ["output", { queries: [0, 3] }],
    ["weights", { queries: [0, 3] }],
  ] as [Part, object][])("takes %s of heads and rows of a run in another layout", (what, rows) => {
    const [[q, k, v], [q2, k2, v2]] = [makeInputs(), others()];
    const heads = [1];
    const clean = record(() => run(q2, k2, v2, "bthd"), { keep: [what] });
    const list: Intervention[] = [{ do: "patch", what, from: "clean", heads, ...rows }];
    const got = intervene(() => run(q, k, v), list, { runs: { clean } });
    const at = Object.values(rows)[0] as number[];
    const patched = {
      q,
      k,
      v,
      [what]: mixed({ q: q2, k: k2, v: v2 }[what as "q"] ?? q, { q, k, v }[what as "q"] ?? q, heads, at),
    };
    let expected: tf.Tensor = run(patched.q, patched.k, patched.v);
    if (what === "output") expected = mixed(run(q2, k2, v2), run(q, k, v), heads, at);
    if (what === "weights") {
      const w = (a: tf.Tensor4D, b: tf.Tensor4D) => attention(a, b, v, { weights: true }).weights;
      const repeated = tf.gather(v, [0, 0, 0, 1, 1, 1], 1);
      expected = tf.matMul(mixed(w(q2, k2), w(q, k), heads, at), repeated);
    }
    expectClose(got.dataSync(), expected.dataSync());
    expect([...got.dataSync()]).not.toEqual([...run(q, k, v).dataSync()]);
    clean.dispose();
  });

  it("lets no gradient into what it takes, and all others where it does not", () => {
    const [[q, k, v], [q2, k2, v2]] = [makeInputs(), others()];
    const list: Intervention[] = [{ do: "patch", what: "q", from: "clean", queries: 2 }];
    const [dq, dq2] = tf.grads((q, q2) => {
      const clean = record(() => run(q2, k2, v2));
      const sum = tf.sum(intervene(() => run(q, k, v), list, { runs: { clean } }));
      clean.dispose();
      return tf.add(sum, tf.mul(0, tf.sum(q2)));
    })([q, q2]);
    const rows = tf.sum(tf.abs(dq!), [0, 1, 3]).dataSync();
    expect([...rows].map((x) => x === 0)).toEqual([false, false, true, false, false]);
    expect(tf.sum(tf.abs(dq2!)).dataSync()[0]).toBe(0);
  });

  it("patches paths: a run that is itself patched is recorded as it came out", () => {
    const x = random<tf.Tensor3D>([1, T, 4], 1);
    const other = random<tf.Tensor3D>([1, T, 4], 2);
    const self = (x: tf.Tensor3D) =>
      tf.add(x, attend({ queries: x, keys: x, values: x }).output) as tf.Tensor3D;
    const model = (x: tf.Tensor3D) => self(self(x));
    const clean = record(() => model(other));
    const first: Intervention[] = [{ do: "patch", what: "output", from: "clean", layer: 0 }];
    const path = record(() => intervene(() => model(x), first, { runs: { clean } }));
    const attended = attend({ queries: other, keys: other, values: other }).output;
    expectClose(path.calls[0]!.output!.dataSync(), attended.dataSync());
    expectClose(path.result.dataSync(), self(tf.add(x, attended)).dataSync());
    const second: Intervention[] = [{ do: "patch", what: "output", from: "path", layer: [1] }];
    const got = intervene(() => model(x), second, { runs: { path } });
    const onlyThrough = tf.add(self(x), tf.reshape(path.calls[1]!.output!, [1, T, 4]));
    expectClose(got.dataSync(), onlyThrough.dataSync());
    clean.dispose();
    path.dispose();
  });

  it("interventions nest, the inner ones first", () => {
    const [q, k, v] = makeInputs();
    const pinned: Intervention[] = [{ do: "pin", queries: 1, weights: [0, 0, 1, 0, 0, 0, 0] }];
    const twice = intervene(
      () => intervene(() => run(q, k, v), pinned),
      [{ do: "knockOut", keys: 2, weight: "lost" }],
    );
    const row = tf.slice(twice, [0, 0, 1, 0], [B, H, 1, Dv]).dataSync();
    expect(row.every((x) => x === 0)).toBe(true);
    const other = intervene(() => run(q, k, v), [{ do: "knockOut", keys: 2, weight: "lost" }]);
    const rest = (x: tf.Tensor) => tf.slice(x, [0, 0, 2, 0], [B, H, 3, Dv]).dataSync();
    expectClose(rest(twice), rest(other));
  });
});

onEveryBackend("calls of other kinds", () => {
  const [A, keys] = [5, [1, 3]];
  const queries = () => random<tf.Tensor3D>([B, T, A], 1);
  const memory = () => random<tf.Tensor3D>([B, S, A], 2);
  const values = () => random<tf.Tensor3D>([B, S, Dv], 3);
  const additive = () =>
    additiveScore({
      w1: random<tf.Tensor2D>([A, 4], 4),
      w2: random<tf.Tensor2D>([A, 4], 5),
      v: random<tf.Tensor1D>([4], 6),
    });
  const kept = () =>
    tf.tensor2d(
      Array.from({ length: T * S }, (_, e) => !keys.includes(e % S)),
      [T, S],
      "bool",
    );

  it.each([
    ["an additive score", () => ({ score: additive() })],
    ["another normaliser", () => ({ normalize: sparsemax })],
    ["dot products of one head", () => ({})],
    ["softmax plus one", () => ({ normalize: "softmaxPlusOne" as const })],
  ])("keys are hidden, weights pinned and frozen with %s", (_, make) => {
    const [a, b, c] = [queries(), memory(), values()];
    const options = make();
    const call = (mask?: tf.Tensor) =>
      attend({ queries: a, keys: b, values: c, ...options, ...(mask && { mask }) }).output;
    const hidden = intervene(() => call(), [{ do: "knockOut", keys }]);
    expectClose(hidden.dataSync(), call(kept()).dataSync());
    const pinned = intervene(() => call(), [{ do: "pin", weights: [0, 0, 0, 0, 1, 0, 0] }]);
    const row = tf.tile(tf.slice(c, [0, 4, 0], [B, 1, Dv]), [1, T, 1]);
    expect([...pinned.dataSync()]).toEqual([...row.dataSync()]);
    const [da, dc] = tf.grads((a, c) =>
      tf.sum(
        intervene(
          () => attend({ queries: a as tf.Tensor3D, keys: b, values: c as tf.Tensor3D, ...options }).output,
          [{ do: "freeze" }],
        ),
      ),
    )([a, c]);
    expect(tf.sum(tf.abs(da!)).dataSync()[0]).toBe(0);
    const { weights } = attend({ queries: a, keys: b, values: c, ...options, weights: true });
    const mass = tf.tile(tf.expandDims(tf.sum(weights, 1), -1), [1, 1, Dv]);
    expectClose(dc!.dataSync(), mass.dataSync());
  });

  it("additiveAttention takes values of another run, and refuses q", () => {
    const [a, b, c, v] = [queries(), memory(), values(), random<tf.Tensor1D>([A], 7)];
    const other = random<tf.Tensor3D>([B, S, Dv], 8);
    const call = (values: tf.Tensor3D) => additiveAttention(a, b, v, values).output;
    const clean = record(() => call(other));
    expect(clean.calls[0]!.q).toBeUndefined();
    const got = intervene(() => call(c), [{ do: "patch", what: "v", from: "clean" }], { runs: { clean } });
    expectClose(got.dataSync(), call(other).dataSync());
    const before = tf.memory().numTensors;
    expect(() =>
      intervene(() => call(c), [{ do: "patch", what: "q", from: "clean" }], { runs: { clean } }),
    ).toThrow(
      "intervene: interventions[0] takes q, which a call must have that scores by dot products, got call 0 (additiveAttention) with another score or normaliser; take v, weights or output instead",
    );
    expect(tf.memory().numTensors).toBe(before);
    clean.dispose();
  });

  it("a layer's head is knocked out", () => {
    const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 3, useBias: false, seed: 3 });
    const x = random<tf.Tensor3D>([B, T, 4], 9);
    const call = () => layer.apply([x, x]) as tf.Tensor;
    const [whole, first, second] = [
      call(),
      intervene(call, [{ do: "knockOut", heads: 1 }]),
      intervene(call, [{ do: "knockOut", heads: 0 }]),
    ];
    // Without a bias the output is the sum of what its heads write.
    expectClose(whole.dataSync(), tf.add(first, second).dataSync());
  });
});

onEveryBackend("NaN and dropout", () => {
  it("a hidden NaN leaks nowhere, and a weight of 0 reads none", () => {
    const [q, k, v] = makeInputs();
    const nan = tf.tensor1d(Array.from({ length: S }, (_, s) => (s === 6 ? Number.NaN : 0)));
    const dirty = tf.add(v, tf.reshape(nan, [1, 1, S, 1])) as tf.Tensor4D;
    const options = { keyLengths: [6, 6] };
    for (const list of [
      [{ do: "pin", queries: 0, weights: [0.5, 0.5, 0, 0, 0, 0, 0] }],
      [{ do: "knockOut", heads: 0, keys: 2, weight: "lost" }],
      [{ do: "scale", edges: [[1, 1]], by: 2 }],
      [{ do: "knockOut", keys: 2 }],
    ] as Intervention[][]) {
      const got = intervene(() => attention(q, k, dirty, options).output, list);
      const clean = intervene(() => attention(q, k, v, options).output, list);
      expectClose(got.dataSync(), clean.dataSync());
    }
    // A visible one is gone when its key is.
    const all = intervene(() => attention(q, k, dirty).output, [{ do: "knockOut", keys: 6, weight: "lost" }]);
    expect(all.dataSync().every(Number.isFinite)).toBe(true);
  });

  it("drops the same weights as without, and none that is pinned", () => {
    const [q, k, v] = makeInputs();
    const options = { dropout: { rate: 0.4, seed: 3 }, training: true } as const;
    const call = () => attention(q, k, v, options).output;
    const whole = call();
    const edges = intervene(call, [{ do: "scale", edges: [[1, 1]], by: 1 }]);
    expectClose(edges.dataSync(), whole.dataSync());
    const list: Intervention[] = [
      { do: "scale", edges: [[1, 1]], by: 1 },
      { do: "pin", queries: 2, weights: [1, 0, 0, 0, 0, 0, 0] },
    ];
    const first = tf.slice(v, [0, 0, 0, 0], [B, Hkv, 1, Dv]);
    const expected = tf.gather(first, [0, 0, 0, 1, 1, 1], 1).dataSync();
    for (const some of [list, list.slice(1)])
      expect([...tf.slice(intervene(call, some), [0, 0, 2, 0], [B, H, 1, Dv]).dataSync()]).toEqual([
        ...expected,
      ]);
  });
});

onEveryBackend("the cost of an intervention", () => {
  const kernels = (list: Intervention[], layers = 3) => {
    const [q, k, v] = makeInputs();
    const counts: Record<string, number> = {};
    const most = { size: 0 };
    const run = () => {
      for (let n = 0; n < layers; n++) attention(q, k, v);
    };
    const other = record(run, { keep: ["q", "k", "v", "weights", "output"] });
    tf.tidy(() =>
      watchKernels(
        () => intervene(run, list, { runs: { other } }),
        ({ name, outputs }) => {
          counts[name] = (counts[name] ?? 0) + 1;
          for (const { size } of outputs) most.size = Math.max(most.size, size);
        },
      ),
    );
    other.dispose();
    return {
      passes: counts.HeedAttention ?? 0,
      weights: counts.HeedAttentionWeights ?? 0,
      largest: most.size,
    };
  };

  it.each([
    ["hidden keys", [{ do: "knockOut", layer: 1, keys: 2 }], 4, 0],
    ["hidden edges", [{ do: "knockOut", layer: 1, edges: [[1, 2]] }], 4, 0],
    ["lost keys", [{ do: "knockOut", layer: 1, keys: 2, weight: "lost" }], 4, 0],
    ["a head", [{ do: "knockOut", layer: 1, heads: 2 }], 3, 0],
    ["pinned rows", [{ do: "pin", layer: 1, queries: 2, weights: [1, 0, 0, 0, 0, 0, 0] }], 3, 0],
    ["a frozen pattern", [{ do: "freeze", layer: 1 }], 4, 0],
    ["frozen rows", [{ do: "freeze", layer: 1, queries: 0 }], 4, 0],
    [
      "hidden and lost keys and a pin",
      [
        { do: "knockOut", layer: 1, keys: 2 },
        { do: "scale", layer: 1, keys: 3, by: 2 },
        { do: "pin", layer: 1, heads: 0, weights: [1, 0, 0, 0, 0, 0, 0] },
      ],
      4,
      0,
    ],
    ["scaled edges", [{ do: "scale", layer: 1, edges: [[1, 2]], by: 2 }], 3, 1],
    ["scaled keys of one head of a group", [{ do: "scale", layer: 1, heads: 0, keys: 2, by: 2 }], 3, 1],
    ["a scaled head", [{ do: "scale", layer: 1, heads: 1, by: 2 }], 3, 0],
    ["swapped heads", [{ do: "swap", layer: 1, of: "heads", between: [0, 4] }], 3, 1],
    ["swapped queries", [{ do: "swap", layer: 1, of: "queries", between: [0, 4] }], 3, 0],
    ["swapped keys", [{ do: "swap", layer: 1, of: "keys", between: [0, 4] }], 4, 0],
    ...(["q", "k", "v"] as const).map((what) => [
      `patched ${what}`,
      [{ do: "patch", what, from: "other", layer: 1, heads: 1 }],
      4,
      0,
    ]),
    ["patched weights", [{ do: "patch", what: "weights", from: "other", layer: 1 }], 3, 0],
    [
      "patched weights of a head",
      [{ do: "patch", what: "weights", from: "other", layer: 1, heads: 1 }],
      3,
      1,
    ],
    ["a patched output", [{ do: "patch", what: "output", from: "other", layer: 1, heads: 1 }], 3, 0],
    ["two calls", [{ do: "knockOut", layer: [0, 2], keys: 2 }], 5, 0],
    ["nothing", [], 3, 0],
  ] as [string, Intervention[], number, number][])(
    "is at most one more pass of each call that it changes: %s",
    (_, list, passes, weights) => {
      expect(kernels(list)).toMatchObject({ passes, weights });
    },
  );

  it("makes no array of T × S for pinned rows, hidden keys and frozen weights", () => {
    const [T, S] = [101, 103];
    const [q, k, v] = [random([1, 1, T, 2], 1), random([1, 1, S, 2], 2), random([1, 1, S, 2], 3)];
    const one = Array.from({ length: S }, (_, s) => Number(s === 5));
    const list: Intervention[] = [
      { do: "knockOut", keys: [1, 2] },
      { do: "scale", keys: 9, by: 2 },
      { do: "freeze", queries: 3 },
      { do: "pin", queries: [4, 7], weights: one },
    ];
    let largest = 0;
    tf.tidy(() =>
      watchKernels(
        () => intervene(() => attention(q, k, v).output, list),
        ({ outputs }) => {
          for (const { size } of outputs) largest = Math.max(largest, size);
        },
      ),
    );
    expect(largest).toBeLessThan(T * S);
  });
});
