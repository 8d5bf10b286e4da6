/** Attention that makes one vector, or a few, of a sequence: patches, a learned query, learned seeds. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  attentionPooling,
  type MultiHeadPoolingParameters,
  multiHeadAttention,
  multiHeadPooling,
  patchAttention,
} from "../../../src/attention/sequence/index.ts";
import { onEveryBackend } from "../support.ts";
import { casesOf, expectCase } from "./fixture.ts";
import { dot, type Matrix, mix, nested, normal, project, roundings, softmax } from "./oracle.ts";

const [B, S, C, CK, D, DV] = [2, 5, 7, 11, 3, 13];

function patchTests(): void {
  const inputs = () => ({ query: normal<tf.Tensor2D>(1, B, C), patches: normal<tf.Tensor3D>(2, B, S, CK) });
  const parameters = () => ({
    ...{ wq: normal<tf.Tensor2D>(3, C, D), bq: normal<tf.Tensor1D>(4, D), wk: normal<tf.Tensor2D>(5, CK, D) },
    ...{ bk: normal<tf.Tensor1D>(6, D), wv: normal<tf.Tensor2D>(7, CK, DV), bv: normal<tf.Tensor1D>(8, DV) },
  });

  it("equals softmax(tanh(W_q q)·(W_k K)ᵀ/√D)·W_v V in float64 loops, with weights that sum to 1", () => {
    tf.tidy(() => {
      const { query, patches } = inputs();
      const p = parameters();
      const lengths = [3, 5];
      const expected = nested<Matrix[]>(patches).map((rows, b) => {
        const q = project([nested<Matrix>(query)[b]!], nested<Matrix>(p.wq), nested<number[]>(p.bq))[0]!.map(
          Math.tanh,
        );
        const keys = project(rows, nested<Matrix>(p.wk), nested<number[]>(p.bk));
        const scores = keys.map((key, s) => (s < lengths[b]! ? dot(q, key) / Math.sqrt(D) : -Infinity));
        const weights = softmax(scores);
        return { weights, output: mix(weights, project(rows, nested<Matrix>(p.wv), nested<number[]>(p.bv))) };
      });
      const { output, weights } = patchAttention(query, patches, p, { keyLengths: lengths, weights: true });
      expect(
        roundings(
          weights,
          expected.map((one) => one.weights),
        ),
      ).toBeLessThanOrEqual(64);
      expect(
        roundings(
          output,
          expected.map((one) => one.output),
        ),
      ).toBeLessThanOrEqual(64);
      for (const row of nested<Matrix>(weights)) {
        expect(row.every((w) => w >= 0)).toBe(true);
        expect(Math.abs(row.reduce((sum, w) => sum + w, 0) - 1)).toBeLessThanOrEqual(1e-6);
      }
    });
  });

  it("makes (1, 128) of 100 patches, and treats a batch as its examples", () => {
    tf.tidy(() => {
      const [query, patches] = [normal<tf.Tensor2D>(1, 3, 32), normal<tf.Tensor3D>(2, 3, 100, 128)];
      const [wq, wk, wv] = [32, 128, 128].map((rows, n) =>
        tf.mul(normal<tf.Tensor2D>(3 + n, rows, 128), 0.1),
      );
      const p = { wq: wq!, wk: wk!, wv: wv! } as Parameters<typeof patchAttention>[2];
      const whole = patchAttention(query, patches, p).output;
      for (let b = 0; b < 3; b++) {
        const one = patchAttention(tf.slice(query, b, 1), tf.slice(patches, b, 1), p).output;
        expect(one.shape).toEqual([1, 128]);
        expect(roundings(one, tf.slice(whole, b, 1).arraySync())).toBeLessThanOrEqual(16);
      }
    });
  });

  it("takes masks of patches, for all examples or for each", () => {
    tf.tidy(() => {
      const { query, patches } = inputs();
      const flags = tf.tensor2d([1, 0, 1, 0, 0, 0, 0, 0, 1, 1], [B, S], "bool");
      const { weights } = patchAttention(query, patches, parameters(), { allow: flags, weights: true });
      expect([...weights.dataSync()].map((w) => Number(w > 0))).toEqual([...flags.dataSync()]);
      const row = tf.tensor1d([0, 1, 1, 0, 1], "bool");
      const shared = patchAttention(query, patches, parameters(), { allow: row, weights: true }).weights;
      expect([...shared.dataSync()].map((w) => Number(w > 0))).toEqual([0, 1, 1, 0, 1, 0, 1, 1, 0, 1]);
    });
  });

  it("refuses what does not fit, under its own name", () => {
    tf.tidy(() => {
      const { query, patches } = inputs();
      const p = parameters();
      const refuse = (own: object, message: string, options = {}) =>
        expect(() => patchAttention(query, patches, { ...p, ...own }, options)).toThrow(message);
      refuse(
        { wk: tf.zeros([CK, D + 1]) },
        "patchAttention: wk must be float32 of shape [Ck, D] = [11, 3], got",
      );
      refuse({ wq: tf.zeros([C, 1, D]) }, "patchAttention: wq [C, D] must have rank 2, got shape [7, 1, 3]");
      refuse({ bv: tf.zeros([D]) }, "bv must be float32 of shape [Dv] = [13]");
      const allow = tf.ones([B, S + 1], "bool");
      refuse(
        {},
        "patchAttention: allow must have shape [B, S] = [2, 5], where any length may be 1, got [2, 6]; " +
          "reshape it so that every axis is named",
        { allow },
      );
      expect(() => patchAttention(tf.zeros([B + 1, C]), patches, p)).toThrow(
        "query must be float32 of shape [B, C] = [2, 7], got float32 of shape [3, 7]",
      );
    });
  });
}

function poolingTests(): void {
  it("equals its formula in float64 loops, and the masked mean for a query of zeros", () => {
    tf.tidy(() => {
      const [x, query] = [normal<tf.Tensor3D>(1, B, S, C), normal<tf.Tensor1D>(2, C)];
      const q = nested<number[]>(query);
      const lengths = [2, 5];
      const expected = nested<Matrix[]>(x).map((rows, b) => {
        const scores = rows.map((row, s) => (s < lengths[b]! ? dot(row, q) / Math.sqrt(C) : -Infinity));
        return { weights: softmax(scores), output: mix(softmax(scores), rows) };
      });
      const options = { keyLengths: lengths, weights: true } as const;
      const { output, weights } = attentionPooling(x, { query }, options);
      expect(
        roundings(
          weights,
          expected.map((one) => one.weights),
        ),
      ).toBeLessThanOrEqual(32);
      expect(
        roundings(
          output,
          expected.map((one) => one.output),
        ),
      ).toBeLessThanOrEqual(32);
      const mean = attentionPooling(x, { query: tf.zeros([C]) }).output;
      expect(roundings(mean, tf.mean(x, 1).arraySync())).toBeLessThanOrEqual(8);
    });
  });

  it("does not see the order of positions", () => {
    tf.tidy(() => {
      const [x, query] = [normal<tf.Tensor3D>(1, B, S, C), normal<tf.Tensor1D>(2, C)];
      const reversed = attentionPooling(tf.reverse(x, 1), { query }).output;
      expect(roundings(reversed, attentionPooling(x, { query }).output.arraySync())).toBeLessThanOrEqual(8);
    });
  });

  it("refuses queries of another width and masks of another shape", () => {
    tf.tidy(() => {
      const x = normal<tf.Tensor3D>(1, B, S, C);
      expect(() => attentionPooling(x, { query: tf.zeros([C + 1]) })).toThrow(
        "attentionPooling: query must be float32 of shape [C] = [7], got float32 of shape [8]",
      );
      const allow = tf.ones([S + 1], "bool");
      expect(() => attentionPooling(x, { query: tf.zeros([C]) }, { allow })).toThrow(
        "attentionPooling: allow must have shape [S] = [5], where any length may be 1, got [6]",
      );
    });
  });
}

function multiHeadPoolingTests(): void {
  const [T, H, COUT] = [3, 2, 17];
  const parameters = (): MultiHeadPoolingParameters => ({
    ...{
      seeds: normal<tf.Tensor2D>(1, T, C),
      wq: normal<tf.Tensor3D>(2, C, H, D),
      wk: normal<tf.Tensor3D>(3, CK, H, D),
    },
    ...{
      wv: normal<tf.Tensor3D>(4, CK, H, DV),
      wo: normal<tf.Tensor3D>(5, H, DV, COUT),
      bo: normal<tf.Tensor1D>(6, COUT),
    },
  });

  it.each(casesOf("timm").filter(([name]) => name === "AttentionPoolLatent"))(
    "equals timm's %s, gradients included",
    (_, one) => {
      tf.tidy(() => {
        const { H: n } = one;
        expectCase(one, { ...one.inputs, ...one.state }, ({ x, ...state }) => {
          const perHead = (w: tf.Tensor) =>
            tf.reshape(tf.transpose(w), [w.shape[1]!, n, w.shape[0]! / n]) as tf.Tensor3D;
          const biases = (b: tf.Tensor) => tf.reshape(b, [n, b.size / n]) as tf.Tensor2D;
          const [wk, wv] = tf.split(state["kv.weight"]!, 2, 0).map(perHead);
          const [bk, bv] = tf.split(state["kv.bias"]!, 2, 0).map(biases);
          const own = {
            ...{ seeds: tf.squeeze<tf.Tensor2D>(state.latent!, [0]), wq: perHead(state["q.weight"]!) },
            ...{ bq: biases(state["q.bias"]!), wk: wk!, wv: wv!, bk: bk!, bv: bv! },
          };
          return multiHeadPooling(x as tf.Tensor3D, own).output;
        });
      });
    },
  );

  it("is multi-head attention of the seeds, the same for all examples", () => {
    tf.tidy(() => {
      const x = normal<tf.Tensor3D>(7, B, S, CK);
      const { seeds, ...p } = parameters();
      const query = tf.tile(tf.expandDims(seeds, 0), [B, 1, 1]) as tf.Tensor3D;
      const options = { keyLengths: [2, 5], weights: true } as const;
      const expected = multiHeadAttention({ query, value: x }, p, options);
      const { output, weights } = multiHeadPooling(x, { seeds, ...p }, options);
      expect(roundings(output, expected.output.arraySync())).toBeLessThanOrEqual(8);
      expect(roundings(weights, expected.weights.arraySync())).toBeLessThanOrEqual(8);
    });
  });

  it("takes masks of keys, and refuses seeds of another width", () => {
    tf.tidy(() => {
      const x = normal<tf.Tensor3D>(7, B, S, CK);
      const allow = tf.tensor1d([1, 0, 1, 1, 0], "bool");
      const { weights } = multiHeadPooling(x, parameters(), { allow, weights: true });
      for (const row of nested(weights).flat(2)) expect([row[1], row[4]]).toEqual([0, 0]);
      expect(() => multiHeadPooling(x, { ...parameters(), seeds: tf.zeros([T, C + 1]) })).toThrow(
        "multiHeadPooling: wq must be float32 of shape [C, H, D] = [8, 2, 3], got float32 of shape [7, 2, 3]",
      );
    });
  });
}

onEveryBackend("patchAttention", patchTests);
onEveryBackend("attentionPooling", poolingTests);
onEveryBackend("multiHeadPooling", multiHeadPoolingTests);
