import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  attend,
  crossAttention,
  type MultiHeadParameters,
  multiHeadAttention,
  selfAttention,
} from "../../../src/attention/sequence/index.ts";
import { onEveryBackend } from "../support.ts";
import { attentionOracle, type Heads, type Matrix, nested, normal, project, roundings } from "./oracle.ts";

const [B, T, S, H, D, DV, C, CM] = [2, 5, 7, 3, 2, 11, 13, 17];

function parameters(Ck = C): Required<MultiHeadParameters> {
  const part = <X extends tf.Tensor>(seed: number, ...shape: number[]) =>
    tf.mul(normal(seed, ...shape), 0.3) as X;
  return {
    ...{ wq: part(1, C, H, D), bq: part(2, H, D), wk: part(3, Ck, H, D), bk: part(4, H, D) },
    ...{ wv: part(5, Ck, H, DV), bv: part(6, H, DV), wo: part(7, H, DV, C), bo: part(8, C) },
  };
}

function selfTests(): void {
  it("with one head and no output projection is softmax(QKᵀ/√D)·V of its own projections", () => {
    tf.tidy(() => {
      const x = normal<tf.Tensor3D>(20, B, T, C);
      const part = (seed: number, width: number) => normal<tf.Tensor3D>(seed, C, 1, width);
      const [wq, wk, wv] = [part(21, D), part(22, D), part(23, DV)];
      const heads = (w: tf.Tensor): Heads =>
        nested<Matrix[]>(x).map((rows) => [project(rows, nested<Matrix>(tf.squeeze(w, [1])))]);
      const expected = attentionOracle(heads(wq), heads(wk), heads(wv));
      const { output, weights } = selfAttention(x, { wq, wk, wv }, { weights: true });
      // Scores are sums of 2·13 products of products near 1, up to 30 in size: as many roundings in a weight.
      expect(roundings(weights, expected.weights)).toBeLessThanOrEqual(256);
      expect(roundings(output, expected.output)).toBeLessThanOrEqual(256);
    });
  });

  it("is multi-head attention of one sequence, bit for bit", () => {
    tf.tidy(() => {
      const [x, p] = [normal<tf.Tensor3D>(20, B, T, C), parameters()];
      const expected = multiHeadAttention({ query: x, key: x, value: x }, p, { causal: true });
      expect(selfAttention(x, p, { causal: true }).output.dataSync()).toEqual(expected.output.dataSync());
    });
  });

  it("knows no positions: permuted inputs give outputs and weights that are permuted", () => {
    tf.tidy(() => {
      const [x, p] = [normal<tf.Tensor3D>(20, B, T, C), parameters()];
      const order = tf.tensor1d([3, 0, 4, 1, 2], "int32");
      const permuted = selfAttention(tf.gather(x, order, 1), p, { weights: true });
      const { output, weights } = selfAttention(x, p, { weights: true });
      // Sums run in another order.
      expect(roundings(permuted.output, tf.gather(output, order, 1).arraySync())).toBeLessThanOrEqual(16);
      const both = tf.gather(tf.gather(weights, order, 2), order, 3);
      expect(roundings(permuted.weights, both.arraySync())).toBeLessThanOrEqual(16);
    });
  });

  /** Rows 0 … t of causal self-attention, as they are and with later inputs that `change` makes of theirs. */
  function before(t: number, change: (later: tf.Tensor) => tf.Tensor) {
    const p = parameters();
    // Long enough for the kernels' blocks.
    const x = normal<tf.Tensor3D>(24, 1, 67, C);
    const upTo = (y: tf.Tensor) => tf.slice(y, [0, 0, 0], [1, t + 1, C]);
    const later = change(tf.slice(x, [0, t + 1, 0], [1, 67 - t - 1, C]));
    const followed = tf.concat([upTo(x), later], 1) as tf.Tensor3D;
    const bits = (y: tf.Tensor3D) => upTo(selfAttention(y, p, { causal: true }).output).dataSync();
    return { whole: bits(x), other: bits(followed) };
  }

  const CHANGES: [string, (later: tf.Tensor) => tf.Tensor][] = [
    ["others", (later) => tf.reverse(later, 2)],
    ["three times as large", (later) => tf.mul(later, 3)],
    ["a thousand times as large", (later) => tf.mul(later, 1e3)],
    ["NaN", (later) => tf.fill(later.shape, Number.NaN)],
    ["infinite", (later) => tf.fill(later.shape, Number.POSITIVE_INFINITY)],
    ["−∞", (later) => tf.fill(later.shape, Number.NEGATIVE_INFINITY)],
  ];
  const places = CHANGES.flatMap(([name, change]) =>
    [0, 1, 15, 32, 65].map((t) => [name, t, change] as const),
  );

  it.each(places)(
    "when causal, has outputs in which later inputs that are %s change no bit, t = %i",
    (_, t, change) => {
      tf.tidy(() => {
        const { whole, other } = before(t, change);
        expect(other).toEqual(whole);
      });
    },
  );

  it("when causal, has gradients that reach no later input", () => {
    tf.tidy(() => {
      const [x, p] = [normal<tf.Tensor3D>(20, B, T, C), parameters()];
      const third = (y: tf.Tensor3D) =>
        tf.slice(selfAttention(y, p, { causal: true }).output, [0, 2, 0], [B, 1, C]);
      const gradient = nested<Matrix[]>(tf.grad((y) => third(y as tf.Tensor3D))(x));
      for (const rows of gradient) {
        expect(rows.map((row) => row.some((g) => g !== 0))).toEqual([true, true, true, false, false]);
      }
    });
  });

  it("refuses parameters that do not fit, under its own name", () => {
    tf.tidy(() => {
      const p = parameters(C + 1);
      expect(() => selfAttention(normal(20, B, T, C), p)).toThrow(
        "selfAttention: wk must be float32 of shape [Ck, Hkv, D] = [13, 3, 2], got float32 of shape [14, 3, 2]",
      );
    });
  });
}

function crossTests(): void {
  it("equals its formula in float64 loops with T ≠ S and widths that differ", () => {
    tf.tidy(() => {
      const [x, memory, p] = [
        normal<tf.Tensor3D>(20, B, T, C),
        normal<tf.Tensor3D>(21, B, S, CM),
        parameters(CM),
      ];
      const heads = (from: tf.Tensor3D, w: tf.Tensor3D, b: tf.Tensor2D): Heads =>
        nested<Matrix[]>(from).map((rows) =>
          nested<Matrix>(b).map((bias, h) =>
            project(
              rows,
              nested<number[][][]>(w).map((all) => all[h]!),
              bias,
            ),
          ),
        );
      const [q, k, v] = [heads(x, p.wq, p.bq), heads(memory, p.wk, p.bk), heads(memory, p.wv, p.bv)];
      const visible = [4, 7];
      const score = (e: number, b: number, _h: number, _t: number, s: number) =>
        s < visible[b]! ? e : -Infinity;
      const expected = attentionOracle(q, k, v, { score });
      const { output, weights } = crossAttention(x, memory, p, { keyLengths: visible, weights: true });
      expect(weights.shape).toEqual([B, H, T, S]);
      expect(roundings(weights, expected.weights)).toBeLessThanOrEqual(64);
      const wo = nested<Matrix>(tf.reshape(p.wo, [H * DV, C]));
      const rows = expected.output.map((all) => all[0]!.map((_, t) => all.flatMap((head) => head[t]!)));
      const outputs = rows.map((one) => project(one, wo, nested<number[]>(p.bo)));
      expect(roundings(output, outputs)).toBeLessThanOrEqual(64);
    });
  });

  it("without projections is attend: identity matrices give its output", () => {
    tf.tidy(() => {
      const [queries, keys] = [normal<tf.Tensor3D>(22, B, T, C), normal<tf.Tensor3D>(23, B, S, C)];
      const identity = tf.expandDims(tf.eye(C), 1) as tf.Tensor3D;
      const { output } = crossAttention(queries, keys, { wq: identity, wk: identity, wv: identity });
      const expected = attend({ queries, keys, values: keys }).output;
      expect(roundings(output, expected.arraySync())).toBeLessThanOrEqual(16);
    });
  });

  it("refuses memories of another batch, under its own name", () => {
    tf.tidy(() => {
      const refuse = () => crossAttention(normal(20, B, T, C), normal(21, B + 1, S, CM), parameters(CM));
      expect(refuse).toThrow(
        "crossAttention: query [B, T, C] and key [B, S, Ck] must have the same B, got shapes [2, 5, 13] and " +
          "[3, 7, 17]; make their B equal",
      );
    });
  });
}

onEveryBackend("selfAttention", selfTests);
onEveryBackend("crossAttention", crossTests);
