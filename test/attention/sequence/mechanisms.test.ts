/** What every sequence mechanism must do, whatever it is. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { gradcheckTensors } from "../../../src/testing/index.ts";
import { distance, onEveryBackend } from "../support.ts";
import { MECHANISMS, type Mechanism, SIZES, type Sizes, type Tensors, tensorsOf } from "./mechanisms.ts";

/** The last key of every example hidden, and the last query but in the first example; example 1 has two hidden keys. */
function lengthsOf({ both }: Mechanism, { B, T, S }: Sizes) {
  const keys = both ? T : S;
  const each = (f: (b: number) => number) => Array.from({ length: B }, (_, b) => Math.max(0, f(b)));
  return { keyLengths: each((b) => keys - 1 - b), queryLengths: each((b) => T - b) };
}

/** Numbers in the places that lengths hide: of `x`'s axis, from the length of each example on. */
function overwrite(x: tf.Tensor, axis: number, lengths: readonly number[], value: number): tf.Tensor {
  const after = x.shape.slice(axis + 1).reduce((n, m) => n * m, 1);
  const N = x.shape[axis]!;
  const perExample = x.size / x.shape[0]!;
  const data = x
    .dataSync()
    .map((old, e) => (Math.floor(e / after) % N < lengths[Math.floor(e / perExample)]! ? old : value));
  return tf.tensor(data, x.shape);
}

function spoiled(mechanism: Mechanism, tensors: Tensors, sizes: Sizes): Tensors {
  const { keyLengths, queryLengths } = lengthsOf(mechanism, sizes);
  const least = keyLengths.map((n, b) => Math.max(n, queryLengths[b]!));
  const replaced = { ...tensors };
  for (const [axes, lengths] of [
    [mechanism.queries, queryLengths],
    [mechanism.keys, keyLengths],
    // Of one sequence only what is hidden both as a query and as a key is hidden.
    [mechanism.both, least],
  ] as const) {
    for (const [name, axis] of Object.entries(axes ?? {})) {
      replaced[name] = overwrite(tensors[name]!, axis, lengths, Number.NaN);
    }
  }
  return replaced;
}

const run = (mechanism: Mechanism, tensors: Tensors, options = {}) =>
  mechanism.run(tensors as never, options);

function gradientsOf(mechanism: Mechanism, tensors: Tensors, options: object) {
  const names = Object.keys(tensors);
  const f = (...x: tf.Tensor[]) =>
    run(mechanism, Object.fromEntries(names.map((name, n) => [name, x[n]!])), options).output;
  const weigh = (output: tf.Tensor) =>
    tf.mul(output, tf.reshape(tf.cos(tf.range(1, output.size + 1)), output.shape));
  return tf.grads((...x: tf.Tensor[]) => tf.sum(weigh(f(...x))))(Object.values(tensors));
}

const table = MECHANISMS.map((mechanism) => [mechanism.name, mechanism] as const);

function mechanismTests(): void {
  it.each(table)(
    "%s: refuses an option that it does not have, and names the one that was meant",
    (name, mechanism) => {
      tf.tidy(() => {
        const tensors = tensorsOf(mechanism, SIZES[0]!);
        expect(() => run(mechanism, tensors, { kyeLengths: [1, 2] })).toThrow(
          name.startsWith("luongLocal")
            ? /^luongLocalAttention: .*, got kyeLengths; it has score, /
            : /, got kyeLengths; did you mean keyLengths\?$/,
        );
        expect(() => run(mechanism, tensors, { banana: undefined })).not.toThrow();
      });
    },
  );

  it.each(table)("%s: every input and parameter has the gradient that differences have", (_, mechanism) => {
    // The functions are the same on both backends, so the slower one is asked once, and the other with a mask there.
    const [first, ...others] = SIZES as [Sizes, ...Sizes[]];
    const cases: [Sizes, object][] = [
      [first, lengthsOf(mechanism, first)],
      ...others.map((sizes): [Sizes, object] => [sizes, {}]),
    ];
    for (const [sizes, options] of tf.getBackend() === "cpu" ? [[first, {}] as const] : cases) {
      const tensors = tensorsOf(mechanism, sizes);
      // Some roundings a step of: projection, norm, score, softmax, sum, norm, projection; sums of up to 35 terms.
      gradcheckTensors((x) => run(mechanism, x, options).output, tensors, 64);
      tf.dispose(tensors);
    }
  });

  it.each(table)("%s: nothing that is declared stays untrained", (_, mechanism) => {
    tf.tidy(() => {
      const tensors = tensorsOf(mechanism, SIZES[0]!);
      const gradients = gradientsOf(mechanism, tensors, {});
      const untrained = Object.keys(tensors).filter((_, n) => !gradients[n]!.dataSync().some((g) => g !== 0));
      // A key's bias adds one number to a query's whole row of scores, which the softmax ignores.
      expect(untrained.filter((name) => name !== "bk")).toEqual([]);
    });
  });

  it.each(table)("%s: NaN in hidden places reaches no output, no weight and no gradient", (_, mechanism) => {
    tf.tidy(() => {
      const [sizes] = SIZES as [Sizes];
      const tensors = tensorsOf(mechanism, sizes);
      const dirty = spoiled(mechanism, tensors, sizes);
      expect(Object.values(dirty).some((x) => x.dataSync().some(Number.isNaN))).toBe(true);
      const options = { ...lengthsOf(mechanism, sizes), weights: true };
      const [clean, other] = [run(mechanism, tensors, options), run(mechanism, dirty, options)];
      // Other paths of the products may sum in another order.
      expect(distance(other.output.dataSync(), clean.output.dataSync())).toBeLessThanOrEqual(2 ** -20);
      expect(distance(other.weights!.dataSync(), clean.weights!.dataSync())).toBeLessThanOrEqual(2 ** -22);
      const [expected, actual] = [tensors, dirty].map((x) => gradientsOf(mechanism, x, options));
      for (const [n, name] of Object.keys(tensors).entries()) {
        const size = Math.max(1, ...expected![n]!.dataSync().map(Math.abs));
        const far = distance(actual![n]!.dataSync(), expected![n]!.dataSync());
        expect(far / size, name).toBeLessThanOrEqual(2 ** -19);
      }
    });
  });

  it.each(table)(
    "%s: what sees nothing gives 0, or the output's bias, and passes no gradient",
    (_, mechanism) => {
      tf.tidy(() => {
        const [sizes] = SIZES as [Sizes];
        const tensors = tensorsOf(mechanism, sizes);
        const options = { keyLengths: [0, 1], weights: true };
        const { output, weights } = run(mechanism, tensors, options);
        const first = tf.slice(output, 0, [1, ...output.shape.slice(1)]);
        const bias = mechanism.emptyRow && tensors[mechanism.emptyRow];
        const expected = bias ? tf.add(tf.zerosLike(first), bias) : tf.zerosLike(first);
        expect(distance(first.dataSync(), expected.dataSync())).toBe(0);
        expect(
          tf
            .slice(weights!, 0, 1)
            .dataSync()
            .every((w) => w === 0),
        ).toBe(true);
        const gradients = gradientsOf(mechanism, tensors, options);
        const inputs = { ...mechanism.queries, ...mechanism.keys, ...mechanism.both };
        for (const [n, name] of Object.keys(tensors).entries()) {
          const all = gradients[n]!.dataSync();
          expect(all.some(Number.isNaN), name).toBe(false);
          if (name in inputs)
            expect(
              all.slice(0, all.length / sizes.B).every((g) => g === 0),
              name,
            ).toBe(true);
        }
      });
    },
  );

  it.each(table)("%s: leaves no tensor behind", (_, mechanism) => {
    tf.tidy(() => {
      const tensors = tensorsOf(mechanism, SIZES[0]!);
      for (const options of [{}, { weights: true }, lengthsOf(mechanism, SIZES[0]!)]) {
        const before = tf.memory().numTensors;
        const returned = Object.keys(run(mechanism, tensors, options)).length;
        expect(tf.memory().numTensors).toBe(before + returned);
      }
    });
  });

  it.each(table)("%s: goes through the kernels that it can", async (_, mechanism) => {
    const tensors = tensorsOf(mechanism, SIZES[0]!);
    const namesOf = async (f: () => tf.Tensor) =>
      (await tf.profile(f)).kernels
        .map(({ name }) => name)
        .filter((name) => /HeedAttention|HeedLinear$|HeedLayerNorm|HeedRmsNorm$|BatchMatMul/.test(name));
    const fused = tf.getBackend() === "heed";
    const names = await namesOf(() => run(mechanism, tensors).output);
    const isComposed = !fused && mechanism.composedOnCpu === true;
    const attention = (kernels: readonly string[]) => kernels.filter((name) => name === "HeedAttention");
    const expected = isComposed ? [] : attention(mechanism.kernels);
    if (fused) expect(names).toEqual(mechanism.kernels);
    else expect(attention(names)).toEqual(expected);
    const all = await namesOf(() => tf.addN(gradientsOf(mechanism, tensors, {}).map((g) => tf.sum(g))));
    const backward = all.filter((name) => name === "HeedAttentionGrad");
    expect(backward.length).toBe(expected.length);
    tf.dispose(tensors);
  });
}

onEveryBackend("sequence attention", mechanismTests);
