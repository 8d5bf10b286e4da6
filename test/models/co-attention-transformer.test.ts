import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { loadGradients } from "../../src/host/gradients.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import { CoAttentionTransformer } from "../../src/models/index.ts";
import { namedGradients } from "../../src/train/named-gradients.ts";

const SIZES = { vocabulary: 13, positions: 7, answers: 5, layers: 2, width: 12, heads: 3, inner: 11 };
const [T, S] = [SIZES.positions, 64];

let model: CoAttentionTransformer;
beforeAll(async () => {
  await loadGradients();
  await useHeedBackend();
  model = new CoAttentionTransformer(SIZES, 3);
});

/** Pictures of noise, [B, 64, 64, 1]. */
const noise = (B: number, seed = 1) => tf.randomUniform<tf.Rank.R4>([B, 64, 64, 1], 0, 1, "float32", seed);

/** Questions of words 2 and more, each with a length of its own. */
function questions(lengths: number[]) {
  const ids = new Int32Array(lengths.length * T);
  lengths.forEach((length, n) => {
    for (let t = 0; t < length; t++) ids[n * T + t] = t === 0 ? 1 : 2 + ((5 * n + 3 * t) % 11);
  });
  return { ids, lengths };
}

const bits = (x: tf.Tensor) => Array.from(new Uint32Array(Float32Array.from(x.dataSync()).buffer));

describe("an example and its batch mates", () => {
  test("have nothing to do with each other, bit for bit: alone, among others, in another order", () => {
    const x = noise(5);
    const asked = questions([7, 2, 5, 3, 1]);
    const all = model.forward(x, asked, { attention: true });
    for (const order of [[0], [3], [4, 0, 2], [1, 3, 4, 2, 0]]) {
      const some = model.forward(
        tf.gather(x, order),
        {
          ids: Int32Array.from(order.flatMap((n) => [...asked.ids.subarray(n * T, (n + 1) * T)])),
          lengths: order.map((n) => asked.lengths[n]!),
        },
        { attention: true },
      );
      expect(bits(some.logits)).toEqual(bits(tf.gather(all.logits, order)));
      for (const [n, { words, cells }] of some.attention.entries()) {
        expect(bits(words)).toEqual(bits(tf.gather(all.attention[n]!.words, order)));
        if (cells) expect(bits(cells)).toEqual(bits(tf.gather(all.attention[n]!.cells!, order)));
      }
    }
  });

  test("gives several questions about one picture what each gets alone", () => {
    const x = noise(2);
    const asked = questions([4, 6, 3]);
    const shared = model.forward(x, { ...asked, pictures: Int32Array.of(1, 0, 1) });
    const alone = model.forward(tf.gather(x, [1, 0, 1]), asked);
    expect(bits(shared.logits)).toEqual(bits(alone.logits));
    expect(
      bits(model.answer(model.features(x), { ...asked, pictures: Int32Array.of(1, 0, 1) }).logits),
    ).toEqual(bits(shared.logits));
  });
});

describe("words and cells", () => {
  test("read each other: shapes, sums, and nothing of words behind a question's length", () => {
    const { logits, attention } = model.forward(noise(2), questions([7, 3]), { attention: true });
    expect(logits.shape).toEqual([2, 5]);
    expect(attention.map(({ words, cells }) => [words.shape, cells?.shape])).toEqual([
      [
        [2, 3, T, S],
        [2, 3, S, T],
      ],
      [[2, 3, T, S], undefined],
    ]);
    for (const { words, cells } of attention)
      for (const weights of cells ? [words, cells] : [words])
        for (const sum of tf.sum(weights, -1).dataSync()) expect(sum).toBeCloseTo(1, 5);
    const hidden = tf.slice(attention[0]!.cells!, [1, 0, 0, 3], [1, 3, S, T - 3]);
    expect(Math.max(...hidden.dataSync())).toBe(0);
  });

  test("behind a question's length may be anything", () => {
    const x = noise(1);
    const asked = questions([3]);
    const other = { ...asked, ids: asked.ids.map((id, t) => (t < 3 ? id : 9)) };
    expect(bits(model.forward(x, other).logits)).toEqual(bits(model.forward(x, asked).logits));
  });

  test("both change the answer, and so does the order of words", () => {
    const said = (x: tf.Tensor4D, ids: number[]) =>
      Array.from(
        model.forward(x, { ids: Int32Array.from([...ids, 0, 0, 0]), lengths: [4] }).logits.dataSync(),
      );
    const first = said(noise(1), [1, 5, 6, 7]);
    expect(said(noise(1, 2), [1, 5, 6, 7])).not.toEqual(first);
    expect(said(noise(1), [1, 5, 6, 8])).not.toEqual(first);
    expect(said(noise(1), [1, 7, 6, 5])).not.toEqual(first);
  });

  test("every parameter has a gradient, and nothing leaks", () => {
    const x = noise(2);
    const asked = questions([7, 5]);
    const { variables } = model.parameters;
    const before = tf.memory().numTensors;
    const { grads } = namedGradients(variables, () =>
      tf.tidy(() => {
        const { logits, attention } = model.forward(x, asked, { attention: true });
        return tf.add<tf.Scalar>(tf.sum(tf.square(logits)), tf.sum(tf.square(attention[0]!.words)));
      }),
    );
    for (const [name, grad] of Object.entries(grads)) {
      const norm = tf.tidy(() => tf.norm(grad).dataSync()[0]!);
      // A bias of keys moves all scores of a query alike.
      if (name.endsWith("key/bias")) expect(norm, name).toBeLessThan(1e-3);
      else expect(norm, name).toBeGreaterThan(0);
    }
    tf.dispose(grads);
    expect(tf.memory().numTensors).toBe(before);
  });
});

test("a configuration and questions that do not fit are refused", () => {
  expect(() => new CoAttentionTransformer({ ...SIZES, width: 10 })).toThrow(
    "CoAttentionTransformer: width must be a multiple of 4 and of heads, got 10 with 3 heads; choose another width",
  );
  expect(() => new CoAttentionTransformer({ ...SIZES, layers: 0 })).toThrow(
    "layers must be an integer ≥ 1, got 0",
  );
  expect(() => model.forward(noise(1), { ids: new Int32Array(T - 1), lengths: [2] })).toThrow(
    `CoAttentionTransformer: ids must hold N·T = ${T} numbers, got ${T - 1}`,
  );
});
