/** Query-key normalisation and differential attention: what is normalised before the softmax, or after it. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  differentialAttention,
  differentialLambda,
  qkLayerNormAttention,
  qkNormAttention,
  softAttention,
} from "../../../src/attention/sequence/index.ts";
import { distance, onEveryBackend } from "../support.ts";
import { expectCase } from "./fixture.ts";
import { attentionOracle, dot, type Heads, nested, normal, roundings } from "./oracle.ts";
import { timm, timmHeads, timmOutput } from "./timm.ts";

const [B, T, S, H, HKV, D, DV] = [2, 3, 5, 4, 2, 7, 11];
const heads = () => ({ q: normal(1, B, H, T, D), k: normal(2, B, HKV, S, D), v: normal(3, B, HKV, S, DV) });
const mapRows = (x: Heads, f: (row: number[]) => number[]): Heads => x.map((b) => b.map((h) => h.map(f)));

function qkTests(): void {
  it.each(timm("Attention with"))("equals timm's qk_norm, gradients included: %s", (_, one) => {
    tf.tidy(() => {
      const { H: n, norm, epsilon } = one;
      expectCase(one, { ...one.inputs, ...one.state }, ({ x, ...state }) => {
        const [q, k, v] = timmHeads(x!, state, [n, n, n]);
        const vector = (name: string) => state[name] as tf.Tensor1D | undefined;
        const parameters = {
          ...{ gammaQ: vector("q_norm.weight"), gammaK: vector("k_norm.weight") },
          ...{ betaQ: vector("q_norm.bias"), betaK: vector("k_norm.bias") },
        };
        const given = Object.fromEntries(Object.entries(parameters).filter(([, tensor]) => tensor));
        const { output } = qkLayerNormAttention(q, k, v, given, { norm, epsilon });
        return timmOutput(output, state);
      });
    });
  });

  it("scores by cosines times g in float64 loops, one g or one for each head", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const unit = (row: number[]) => row.map((x) => x / Math.sqrt(dot(row, row)));
      const [a, b] = [mapRows(nested(q), unit), mapRows(nested(k), unit)];
      for (const g of [tf.scalar(3), tf.tensor1d([1, -2, 5, 0.5])] as (tf.Scalar | tf.Tensor1D)[]) {
        const factors = g.rank === 0 ? new Array(H).fill(3) : [...g.dataSync()];
        const score = (e: number, _b: number, h: number) => factors[h]! * e;
        const expected = attentionOracle(a, b, nested(v), { scale: 1, score });
        for (const layout of ["bhtd", "bthd"] as const) {
          const given = layout === "bhtd" ? [q, k, v] : [q, k, v].map((x) => tf.transpose(x, [0, 2, 1, 3]));
          const [x, y, z] = given as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
          const { output, weights } = qkNormAttention(x, y, z, { g }, { layout, weights: true });
          expect(roundings(weights, expected.weights)).toBeLessThanOrEqual(32);
          const back = layout === "bhtd" ? output : tf.transpose(output, [0, 2, 1, 3]);
          expect(roundings(back, expected.output)).toBeLessThanOrEqual(32);
        }
      }
    });
  });

  it("does not see how long queries and keys are, and scores vectors of zeros 0", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const g = tf.scalar(4);
      const expected = qkNormAttention(q, k, v, { g }).output.arraySync();
      const longer = qkNormAttention(tf.mul(q, 1e4), tf.mul(k, 1e-2), v, { g }).output;
      expect(roundings(longer, expected)).toBeLessThanOrEqual(32);
      const { weights } = qkNormAttention(tf.zerosLike(q), k, v, { g }, { weights: true });
      expect(weights.dataSync().every((w) => Math.abs(w - 1 / S) <= 1e-7)).toBe(true);
    });
  });

  it("with LayerNorm has scores within ±√D without γ, whatever the size of q and k", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const [x, y] = [tf.mul<tf.Tensor4D>(q, 1e3), tf.mul<tf.Tensor4D>(k, 1e3)];
      for (const norm of ["layer", "rms"] as const) {
        const { weights } = qkLayerNormAttention(x, y, v, {}, { norm, weights: true });
        for (const row of nested(weights).flat(2)) {
          expect(Math.max(...row) / Math.min(...row)).toBeLessThanOrEqual(
            Math.exp(2 * Math.sqrt(D)) * (1 + 1e-5),
          );
        }
      }
    });
  });

  it("refuses parameters that do not fit, under their own names", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      expect(() => qkNormAttention(q, k, v, { g: tf.tensor1d([1, 1, 1]) })).toThrow(
        "qkNormAttention: g must have shape [] or [H] = [4], got [3]; give one factor, or one per query head",
      );
      expect(() => qkNormAttention(q, k, v, { g: tf.scalar(1) }, { epsilon: 0 })).toThrow(
        "epsilon must be above 0",
      );
      expect(() => qkLayerNormAttention(q, k, v, { gammaQ: tf.ones([D + 1]) })).toThrow(
        "qkLayerNormAttention: gammaQ must be float32 of shape [D] = [7], got float32 of shape [8]",
      );
      expect(() => qkLayerNormAttention(q, k, v, { betaK: tf.ones([D]) }, { norm: "rms" })).toThrow(
        'qkLayerNormAttention: norm: "rms" has no betaQ and betaK, got one of them; ' +
          'leave them out, or use norm: "layer"',
      );
      expect(() => qkLayerNormAttention(q, k, v, {}, { norm: "batch" as never })).toThrow(
        'qkLayerNormAttention: norm must be "layer" or "rms", got batch; choose one of them',
      );
    });
  });
}

const LAMBDAS = ["lambdaQ1", "lambdaK1", "lambdaQ2", "lambdaK2"] as const;
const lambdas = (size: number) =>
  Object.fromEntries(
    LAMBDAS.map((name, n) => [name, tf.mul(normal<tf.Tensor1D>(10 + n, D), size)]),
  ) as Record<(typeof LAMBDAS)[number], tf.Tensor1D>;

function differentialTests(): void {
  it.each(timm("DiffAttention"))("equals timm's DiffAttention, gradients included: %s", (name, one) => {
    tf.tidy(() => {
      const { H: n, layer } = one;
      expectCase(one, { ...one.inputs, ...one.state }, ({ x, ...state }) => {
        const [q, k, v] = timmHeads(x!, state, [2 * n, 2 * n, n]);
        // timm keeps q₁ and q₂ as neighbouring heads.
        const pair = (y: tf.Tensor4D) => {
          const [b, , N, d] = y.shape;
          const [first, second] = tf.split(tf.reshape(y, [b, n, 2, N, d]), 2, 2);
          return [first, second].map((half) => tf.reshape(half!, [b, n, N, d])) as [tf.Tensor4D, tf.Tensor4D];
        };
        const vector = (key: string) => state[key] as tf.Tensor1D;
        const parameters = {
          ...{ lambdaQ1: vector("lambda_q1"), lambdaK1: vector("lambda_k1") },
          ...{
            lambdaQ2: vector("lambda_q2"),
            lambdaK2: vector("lambda_k2"),
            gamma: vector("sub_norm.weight"),
          },
        };
        const options = { lambdaInit: differentialLambda(layer), causal: name.endsWith("causal") };
        return timmOutput(differentialAttention(pair(q), pair(k), v, parameters, options).output, state);
      });
    });
  });

  it("equals its formula in float64 loops, with key/value heads that are shared", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const [q2, k2] = [normal(4, B, H, T, D), normal(5, B, HKV, S, D)];
      const p = lambdas(0.5);
      const of = (name: keyof typeof p) => nested<number[]>(p[name]);
      const powers = [dot(of("lambdaQ1"), of("lambdaK1")), dot(of("lambdaQ2"), of("lambdaK2"))].map(Math.exp);
      const lambda = powers[0]! - powers[1]! + 0.6;
      const [a, b] = [
        attentionOracle(nested(q), nested(k), nested(v)),
        attentionOracle(nested(q2), nested(k2), nested(v)),
      ];
      const difference = (x: Heads, y: Heads): Heads =>
        x.map((all, i) =>
          all.map((rows, h) => rows.map((row, t) => row.map((n, s) => n - lambda * y[i]![h]![t]![s]!))),
        );
      const normed = mapRows(difference(a.output, b.output), (row) => {
        const root = Math.sqrt(dot(row, row) / DV + 1e-5);
        return row.map((x) => (0.4 * x) / root);
      });
      const result = differentialAttention([q, q2], [k, k2], v, p, { lambdaInit: 0.6, weights: true });
      expect(roundings(result.weights, difference(a.weights, b.weights))).toBeLessThanOrEqual(64);
      expect(roundings(result.output, normed)).toBeLessThanOrEqual(128);
    });
  });

  it("with λ = 0 is the norm of one attention", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const p = lambdas(0);
      const gamma = tf.add<tf.Tensor1D>(normal(6, DV), 2);
      const result = differentialAttention(
        [q, tf.neg(q)],
        [k, k],
        v,
        { ...p, gamma },
        { lambdaInit: 0, weights: true },
      );
      const one = softAttention(q, k, v, { weights: true });
      expect(distance(result.weights.dataSync(), one.weights.dataSync())).toBe(0);
      const root = tf.sqrt(tf.add(tf.mean(tf.square(one.output), -1, true), 1e-5));
      expect(
        roundings(result.output, tf.mul(tf.div(one.output, root), gamma).arraySync()),
      ).toBeLessThanOrEqual(8);
    });
  });

  it("cancels what both attentions see: equal pairs and λ = 1 leave nothing", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      // exp(0) − exp(ln ½) + ½ = 1
      const p = { ...lambdas(0), lambdaQ2: tf.oneHot(tf.tensor1d([0], "int32"), D) };
      const second = tf.cast(tf.reshape(p.lambdaQ2, [D]), "float32") as tf.Tensor1D;
      const own = { ...p, lambdaQ2: second, lambdaK2: tf.fill<tf.Rank.R1>([D], Math.log(0.5)) };
      const { weights } = differentialAttention([q, q], [k, k], v, own, { lambdaInit: 0.5, weights: true });
      expect(Math.max(...weights.dataSync().map(Math.abs))).toBeLessThanOrEqual(2 ** -22);
    });
  });

  it("drops other weights of the second attention than of the first", () => {
    tf.tidy(() => {
      const { q, k, v } = heads();
      const p = lambdas(0);
      const own = { dropout: { rate: 0.5, seed: 7 }, training: true };
      const same = differentialAttention([q, q], [k, k], v, p, { ...own, lambdaInit: 0.5 }).output;
      // Equal masks would leave (1 − λ) of one attention, whose norm does not know the factor.
      const one = softAttention(q, k, v, own).output;
      const root = tf.sqrt(tf.add(tf.mean(tf.square(one), -1, true), 1e-5));
      expect(distance(same.dataSync(), tf.mul(tf.div(one, root), 0.5).dataSync())).toBeGreaterThan(0.1);
    });
  });

  it("counts λ_init up from 0.2 towards 0.8, and refuses what does not fit", () => {
    expect([1, 2, 13].map((layer) => differentialLambda(layer).toFixed(4))).toEqual([
      "0.2000",
      "0.3555",
      "0.7836",
    ]);
    expect(() => differentialLambda(0)).toThrow("differentialLambda: layer must be an integer ≥ 1, got 0");
    tf.tidy(() => {
      const { q, k, v } = heads();
      const refuse = (second: tf.Tensor4D, own: object, options: object, message: string) =>
        expect(() =>
          differentialAttention([q, second], [k, k], v, { ...lambdas(0), ...own }, options),
        ).toThrow(message);
      refuse(
        normal(4, B, H, T + 1, D),
        {},
        {},
        "differentialAttention: q1 and q2 must have the same shape, got shapes [2, 4, 3, 7] and [2, 4, 4, 7]; " +
          "make their shape equal",
      );
      refuse(q, { lambdaK2: tf.zeros([D + 1]) }, {}, "lambdaK2 must be float32 of shape [D] = [7], got");
      refuse(q, { gamma: tf.zeros([D]) }, {}, "gamma must be float32 of shape [Dv] = [11], got");
      refuse(q, {}, { lambdaInit: 1 }, "lambdaInit must be from 0 to below 1, got 1");
    });
  });
}

onEveryBackend("query-key normalisation", qkTests);
onEveryBackend("differentialAttention", differentialTests);
