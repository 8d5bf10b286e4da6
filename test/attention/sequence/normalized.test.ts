/** Query-key normalisation, differential attention and talking heads: attention changed before or after its softmax. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  differentialAttention,
  differentialLambda,
  qkLayerNormAttention,
  qkNormAttention,
  softAttention,
  talkingHeadsAttention,
} from "../../../src/attention/sequence/index.ts";
import { distance, onEveryBackend } from "../support.ts";
import { casesOf, expectCase } from "./fixture.ts";
import { attentionOracle, dot, type Heads, mix, nested, normal, roundings, softmax } from "./oracle.ts";

const [B, T, S, H, HKV, D, DV] = [2, 3, 5, 4, 2, 7, 11];
const heads = () => ({ q: normal(1, B, H, T, D), k: normal(2, B, HKV, S, D), v: normal(3, B, HKV, S, DV) });
const mapRows = (x: Heads, f: (row: number[]) => number[]): Heads => x.map((b) => b.map((h) => h.map(f)));
type Named = Record<string, tf.Tensor>;

/** timm's qkv: one product whose columns are q, k and v of all heads; heads [B, parts, N, D]. */
function timmHeads(
  x: tf.Tensor,
  { "qkv.weight": w, "qkv.bias": b }: Named,
  parts: readonly [number, number, number],
) {
  const [, N, C] = x.shape as [number, number, number];
  const product = tf.matMul(tf.reshape(x, [-1, C]), w!, false, true);
  const columns = tf.split(b ? tf.add(product, b) : product, 3, 1);
  return columns.map((rows, n) =>
    tf.transpose(tf.reshape(rows, [x.shape[0]!, N, parts[n]!, C / parts[n]!]), [0, 2, 1, 3]),
  ) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
}

function timmOutput(output: tf.Tensor4D, { "proj.weight": w, "proj.bias": b }: Named) {
  const [batch, , N] = output.shape;
  const rows = tf.reshape(tf.transpose(output, [0, 2, 1, 3]), [batch * N, -1]);
  return tf.reshape(tf.add(tf.matMul(rows, w!, false, true), b!), [batch, N, -1]);
}

const timm = (start: string) => casesOf("timm").filter(([name]) => name.startsWith(start));

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
      const own = { dropout: { rate: 0.5, seed: 7 }, training: true, lambdaInit: 0.5 };
      const same = differentialAttention([q, q], [k, k], v, p, own).output;
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

function talkingTests(): void {
  const [HK, HS, HV] = [3, 2, 5];
  const inputs = () => ({
    ...{ q: normal(1, B, HK, T, D), k: normal(2, B, HK, S, D), v: normal(3, B, HV, S, DV) },
    ...{
      pl: normal<tf.Tensor2D>(4, HK, HS),
      pw: normal<tf.Tensor2D>(5, HS, HV),
      bw: normal<tf.Tensor1D>(6, HV),
    },
  });

  it.each(timm("TalkingHeadAttn"))(
    "equals timm's TalkingHeadAttn (CaiT), gradients included: %s",
    (_, one) => {
      tf.tidy(() => {
        const { H: n } = one;
        // The bias of proj_l shifts whole rows of scores: it has no effect, and no gradient but its rounding.
        const { "proj_l.bias": bias, ...state } = one.state;
        expect(Math.max(...one.gradients["proj_l.bias"]!.values.map(Math.abs))).toBeLessThan(1e-5);
        expect(bias!.shape).toEqual([n]);
        expectCase(one, { ...one.inputs, ...state }, ({ x, ...given }) => {
          const [q, k, v] = timmHeads(x!, given, [n, n, n]);
          const parameters = {
            pl: tf.transpose(given["proj_l.weight"]!) as tf.Tensor2D,
            pw: tf.transpose(given["proj_w.weight"]!) as tf.Tensor2D,
            bw: given["proj_w.bias"] as tf.Tensor1D,
          };
          return timmOutput(talkingHeadsAttention(q, k, v, parameters).output, given);
        });
      });
    },
  );

  it("equals its formula in float64 loops, with three numbers of heads and a mask", () => {
    tf.tidy(() => {
      const { q, k, v, pl, pw, bw } = inputs();
      const [Q, K, V] = [nested(q), nested(k), nested(v)];
      const [PL, PW, BW] = [nested<number[][]>(pl), nested<number[][]>(pw), nested<number[]>(bw)];
      const seen = (s: number, b: number) => s < [3, 5][b]!;
      const weights = Q.map((all, b) => {
        const scores = all.map((rows, i) =>
          rows.map((row) => K[b]![i]!.map((key) => dot(row, key) / Math.sqrt(D))),
        );
        const shares = Array.from({ length: HS }, (_, h) =>
          scores[0]!.map((row, t) =>
            softmax(
              row.map((_, s) =>
                seen(s, b) ? scores.reduce((sum, one, i) => sum + one[t]![s]! * PL[i]![h]!, 0) : -Infinity,
              ),
            ),
          ),
        );
        return Array.from({ length: HV }, (_, j) =>
          shares[0]!.map((row, t) =>
            row.map((_, s) =>
              seen(s, b) ? shares.reduce((sum, one, h) => sum + one[t]![s]! * PW[h]![j]!, BW[j]!) : 0,
            ),
          ),
        );
      });
      const output = weights.map((all, b) => all.map((rows, j) => rows.map((w) => mix(w, V[b]![j]!))));
      const result = talkingHeadsAttention(q, k, v, { pl, pw, bw }, { keyLengths: [3, 5], weights: true });
      expect(roundings(result.weights, weights)).toBeLessThanOrEqual(64);
      expect(roundings(result.output, output)).toBeLessThanOrEqual(64);
    });
  });

  it("with identity matrices is attention, masks, bias, soft-cap and sink included", () => {
    tf.tidy(() => {
      const [q, k, v] = [normal(1, B, HK, T, D), normal(2, B, HK, S, D), normal(3, B, HK, S, DV)];
      const identity = { pl: tf.eye(HK) as tf.Tensor2D, pw: tf.eye(HK) as tf.Tensor2D };
      const allow = tf.greater(normal(7, B, HK, T, S), -0.5);
      for (const options of [
        {},
        { allow, bias: normal<tf.Tensor2D>(8, T, S) },
        { causal: "bottomRight", softCap: 1.5 },
        { sink: tf.tensor1d([0.5, -1, 2]), keyLengths: [2, 4] },
      ] as const) {
        const expected = softAttention(q, k, v, { ...options, weights: true });
        const result = talkingHeadsAttention(q, k, v, identity, { ...options, weights: true });
        expect(roundings(result.weights, expected.weights.arraySync())).toBeLessThanOrEqual(16);
        expect(roundings(result.output, expected.output.arraySync())).toBeLessThanOrEqual(16);
      }
    });
  });

  it("hides from all what no head may see, and lets heads pass on what another sees", () => {
    tf.tidy(() => {
      const { q, k, v, pl, pw } = inputs();
      // Head 0 sees keys 0 and 1, head 1 sees keys 1 and 2.
      const flags = [1, 1, 0, 0, 0, 0, 1, 1, 0, 0];
      const allow = tf.tensor4d(flags, [1, HS, 1, S], "bool");
      const { weights } = talkingHeadsAttention(q, k, v, { pl, pw }, { allow, weights: true });
      for (const row of nested(weights).flat(2)) {
        expect(row.map((w) => w !== 0)).toEqual([true, true, true, false, false]);
      }
    });
  });

  it("drops mixed weights, and refuses heads that do not fit", () => {
    tf.tidy(() => {
      const { q, k, v, pl, pw } = inputs();
      const own = { dropout: { rate: 0.5, seed: 1 }, training: true, weights: true } as const;
      const [plain, dropped] = [{ weights: true }, own].map((o) =>
        talkingHeadsAttention(q, k, v, { pl, pw }, o),
      );
      expect(dropped!.weights!.dataSync()).toEqual(plain!.weights!.dataSync());
      expect(dropped!.output.dataSync()).not.toEqual(plain!.output.dataSync());
      const refuse = (x: object, message: string) => {
        const { q: a, k: b, v: c, pl: l, pw: w } = { q, k, v, pl, pw, ...x };
        expect(() => talkingHeadsAttention(a, b, c, { pl: l, pw: w })).toThrow(message);
      };
      refuse(
        { k: normal(2, B, 1, S, D) },
        "talkingHeadsAttention: q and k must have the same number of heads Hk, got 3 and 1;",
      );
      refuse(
        { pl: normal(4, HK + 1, HS) },
        "pl must be float32 of shape [Hk, H] = [3, 2], got float32 of shape [4, 2]",
      );
      refuse({ pw: normal(4, HS, HV + 1) }, "pw must be float32 of shape [H, Hv] = [2, 5]");
    });
  });
}

onEveryBackend("query-key normalisation", qkTests);
onEveryBackend("differentialAttention", differentialTests);
onEveryBackend("talkingHeadsAttention", talkingTests);
