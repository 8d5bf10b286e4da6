/** Attention along chosen axes of images, under masks. */
import * as tf from "@tensorflow/tfjs-core";
import { input, layers, model } from "@tensorflow/tfjs-layers";
import { expect, it } from "vitest";
import { MultiHeadAttention } from "../../../src/layers/index.ts";
import { distance, onEveryBackend, random, tensor } from "../../attention/support.ts";

const [B, R, Q, C] = [2, 3, 5, 7];
const sizes = { numHeads: 2, keyDim: 3, seed: 1, biasInitializer: "randomNormal" } as const;
const image = (seed = 1) => tensor(random(seed, [B, R, Q, C])) as tf.Tensor4D;
/** Which cells are there, and holes among them. */
const cells = () => tf.greater(tensor(random(4, [B, R, Q])), -0.5) as tf.Tensor3D;
// float32 sums of some dozens of products near 1, in another order.
const ROUNDING = 1e-5;

type Call = { mask?: tf.Tensor; attentionMask?: tf.Tensor };
const run = (layer: MultiHeadAttention, x: tf.Tensor, call: Call = {}) =>
  layer.apply(x, call as never) as tf.Tensor;

onEveryBackend("MultiHeadAttention along axes, under masks", () => {
  /** The image's rows or columns as sequences [B·n, N, …], whatever follows. */
  const lines = (x: tf.Tensor, axis: 1 | 2) => {
    const rest = x.shape.slice(3);
    const order = axis === 2 ? [0, 1, 2] : [0, 2, 1];
    const turned = tf.transpose(x, [...order, ...rest.map((_, n) => n + 3)]);
    return tf.reshape(turned, [-1, turned.shape[2]!, ...rest]);
  };

  it.each([
    ["rows", 2],
    ["columns", 1],
  ] as const)(
    "attends within %s as within sequences of their own, under the mask of their cells",
    (_, axis) => {
      tf.tidy(() => {
        const [x, mask] = [image(), cells()];
        const layer = new MultiHeadAttention({ ...sizes, attentionAxes: axis });
        const plain = new MultiHeadAttention(sizes);
        const output = lines(run(layer, x, { mask }), axis);
        const expected = run(plain, lines(x, axis), { mask: lines(mask, axis) });
        expect(distance(output.dataSync(), expected.dataSync())).toBeLessThanOrEqual(ROUNDING);
        const spoiled = tf.where(tf.expandDims(mask, 3), x, Number.NaN);
        expect(run(layer, spoiled, { mask }).dataSync()).toEqual(run(layer, x, { mask }).dataSync());
      });
    },
  );

  it("attends over both axes as over one sequence of all cells", () => {
    tf.tidy(() => {
      const [x, mask] = [image(), cells()];
      const output = run(new MultiHeadAttention(sizes), x, { mask });
      const flat = run(new MultiHeadAttention(sizes), tf.reshape(x, [B, R * Q, C]), {
        mask: tf.reshape(mask, [B, R * Q]),
      });
      expect(output.shape).toEqual([B, R, Q, C]);
      expect(distance(output.dataSync(), flat.dataSync())).toBeLessThanOrEqual(ROUNDING);
    });
  });

  it("takes a mask of whole rows", () => {
    tf.tidy(() => {
      const x = image();
      const rows = tf.tensor2d([1, 1, 0, 1, 0, 1], [B, R], "bool");
      const every = tf.logicalAnd(tf.expandDims(rows, 2), tf.ones([B, R, Q], "bool"));
      const layer = new MultiHeadAttention({ ...sizes, attentionAxes: 1 });
      expect(run(layer, x, { mask: rows }).dataSync()).toEqual(run(layer, x, { mask: every }).dataSync());
    });
  });

  it("takes an attention mask for all rows, for each row, and for each head of it, as Keras does", () => {
    tf.tidy(() => {
      const x = image();
      const layer = new MultiHeadAttention({ ...sizes, attentionAxes: 2 });
      const all = tf.greater(tensor(random(6, [B, Q, Q])), -0.5);
      const each = tf.tile(tf.expandDims(all, 1), [1, R, 1, 1]);
      const heads = tf.tile(tf.expandDims(each, 2), [1, 1, 2, 1, 1]);
      const [forAll, forEach, forHeads, forOne] = [all, each, heads, tf.slice(all, [0, 0, 0], [1, Q, Q])].map(
        (attentionMask) => [...run(layer, x, { attentionMask }).dataSync()],
      );
      expect(forEach).toEqual(forAll);
      expect(forHeads).toEqual(forAll);
      const pairs = tf.reshape(tf.slice(all, [0, 0, 0], [1, Q, Q]), [Q, Q]);
      expect([...run(layer, x, { attentionMask: pairs }).dataSync()]).toEqual(forOne);
      // Rows under masks of their own are sequences under these.
      const own = tf.greater(tensor(random(7, [B, R, Q, Q])), -0.5);
      const output = run(layer, x, { attentionMask: own });
      const expected = run(new MultiHeadAttention(sizes), lines(x, 2), {
        attentionMask: tf.reshape(own, [B * R, Q, Q]),
      });
      expect(distance(output.dataSync(), expected.dataSync())).toBeLessThanOrEqual(ROUNDING);
    });
  });

  it("takes an attention mask [B, T1, T2, S1, S2] over two axes, which composes with that of the cells", () => {
    tf.tidy(() => {
      const [x, mask] = [image(), cells()];
      const pairs = tf.greater(tensor(random(8, [B, R, Q, R, Q])), -0.5);
      const output = run(new MultiHeadAttention(sizes), x, { mask, attentionMask: pairs });
      const flat = run(new MultiHeadAttention(sizes), tf.reshape(x, [B, R * Q, C]), {
        mask: tf.reshape(mask, [B, R * Q]),
        attentionMask: tf.reshape(pairs, [B, R * Q, R * Q]),
      });
      expect(distance(output.dataSync(), flat.dataSync())).toBeLessThanOrEqual(ROUNDING);
      const ofKeys = tf.slice(pairs, [0, 0, 0, 0, 0], [B, 1, 1, R, Q]);
      const wide = tf.tile(ofKeys, [1, R, Q, 1, 1]);
      const layer = new MultiHeadAttention(sizes);
      expect(run(layer, x, { attentionMask: ofKeys }).dataSync()).toEqual(
        run(layer, x, { attentionMask: wide }).dataSync(),
      );
    });
  });

  it("is causal, and has a window, along the one axis that it runs over", () => {
    tf.tidy(() => {
      const x = image();
      for (const more of [{ useCausalMask: true }, { slidingWindow: 2 }]) {
        const output = run(new MultiHeadAttention({ ...sizes, ...more, attentionAxes: 1 }), x);
        const expected = run(new MultiHeadAttention({ ...sizes, ...more }), lines(x, 1));
        expect(distance(lines(output, 1).dataSync(), expected.dataSync())).toBeLessThanOrEqual(ROUNDING);
      }
    });
  });

  it("gives hidden cells weights of 0, and passes their mask on", () => {
    tf.tidy(() => {
      const [x, mask] = [image(), cells()];
      const layer = new MultiHeadAttention({ ...sizes, attentionAxes: 2, returnAttentionScores: true });
      const [, scores] = layer.apply(x, { mask } as never) as tf.Tensor[];
      expect(scores!.shape).toEqual([B, R, 2, Q, Q]);
      const there = tf.cast(mask, "float32");
      const both = tf.mul(tf.expandDims(there, 3), tf.expandDims(there, 2));
      const seen = tf.logicalAnd(tf.expandDims(tf.cast(both, "bool"), 2), tf.ones([B, R, 2, Q, Q], "bool"));
      expect(tf.max(tf.where(seen, 0, scores!)).dataSync()[0]).toBe(0);
      expect((layer.computeMask(x, mask) as unknown as tf.Tensor[])[0]).toBe(mask);
    });
  });

  it("runs in a model behind an embedding whose mask is of tables of words", () => {
    const words = input({ shape: [R, Q] });
    const embedded = layers.embedding({ inputDim: 9, outputDim: C, maskZero: true }).apply(words);
    const layer = new MultiHeadAttention({ ...sizes, attentionAxes: 2 });
    const run = model({ inputs: words, outputs: layer.apply(embedded) as typeof words });
    const table = [1, 2, 3, 0, 0, 4, 5, 0, 0, 0, 6, 7, 8, 1, 2];
    const cut = table.map((word, at) => (at % Q < 3 ? word : 0));
    const [long, short] = [table, cut].map((ids) => run.predict(tf.tensor3d(ids, [1, R, Q])) as tf.Tensor);
    // The first two rows hold the same words and padding.
    expect(long!.dataSync().slice(0, 2 * Q * C)).toEqual(short!.dataSync().slice(0, 2 * Q * C));
    expect(long!.dataSync().slice(2 * Q * C)).not.toEqual(short!.dataSync().slice(2 * Q * C));
    const padding = long!.dataSync().slice(3 * C, 4 * C);
    const bias = layer.getWeights().at(-1)!.dataSync();
    expect([...padding]).toEqual([...bias]);
  });

  it("refuses masks of other shapes, and an order of positions along two axes", () => {
    const make = (more = {}) => new MultiHeadAttention({ ...sizes, ...more });
    const x = tf.zeros([B, R, Q, C]);
    expect(() => make().apply(x, { mask: tf.ones([B, Q]) } as never)).toThrow(
      "MultiHeadAttention: the mask of query [B, …, C] must have shape [2, 3, 5], got shape [2, 5, 1]; it says of each " +
        "position whether it is there",
    );
    expect(() => make({ attentionAxes: 2 }).apply(x, { attentionMask: tf.ones([B, Q, R]) })).toThrow(
      "MultiHeadAttention: attentionMask [B, …T, …S] must have shape [2, 5, 5], got shape [2, 5, 3]; it says of each " +
        "position whether it is there",
    );
    expect(() => make({ useCausalMask: true }).apply(x)).toThrow(
      "MultiHeadAttention: attention must run over one axis where there is useCausalMask or slidingWindow, which order " +
        "its positions, got axes 1, 2; choose one with attentionAxes",
    );
  });
});
