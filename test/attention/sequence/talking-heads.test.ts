import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { softAttention, talkingHeadsAttention } from "../../../src/attention/sequence/index.ts";
import { onEveryBackend } from "../support.ts";
import { expectCase } from "./fixture.ts";
import { dot, mix, nested, normal, roundings, softmax } from "./oracle.ts";
import { timm, timmHeads, timmOutput } from "./timm.ts";

const [B, T, S, D, DV] = [2, 3, 5, 7, 11];

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
      const { q, k, v, pl, pw, bw } = inputs();
      // Head 0 sees keys 0 and 1, head 1 sees keys 1 and 2.
      const flags = [1, 1, 0, 0, 0, 0, 1, 1, 0, 0];
      const allow = tf.tensor4d(flags, [1, HS, 1, S], "bool");
      const options = { allow, weights: true } as const;
      const { weights } = talkingHeadsAttention(q, k, v, { pl, pw }, options);
      for (const row of nested(weights).flat(2)) {
        expect(row.map((w) => w !== 0)).toEqual([true, true, true, false, false]);
      }
      const shifted = talkingHeadsAttention(q, k, v, { pl, pw, bw }, options).weights;
      const shift = nested(tf.sub(shifted, weights));
      const b = nested<number[]>(bw);
      const expected = shift.map((all) => all.map((rows, j) => rows.map(() => [b[j]!, b[j]!, b[j]!, 0, 0])));
      expect(roundings(tf.tensor(shift), expected)).toBeLessThanOrEqual(8);
    });
  });

  it("passes gradients to a bias that hides and learns", () => {
    tf.tidy(() => {
      const { q, k, v, ...parameters } = inputs();
      const bias = tf.tensor2d([0.5, -1, 2, Number.NEGATIVE_INFINITY, 0], [1, S]);
      const f = (b: tf.Tensor) => talkingHeadsAttention(q, k, v, parameters, { bias: b }).output;
      const gradient = [...tf.grad(f)(bias).dataSync()];
      expect(gradient.map((g) => Number.isFinite(g) && g !== 0)).toEqual([true, true, true, false, true]);
      expect(gradient[3]).toBe(0);
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

onEveryBackend("talkingHeadsAttention", talkingTests);
